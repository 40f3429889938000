"""What is remembered of accounts has an end, and its bounds."""

import pytest

from rolecall.core import Reason, Refusal
from rolecall.identity import memberships
from rolecall.identity.memberships import Membership, Memberships

ALICE = ("users", "alice")


def names(number):
    return tuple(f"g{place}" for place in range(number))


@pytest.mark.parametrize(("now", "found"), [(0, True), (99.9, True), (100, False), (200, False)])
def test_an_account_is_remembered_until_its_time_is_up(now, found):
    known = Memberships()
    known.keep(ALICE, Membership(100, names(2)))
    assert (known.find(ALICE, now) is not None) == found


def test_a_program_is_never_a_person_with_the_same_id():
    known = Memberships()
    known.keep(ALICE, Membership(100, names(2)))
    assert known.find(("servicePrincipals", "alice"), 0) is None


def test_the_oldest_accounts_make_room(monkeypatch):
    monkeypatch.setattr(memberships, "MOST_ACCOUNTS", 3)
    known = Memberships()
    for number in range(5):
        known.keep(("users", str(number)), Membership(100, refusal=Refusal(Reason.REVOKED, "x")))
    assert [known.find(("users", str(n)), 0) is not None for n in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_their_groups_together_are_bounded_too(monkeypatch):
    monkeypatch.setattr(memberships, "MOST_GROUPS", 10)
    known = Memberships()
    known.keep(("users", "a"), Membership(100, names(6)))
    # the same account anew takes the place that it had
    known.keep(("users", "a"), Membership(100, names(5)))
    known.keep(("users", "b"), Membership(100, names(5)))
    assert len(known) == 2
    known.keep(("users", "c"), Membership(100, names(1)))
    assert known.find(("users", "a"), 0) is None
    assert len(known) == 2
    known.keep(("users", "d"), Membership(100, names(11)))
    assert len(known) == 0
