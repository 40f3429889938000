"""Each proof is good for one request, and what is kept of them is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Reason, Refusal
from rolecall.identity.dpop import WINDOW
from rolecall.identity.replays import KEPT, Replays
from rolecall.identity.shared_replays import PLACES, SharedReplays

from .parts.at_once import at_once

KEY, OTHER = "k" * 43, "o" * 43
NOW = 1_800_000_000.0


async def refused(replays, key, identifier, now):
    with pytest.raises(Refusal) as caught:
        await replays.admit(key, identifier, now)
    return caught.value.reason


@pytest.fixture(params=["one process", "several"])
def replays(request, tmp_path):
    if request.param == "several":
        return SharedReplays(tmp_path / "proofs", b"a key of ours...", most=1000)
    return Replays(most=1000)


@pytest.fixture(params=["one process", "several"])
def small(request, tmp_path):
    """One with little room, and how much that is."""
    if request.param == "several":
        return SharedReplays(tmp_path / "proofs", b"a key of ours...", most=PLACES // 2), PLACES
    return Replays(most=2), 2


async def test_t29_a_proof_is_admitted_once_while_it_could_be_sent_again(replays):
    await replays.admit(KEY, "a", NOW)
    for later in (0, WINDOW, 2 * WINDOW):
        assert await refused(replays, KEY, "a", NOW + later) is Reason.INVALID_DPOP_PROOF
    await replays.admit(KEY, "a", NOW + 2 * WINDOW + 1)


async def test_another_key_s_proofs_are_others(replays):
    await replays.admit(KEY, "a", NOW)
    await replays.admit(OTHER, "a", NOW)
    await replays.admit(KEY, "b", NOW)
    await replays.admit(KEY, "\ud800", NOW)


async def test_a_proof_is_forgotten_when_it_is_too_old_to_be_accepted():
    replays = Replays(most=1000)
    for number in range(3):
        await replays.admit(KEY, f"{number}", NOW + number)
    await replays.admit(KEY, "later", NOW + 2 * WINDOW + 2)
    assert len(replays) == 2


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("admit"), st.integers(0, 30)),
            st.tuples(st.just("resize"), st.integers(1, 20)),
            st.tuples(st.just("wait"), st.integers(1, 80)),
        )
    )
)
def test_whatever_the_room_becomes_no_live_proof_is_forgotten(steps):
    replays, now, room, live = Replays(most=10), NOW, 10, {}
    for what, number in steps:
        if what == "resize":
            replays.resize(number)
            room = number
        elif what == "wait":
            now += number
            live = {proof: until for proof, until in live.items() if until > now}
        else:
            expected = "seen" if number in live else "no room" if len(live) >= room else "admitted"
            assert at_once(outcome(replays, number, now)) == expected
            if expected == "admitted":
                live[number] = now + KEPT


async def outcome(replays, number, now):
    """``admitted``, ``seen`` or ``no room``."""
    try:
        await replays.admit(KEY, f"{number}", now)
    except Refusal as refusal:
        return {Reason.INVALID_DPOP_PROOF: "seen", Reason.RATE_LIMIT_EXCEEDED: "no room"}[
            refusal.reason
        ]
    return "admitted"


async def test_without_room_new_proofs_are_refused_and_none_is_forgotten(small):
    replays, room = small
    for number in range(room):
        await replays.admit(KEY, f"{number}", NOW + number / room)
    assert await refused(replays, KEY, "c", NOW + 2) is Reason.RATE_LIMIT_EXCEEDED
    for number in range(room):
        assert await refused(replays, KEY, f"{number}", NOW + 2) is Reason.INVALID_DPOP_PROOF
    # the first has made room, and the second not yet
    await replays.admit(KEY, "c", NOW + 2 * WINDOW + 1)
    assert await refused(replays, KEY, "d", NOW + 2 * WINDOW + 1) is Reason.RATE_LIMIT_EXCEEDED
    again = await refused(replays, KEY, f"{room - 1}", NOW + 2 * WINDOW + 1)
    assert again is Reason.INVALID_DPOP_PROOF
