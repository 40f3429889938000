"""Each proof is good for one request, and what is kept of them is bounded."""

import pytest

from rolecall.core import Reason, Refusal
from rolecall.identity.dpop import WINDOW
from rolecall.identity.replays import Replays

KEY, OTHER = "k" * 43, "o" * 43
NOW = 1_800_000_000.0


def refused(replays, key, identifier, now):
    with pytest.raises(Refusal) as caught:
        replays.admit(key, identifier, now)
    return caught.value.reason


def test_t29_a_proof_is_admitted_once_while_it_could_be_sent_again():
    replays = Replays()
    replays.admit(KEY, "a", NOW)
    for later in (0, WINDOW, 2 * WINDOW):
        assert refused(replays, KEY, "a", NOW + later) is Reason.INVALID_DPOP_PROOF


def test_another_key_s_proofs_are_others():
    replays = Replays()
    replays.admit(KEY, "a", NOW)
    replays.admit(OTHER, "a", NOW)
    replays.admit(KEY, "b", NOW)
    replays.admit(KEY, "\ud800", NOW)


def test_a_proof_is_forgotten_when_it_is_too_old_to_be_accepted():
    replays = Replays()
    for number in range(3):
        replays.admit(KEY, f"{number}", NOW + number)
    replays.admit(KEY, "later", NOW + 2 * WINDOW + 2)
    assert len(replays) == 2


def test_without_room_new_proofs_are_refused_and_none_is_forgotten():
    replays = Replays(most=2)
    replays.admit(KEY, "a", NOW)
    replays.admit(KEY, "b", NOW + 1)
    assert refused(replays, KEY, "c", NOW + 2) is Reason.RATE_LIMIT_EXCEEDED
    assert refused(replays, KEY, "a", NOW + 2) is Reason.INVALID_DPOP_PROOF
    replays.admit(KEY, "c", NOW + 2 * WINDOW + 1)
    assert len(replays) == 2
