"""Revocations in a file: kept, shared, bounded, and gone when they are of no use any more."""

import asyncio
import sqlite3
import stat
from contextlib import asynccontextmanager, closing, suppress

import pytest

from rolecall.core import Refusal, Revocation
from rolecall.identity import revocation_file
from rolecall.identity.revocation_file import Received
from rolecall.identity.revocation_store import RevocationStore, StoreError
from tests.parts.waiting import until

from .parts.gate import ISSUER, NOW, Clock

JANE = Revocation(ISSUER, sub="jane")
JOHN = Revocation(ISSUER, sub="john")
WHOLE = Revocation(ISSUER, "t1", "s1", "jane", "ui", NOW - 1.5, NOW + 100.0)


@asynccontextmanager
async def opened(path, clock=None):
    """A store, and what it has told so far."""

    def tell(added, removed):
        store.told.append((list(added), list(removed)))
        store.changed.set()

    store = RevocationStore(str(path), on_change=tell, clock=clock or Clock())
    store.told, store.changed = [], asyncio.Event()
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "revocations.db"


async def follow_until(store, done):
    """Let a store follow the file until something holds."""
    task = asyncio.create_task(store.follow(every=0))
    while not done():
        store.changed.clear()
        await store.changed.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("entry", [JANE, WHOLE, Revocation(ISSUER, issued_before=1.0)])
async def test_an_entry_is_told_at_once_and_found_again(path, entry):
    async with opened(path) as store:
        stored = await store.add(entry, "administrator")
        assert store.told == [([entry], [])]
        assert await store.listed(0) == [stored]
        assert (stored.revocation, stored.created) == (entry, NOW)
    async with opened(path) as again:
        assert again.told == [([entry], [])]
        assert list(again.entries) == [entry]
        assert await again.remove(stored.number)
        assert again.told[1:] == [([], [entry])]
        assert not await again.remove(stored.number)


async def test_another_process_is_told_when_it_looks(path):
    async with opened(path) as one, opened(path) as other:
        stored = await one.add(JANE, "administrator")
        await follow_until(other, lambda: other.told)
        assert other.told == [([JANE], [])]
        await other.remove(stored.number)
        await follow_until(one, lambda: len(one.told) == 2)
        assert one.told[1] == ([], [JANE])


async def test_a_file_is_its_owner_s_alone(path):
    async with opened(path) as store:
        await store.add(JANE, "administrator")
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_a_file_that_failed_for_a_while_is_followed_on(path, caplog):
    async with opened(path) as store:
        following = asyncio.create_task(store.follow(every=0))
        with closing(sqlite3.connect(path)) as other:
            other.execute("ALTER TABLE revocation RENAME TO gone")
            await until(lambda: "cannot be used" in caplog.text)
            other.execute("ALTER TABLE gone RENAME TO revocation")
            revocation_file.add(other, JANE, "logout", None, NOW)
            other.commit()
        await until(lambda: store.told)
        assert store.told == [([JANE], [])]
        assert caplog.text.count("cannot be used") == 1
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def test_an_entry_ends_everywhere_when_it_expires(path):
    clock = Clock()
    async with opened(path, clock) as one, opened(path, clock) as other:
        await one.add(WHOLE, "logout")
        await follow_until(other, lambda: other.told)
        clock.now = WHOLE.expires
        await follow_until(other, lambda: len(other.told) == 2)
        await follow_until(one, lambda: len(one.told) == 2)
        assert one.told[1] == other.told[1] == ([], [WHOLE])
        assert await one.listed(0) == []


async def test_the_same_again_takes_its_place(path):
    async with opened(path) as store:
        await store.add(JANE, "administrator")
        later = Revocation(ISSUER, sub="jane", expires=NOW + 5.0)
        stored = await store.add(later, "administrator")
        assert store.told[1] == ([later], [JANE])
        assert await store.listed(0) == [stored]


async def test_a_message_has_its_effect_once_while_it_is_good(path):
    clock = Clock()
    received = Received(ISSUER, "j1", NOW + 10)
    async with opened(path, clock) as one, opened(path, clock) as other:
        assert await one.add(JANE, "logout", received) is not None
        assert await other.add(JANE, "logout", received) is None
        assert await other.add(JANE, "logout", Received("another", "j1", NOW + 10)) is not None
        clock.now = NOW + 10
        assert await one.add(JANE, "logout", received) is not None


async def test_a_full_file_takes_no_more_and_notes_no_message(path, monkeypatch, caplog):
    monkeypatch.setattr(revocation_file, "MOST", 1)
    received = Received(ISSUER, "j1", NOW + 10)
    async with opened(path) as store:
        stored = await store.add(JANE, "administrator")
        with pytest.raises(Refusal) as caught:
            await store.add(WHOLE, "logout", received)
        assert caught.value.status == 503
        assert "full: 1 entries" in caplog.text
        assert list(store.entries) == [JANE]
        await store.remove(stored.number)
        assert await store.add(WHOLE, "logout", received) is not None


