"""Key IDs that were asked for in vain are asked for again, ever more seldom, and are not many."""

from hypothesis import given
from hypothesis import strategies as st

from rolecall.identity.unknown_keys import UnknownKeys


def test_a_key_id_that_was_never_asked_for_may_be_asked_for():
    assert UnknownKeys(10, 300, room=5).may_ask("k1", 0)
    assert UnknownKeys(10, 300, room=5).may_ask(None, 0)


def test_the_wait_doubles_up_to_the_most():
    unknown, now, waits = UnknownKeys(10, 300, room=5), 0, []
    for _ in range(8):
        unknown.asked_in_vain("k1", now)
        wait = next(wait for wait in range(1000) if unknown.may_ask("k1", now + wait))
        now += wait
        waits.append(wait)
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]


@given(st.lists(st.text(max_size=3) | st.none()))
def test_no_more_are_remembered_than_there_is_room_for(key_ids):
    unknown = UnknownKeys(10, 300, room=5)
    for now, key_id in enumerate(key_ids):
        unknown.asked_in_vain(key_id, now)
        assert not unknown.may_ask(key_id, now)
        assert len(unknown) <= 5


@given(st.lists(st.text(max_size=3)), st.integers(1, 9))
def test_of_what_was_asked_for_before_the_latest_is_kept(key_ids, room):
    former, later = UnknownKeys(10, 300, room=8), UnknownKeys(10, 300, room=room)
    for key_id in key_ids:
        former.asked_in_vain(key_id, 0)
    later.adopt(former)
    latest = list(dict.fromkeys(reversed(key_ids)))[: min(8, room)]
    assert {key_id for key_id in key_ids if not later.may_ask(key_id, 0)} == set(latest)
    assert len(later) == len(latest)


def test_the_one_that_was_asked_for_longest_ago_makes_room():
    unknown = UnknownKeys(10, 300, room=2)
    for key_id in ("a", "b", "a", "c"):
        unknown.asked_in_vain(key_id, 0)
    assert [key_id for key_id in "abc" if not unknown.may_ask(key_id, 0)] == ["a", "c"]
