"""Nonces for proofs of possession (RFC 9449 8, 9): known by their text, and for a while."""

import pytest

from rolecall.core import Reason, Refusal
from rolecall.identity.nonces import SLOT, Nonces

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = 1_800_000_000 // SLOT * SLOT


def verdict(nonces, nonce, now):
    """``kept``, ``replaced`` by the one that is current, or the reason of the refusal."""
    try:
        found = nonces.check(nonce, now)
    except Refusal as refusal:
        return refusal.reason.value
    if found is None:
        return "kept"
    assert found == nonces.current(now)
    return "replaced"


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, "kept"),
        (SLOT - 1, "kept"),
        (SLOT, "replaced"),
        (2 * SLOT - 1, "replaced"),
        (2 * SLOT, "use_dpop_nonce"),
        (100 * SLOT, "use_dpop_nonce"),
        (-1, "kept"),
        (-SLOT, "kept"),
        (-SLOT - 1, "use_dpop_nonce"),
    ],
)
def test_c43_a_nonce_is_replaced_before_it_runs_out(age, expected):
    nonces = Nonces(KEY)
    nonce = nonces.current(NOW)
    assert verdict(nonces, nonce, NOW + age) == expected


@pytest.mark.parametrize(
    "nonce", [None, "", "x", "ä" * 22, "\ud800", 1, True, [], {}, "A" * 22], ids=repr
)
def test_c43_t29_what_is_no_nonce_of_ours_is_refused(nonce):
    assert verdict(Nonces(KEY), nonce, NOW) == "use_dpop_nonce"


def test_c43_t29_nor_is_one_that_is_nearly_ours():
    nonces = Nonces(KEY)
    nonce = nonces.current(NOW)
    for other in (nonce[:-1], nonce + "A", nonce.swapcase(), f" {nonce}", nonce + "="):
        assert verdict(nonces, other, NOW) == "use_dpop_nonce"


def test_c43_whoever_has_the_key_knows_the_nonces():
    assert verdict(Nonces(KEY), Nonces(KEY).current(NOW), NOW) == "kept"
    assert verdict(Nonces(KEY), Nonces(OTHER, KEY).current(NOW), NOW) == "kept"
    assert verdict(Nonces(KEY), Nonces(KEY, OTHER).current(NOW), NOW) == "use_dpop_nonce"


def test_a_generation_keeps_the_nonces_of_the_one_before_unless_a_key_is_configured():
    former, later = Nonces(KEY), Nonces(OTHER)
    later.current(NOW)
    later.adopt(former)
    assert verdict(later, former.current(NOW), NOW) == "kept"
    configured = Nonces(OTHER, b"c" * 32)
    configured.adopt(former)
    assert verdict(configured, former.current(NOW), NOW) == "use_dpop_nonce"
    unconfigured = Nonces(OTHER)
    unconfigured.adopt(configured)
    assert verdict(unconfigured, former.current(NOW), NOW) == "kept"


def test_a_nonce_is_text_for_a_header():
    nonce = Nonces(KEY).current(NOW)
    # RFC 9449 8.1: NQCHAR
    assert all(33 <= ord(character) <= 126 and character not in '"\\' for character in nonce)
    assert len(nonce) == 22


def test_the_refusal_says_what_to_do():
    with pytest.raises(Refusal) as caught:
        Nonces(KEY).check(None, NOW)
    assert caught.value.reason is Reason.USE_DPOP_NONCE
    assert "DPoP-Nonce" in caught.value.message
