"""Each proof is good for one request, and what is kept of them is bounded."""

import pytest

from rolecall.core import Reason, Refusal
from rolecall.identity.dpop import WINDOW
from rolecall.identity.replays import Replays
from rolecall.identity.shared_replays import PLACES, SharedReplays

KEY, OTHER = "k" * 43, "o" * 43
NOW = 1_800_000_000.0


async def refused(replays, key, identifier, now):
    with pytest.raises(Refusal) as caught:
        await replays.admit(key, identifier, now)
    return caught.value.reason


@pytest.fixture(params=["one process", "several"])
def replays(request, tmp_path):
    if request.param == "several":
        return SharedReplays(tmp_path / "proofs", b"a key of ours...")
    return Replays()


@pytest.fixture(params=["one process", "several"])
def small(request, tmp_path):
    """One with little room, and how much that is."""
    if request.param == "several":
        return SharedReplays(tmp_path / "proofs", b"a key of ours...", buckets=1), PLACES
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
    replays = Replays()
    for number in range(3):
        await replays.admit(KEY, f"{number}", NOW + number)
    await replays.admit(KEY, "later", NOW + 2 * WINDOW + 2)
    assert len(replays) == 2


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
