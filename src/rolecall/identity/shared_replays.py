"""Proofs that were seen lately by any process of one machine: a file that they share.

A hash table of a fixed size. Each proof has one bucket where it may stand; that bucket is read,
looked through and written to under a lock of its own, which no two processes want at once but by
chance.
"""

import asyncio
import logging
import os
import sys
import weakref
from pathlib import Path
from struct import Struct
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.identity.replays import DIGEST, KEPT, digest_of, replayed, too_many

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("rolecall.identity")

PLACES: Final = 32
"""Proofs for which a bucket has room."""
# a digest, and the time (seconds since the epoch) from which on its place is free
_PLACE: Final = Struct(f"<{DIGEST}sd")
_BUCKET: Final = Struct("<" + _PLACE.format[1:] * PLACES)

# a lock is held for a few microseconds; whoever holds it may be put to sleep meanwhile
_TRIES: Final = 20
_PAUSE: Final = 0.002


class SharedReplays:
    """The proofs of the last two minutes, as `Replays` keeps them, for several processes.

    None is forgotten while it could be sent again: when its bucket has no room, a new one is
    refused. What cannot be noted is refused too.

    Args:
        path: of the file; made where there is none.
        key: at least 16 bytes that the processes share and no client knows, or one client could
            fill the buckets of others.
        most: for how many there is room; the same for all processes. They fall into buckets by
            chance, and so there are twice as many places.

    Attributes:
        size: bytes of the file when every bucket has been written to.
    """

    def __init__(self, path: Path, key: bytes, most: int) -> None:
        self._path = path
        self._key = key
        self._most = most
        self._buckets = max(2 * most // PLACES, 1)
        self.size = self._buckets * _BUCKET.size
        self._file = -1
        self._close: weakref.finalize[[int], SharedReplays] | None = None
        self._failing = False

    def resize(self, most: int) -> None:
        """Say that there is room for as many as before, if that is not what is wanted.

        Where a proof stands depends on how many places there are: processes that had not changed
        over would admit what others have seen.
        """
        if most != self._most:
            log.warning("limits.proofs has changed: that takes effect when the gateway restarts")

    async def admit(self, thumbprint: str, identifier: str, now: float) -> None:
        """Take note of a proof that is good otherwise.

        Args:
            thumbprint: the key that signed it.
            identifier: its ``jti``.
            now: seconds since the epoch.

        Raises:
            Refusal: ``invalid_dpop_proof`` for one that was seen, ``rate_limit_exceeded`` where no
                more can be noted, ``upstream_unavailable`` where the file cannot be used.
        """
        digest = digest_of(thumbprint, identifier, self._key)
        place = int.from_bytes(digest[:4], "little") % self._buckets * _BUCKET.size
        try:
            await self._lock(place)
            try:
                self._note(digest, place, now)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, _BUCKET.size, place)
        except OSError as error:
            self._fails(error)
            raise Refusal(
                Reason.UPSTREAM_UNAVAILABLE,
                "Proofs of possession (DPoP) cannot be told apart at the moment; the gateway's log"
                " says why.",
            ) from None
        self._failing = False

    async def _lock(self, place: int) -> None:
        if self._file < 0 or os.fstat(self._file).st_nlink == 0:
            # whoever clears away old files shall not part those who have this one open
            self._open()
        for _ in range(_TRIES):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, _BUCKET.size, place)
            except BlockingIOError:
                await asyncio.sleep(_PAUSE)
            else:
                return
        raise TimeoutError("another process keeps its lock")

    def _note(self, digest: bytes, place: int, now: float) -> None:
        # what was never written to is short, or zero
        bucket = os.pread(self._file, _BUCKET.size, place).ljust(_BUCKET.size, b"\0")
        values = _BUCKET.unpack(bucket)
        digests, until = values[::2], values[1::2]
        if digest in digests and until[digests.index(digest)] > now:
            raise replayed()
        first = min(until)
        if first > now:
            raise too_many()
        noted = _PLACE.pack(digest, now + KEPT)
        written = os.pwrite(self._file, noted, place + until.index(first) * _PLACE.size)
        if written != _PLACE.size:
            raise OSError("there is no room to write to")

    def _open(self) -> None:
        if self._close is not None:
            self._close()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._close = weakref.finalize(self, os.close, self._file)

    def _fails(self, error: OSError) -> None:
        # once and not at every request
        level = logging.DEBUG if self._failing else logging.ERROR
        self._failing = True
        log.log(level, "the file of proofs that were seen cannot be used: %s", error)
