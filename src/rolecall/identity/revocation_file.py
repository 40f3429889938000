"""The SQLite file of revocations, spoken to synchronously; several processes may have it open."""

import os
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal

from rolecall.core import Revocation

MOST: Final = 100_000
PAGE: Final = 1000
_VERSION: Final = 1
_PATIENCE: Final = 5.0
_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS revocation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issuer TEXT NOT NULL, jti TEXT, sid TEXT, sub TEXT, client TEXT,
    issued_before REAL, expires REAL NOT NULL, cause TEXT NOT NULL, created REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS revocation_expires ON revocation (expires);
CREATE INDEX IF NOT EXISTS revocation_names ON revocation (issuer, sub, sid, jti);
CREATE TABLE IF NOT EXISTS received (
    issuer TEXT NOT NULL, jti TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (issuer, jti)
);
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_COLUMNS: Final = "id, issuer, jti, sid, sub, client, issued_before, expires"
_ALL: Final = f"SELECT {_COLUMNS}, cause, created FROM revocation"  # noqa: S608 - names of columns
_SAME: Final = (
    "issuer IS ?2 AND jti IS ?3 AND sid IS ?4 AND sub IS ?5 AND client IS ?6"
    " AND issued_before IS ?7"
)
_COPY: Final = (
    f"INSERT OR IGNORE INTO revocation ({_COLUMNS}, cause, created)"  # noqa: S608 - names of columns
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"
    f" WHERE NOT EXISTS (SELECT 1 FROM revocation WHERE {_SAME})"
)
_LENGTHEN: Final = f"UPDATE revocation SET expires = max(expires, ?8) WHERE {_SAME}"  # noqa: S608 - the same

Cause = Literal["administrator", "logout", "security_event"]


class FullError(Exception):
    """The file holds as many entries as it may."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry of the file: its number, what it revokes, why, and since when (epoch seconds)."""

    number: int
    revocation: Revocation
    cause: str
    created: float


@dataclass(frozen=True, slots=True)
class Received:
    """A message that has its effect once: who sent it, its ID, until when it would be good."""

    issuer: str
    jti: str
    until: float


@dataclass(frozen=True, slots=True)
class Change:
    """What others have added to a file, and whose numbers are in it no more."""

    added: dict[int, Revocation]
    removed: frozenset[int]


def open_file(path: str) -> sqlite3.Connection:
    """Open a file, and make it where there is none, for its owner alone.

    Raises:
        OSError: that cannot be done.
        sqlite3.Error: it is no such file, or one of another version.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise sqlite3.DatabaseError(f"its version is {version}, and {_VERSION} is known here")
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def copy(former: sqlite3.Connection, database: sqlite3.Connection) -> None:
    """Write down in a file what another one holds: all of it, or nothing.

    An entry keeps its number where that is free. Of two that are the same but for their expiry the
    longer one counts.

    Raises:
        FullError: there is no room.
    """
    entries = former.execute(_ALL).fetchall()
    received = former.execute("SELECT issuer, jti, until FROM received").fetchall()
    database.execute("BEGIN IMMEDIATE")
    try:
        database.executemany(_LENGTHEN, [entry[:8] for entry in entries])
        database.executemany(_COPY, entries)
        # those whose numbers others have
        database.executemany(_COPY, [(None, *entry[1:]) for entry in entries])
        database.executemany("INSERT OR IGNORE INTO received VALUES (?, ?, ?)", received)
        (count,) = database.execute("SELECT count(*) FROM revocation").fetchone()
        if count > MOST:
            raise FullError
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def changes(database: sqlite3.Connection, known: Collection[int], now: float) -> Change:
    """What has become of a file since its entries were ``known``; what has expired is removed."""
    due = database.execute(
        "SELECT EXISTS (SELECT 1 FROM revocation WHERE expires <= ?)", (now,)
    ).fetchone()
    if due[0]:
        database.execute("DELETE FROM revocation WHERE expires <= ?", (now,))
    # numbers are given in the order of the transactions, and none is given twice
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM revocation WHERE id > ?",  # noqa: S608 - names of columns
        (max(known, default=0),),
    )
    added = {row[0]: Revocation(*row[1:]) for row in rows}
    (count,) = database.execute("SELECT count(*) FROM revocation").fetchone()
    if count == len(known) + len(added):
        return Change(added, frozenset())
    present = {number for (number,) in database.execute("SELECT id FROM revocation")}
    return Change(added, frozenset(known) - present)


def add(
    database: sqlite3.Connection,
    revocation: Revocation,
    cause: Cause,
    received: Received | None,
    now: float,
) -> int | None:
    """Write an entry down, in the place of one that is the same but for its expiry.

    Returns:
        Its number; None where the message had been received before.

    Raises:
        FullError: there is no room.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        number = _add(database, revocation, cause, received, now)
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    return number


def _add(
    database: sqlite3.Connection,
    revocation: Revocation,
    cause: Cause,
    received: Received | None,
    now: float,
) -> int | None:
    if received is not None:
        database.execute("DELETE FROM received WHERE until <= ?", (now,))
        noted = database.execute(
            "INSERT OR IGNORE INTO received VALUES (?, ?, ?)",
            (received.issuer, received.jti, received.until),
        )
        if noted.rowcount == 0:
            return None
    values = (
        revocation.issuer,
        revocation.jti,
        revocation.sid,
        revocation.sub,
        revocation.client,
        revocation.issued_before,
    )
    database.execute(
        "DELETE FROM revocation WHERE issuer IS ? AND jti IS ? AND sid IS ? AND sub IS ?"
        " AND client IS ? AND issued_before IS ?",
        values,
    )
    (count,) = database.execute("SELECT count(*) FROM revocation").fetchone()
    if count >= MOST:
        raise FullError
    row = database.execute(
        "INSERT INTO revocation (issuer, jti, sid, sub, client, issued_before, expires, cause,"
        " created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, revocation.expires, cause, now),
    )
    return row.lastrowid


def remove(database: sqlite3.Connection, number: int) -> bool:
    """Remove an entry; return whether there was one."""
    return database.execute("DELETE FROM revocation WHERE id = ?", (number,)).rowcount == 1


def listed(database: sqlite3.Connection, after: int) -> list[Stored]:
    """At most `PAGE` entries in the order of their numbers, from behind ``after``."""
    with closing(
        database.execute(f"{_ALL} WHERE id > ? ORDER BY id LIMIT ?", (after, PAGE))
    ) as rows:
        return [Stored(row[0], Revocation(*row[1:-2]), row[-2], row[-1]) for row in rows]