async def test_a_file_that_fails_is_told_once_and_nothing_is_forgotten(path, caplog):
    async with opened(path) as store:
        await store.add(JANE, "administrator")
        with closing(sqlite3.connect(path)) as database:
            database.execute("ALTER TABLE revocation RENAME TO elsewhere")
        for work in (store.add(WHOLE, "logout"), store.listed(0), store.remove(1)):
            with pytest.raises(Refusal) as caught:
                await work
            assert caught.value.status == 503
        errors = [record for record in caplog.records if record.levelname == "ERROR"]
        assert len(errors) == 1
        assert list(store.entries) == [JANE]


async def test_a_file_that_is_of_another_kind_keeps_the_gateway_from_starting(path, tmp_path):
    path.write_bytes(b"this is no database, and it is longer than a header" * 20)
    newer = tmp_path / "newer.db"
    with closing(sqlite3.connect(newer)) as database:
        database.execute("PRAGMA user_version = 2")
    for file in (path, newer, tmp_path / "nowhere" / "a.db"):
        store = RevocationStore(str(file), on_change=lambda *_: None, clock=Clock())
        with pytest.raises(StoreError):
            await store.start()
        await store.stop()


async def test_another_file_is_kept_to_and_nothing_is_forgotten(path, tmp_path):
    received = Received(ISSUER, "j1", NOW + 10)
    async with opened(path) as store:
        kept = [await store.add(entry, "administrator") for entry in (JANE, WHOLE)]
        await store.add(JOHN, "logout", received)
        await store.move(str(tmp_path / "other.db"))
        assert store.told[-1] == ([JANE, WHOLE, JOHN], [JANE, WHOLE, JOHN])
        assert (await store.listed(0))[:2] == kept
        assert await store.add(JOHN, "logout", received) is None
        await store.add(Revocation(ISSUER, sub="new"), "logout")
    async with opened(path) as former:
        assert list(former.entries) == [JANE, WHOLE, JOHN]
    async with opened(tmp_path / "other.db") as again:
        assert list(again.entries) == [JANE, WHOLE, JOHN, Revocation(ISSUER, sub="new")]


async def test_a_file_that_has_entries_of_its_own_keeps_them_and_the_longer_of_two(path, tmp_path):
    brief, long = (Revocation(ISSUER, sub="jane", expires=NOW + n) for n in (10.0, 90.0))
    async with opened(tmp_path / "other.db") as other:
        await other.add(JOHN, "administrator")
        await other.add(brief, "administrator")
    async with opened(path) as store:
        for entry in (WHOLE, long):
            await store.add(entry, "administrator")
        await store.move(str(tmp_path / "other.db"))
        assert store.told[-1] == ([JOHN, long, WHOLE], [WHOLE, long])
        assert [one.number for one in await store.listed(0)] == [1, 2, 3]


async def test_processes_that_move_one_after_the_other_end_up_with_the_same(path, tmp_path):
    other = str(tmp_path / "other.db")
    async with opened(path) as one, opened(path) as two:
        await one.add(JANE, "administrator")
        await follow_until(two, lambda: two.told)
        await one.move(other)
        late = await two.add(JOHN, "administrator")
        await two.move(other)
        await follow_until(one, lambda: len(one.entries) == 2)
        assert await one.listed(0) == await two.listed(0)
        assert late in await one.listed(0)


async def test_a_file_that_cannot_be_used_is_not_kept_to(path, tmp_path, monkeypatch):
    bad = tmp_path / "bad.db"
    bad.write_bytes(b"this is no database, and it is longer than a header" * 20)
    full = tmp_path / "full.db"
    async with opened(full) as other:
        await other.add(JOHN, "administrator")
    async with opened(path) as store:
        await store.add(JANE, "administrator")
        monkeypatch.setattr(revocation_file, "MOST", 1)
        for file in (bad, full, tmp_path / "nowhere" / "a.db"):
            with pytest.raises(StoreError):
                await store.move(str(file))
        assert store.path == str(path)
        assert list(store.entries) == [JANE]
        (stored,) = await store.listed(0)
        assert await store.remove(stored.number)
    async with opened(full) as other:
        assert list(other.entries) == [JOHN]


async def test_what_is_asked_for_while_the_file_is_changed_finds_the_new_one(path, tmp_path):
    async with opened(path) as store:
        moving = asyncio.create_task(store.move(str(tmp_path / "other.db")))
        added = await asyncio.gather(*(store.add(entry, "logout") for entry in (JANE, JOHN)))
        await moving
        assert await store.listed(0) == added


async def test_a_page_is_of_a_bounded_size(path, monkeypatch):
    monkeypatch.setattr(revocation_file, "PAGE", 2)
    async with opened(path) as store:
        numbers = [(await store.add(Revocation(ISSUER, jti=t), "logout")).number for t in "abc"]
        assert [one.number for one in await store.listed(0)] == numbers[:2]
        assert [one.number for one in await store.listed(numbers[1])] == numbers[2:]
