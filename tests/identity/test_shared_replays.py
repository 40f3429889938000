"""A proof is good for one request to all processes of a machine together."""

import json
import logging
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from rolecall.config import Limits
from rolecall.core import Refusal
from rolecall.identity.shared_replays import PLACES, SharedReplays

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="each process is alone there")

HOLDER = "k" * 43
NOW = 1_800_000_000.0
SECRET = b"a key of ours..."
MOST = Limits().proofs


@pytest.fixture
def place(tmp_path):
    return tmp_path / "proofs"


async def outcome(replays, identifier, now=NOW):
    """``admitted`` or the reason of the refusal."""
    try:
        await replays.admit(HOLDER, identifier, now)
    except Refusal as refusal:
        return refusal.reason.value
    return "admitted"


async def test_c41_t29_what_one_process_has_seen_no_other_admits(place):
    one, other = (SharedReplays(place, SECRET, MOST) for _ in range(2))
    for number in range(100):
        assert await outcome(one, f"{number}") == "admitted"
        assert await outcome(other, f"{number}") == "invalid_dpop_proof"
    later = SharedReplays(place, SECRET, MOST)
    assert await outcome(later, "99") == "invalid_dpop_proof"


RACING = """
import asyncio, json, sys
from pathlib import Path
from rolecall.config import Limits
from rolecall.core import Refusal
from rolecall.identity.shared_replays import SharedReplays

async def race():
    replays = SharedReplays(Path(sys.argv[1]), b"a key of ours...", most=64)
    admitted = []
    for number in range(100):
        reason = "upstream_unavailable"
        # whoever holds the lock may have been put to sleep
        while reason == "upstream_unavailable":
            try:
                await replays.admit("k" * 43, str(number), 1_800_000_000.0)
            except Refusal as refusal:
                reason = refusal.reason
            else:
                reason = "admitted"
                admitted.append(number)
        assert reason in {"admitted", "invalid_dpop_proof"}, reason
    print(json.dumps(admitted))

sys.stdin.readline()
asyncio.run(race())
"""


def started(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_c41_t29_processes_that_race_admit_each_proof_once(place):
    racers = [started(RACING, place) for _ in range(3)]
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate()[0] for racer in racers]
    assert sorted(number for one in said for number in json.loads(one)) == list(range(100))


HOLDING = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held(place):
    """Another process keeps every lock of the file."""
    holder = started(HOLDING, place)
    assert holder.stdout.readline() == "held\n"
    try:
        yield
    finally:
        holder.communicate("done\n")


async def test_a_process_that_sleeps_with_a_lock_keeps_nobody_waiting_for_long(place, caplog):
    caplog.set_level(logging.ERROR)
    replays = SharedReplays(place, SECRET, MOST)
    with held(place):
        assert await outcome(replays, "a") == "upstream_unavailable"
    assert "another process keeps its lock" in caplog.text
    assert await outcome(replays, "a") == "admitted"


async def test_a_file_that_cannot_be_used_admits_nothing_and_is_told_once(tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    folder = tmp_path / "later"
    replays = SharedReplays(folder / "proofs", SECRET, MOST)
    for identifier in ("a", "b", "a"):
        assert await outcome(replays, identifier) == "upstream_unavailable"
    assert len(caplog.records) == 1
    assert "the file of proofs that were seen cannot be used" in caplog.text
    folder.mkdir()
    assert await outcome(replays, "a") == "admitted"
    assert await outcome(replays, "a") == "invalid_dpop_proof"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
async def test_a_full_disk_admits_nothing(place):
    place.symlink_to("/dev/full")
    replays = SharedReplays(place, SECRET, MOST)
    for _ in range(2):
        assert await outcome(replays, "a") == "upstream_unavailable"


async def test_a_file_that_is_cleared_away_is_made_anew_for_all(place):
    one, other = (SharedReplays(place, SECRET, MOST) for _ in range(2))
    for replays in (one, other):
        assert await outcome(replays, "a") in {"admitted", "invalid_dpop_proof"}
    place.unlink()
    assert await outcome(one, "b") == "admitted"
    assert await outcome(other, "b") == "invalid_dpop_proof"


async def test_its_size_has_a_bound_and_it_is_its_owner_s_alone(place):
    replays = SharedReplays(place, SECRET, MOST)
    for number in range(3000):
        await replays.admit(HOLDER, f"{number}", NOW)
    assert place.stat().st_size <= replays.size == 2 * MOST * 24
    assert place.stat().st_mode & 0o777 == 0o600


async def test_the_room_stays_as_it_is_until_the_gateway_restarts(place, caplog):
    """Processes change over one by one, and must look for a proof in the same place meanwhile."""
    one, other = (SharedReplays(place, SECRET, MOST) for _ in range(2))
    for number in range(100):
        assert await outcome(one, f"{number}") == "admitted"
    one.resize(MOST)
    assert not caplog.records
    one.resize(1024)
    assert [record.message for record in caplog.records] == [
        "limits.proofs has changed: that takes effect when the gateway restarts"
    ]
    for number in range(100):
        assert await outcome(one, f"{number}") == "invalid_dpop_proof"
        assert await outcome(other, f"{number}") == "invalid_dpop_proof"


async def test_where_a_proof_stands_no_client_can_tell(place):
    theirs = SharedReplays(place, b"another's key...", most=PLACES // 2)
    ours = SharedReplays(place, SECRET, most=PLACES // 2)
    assert await outcome(theirs, "a") == "admitted"
    assert await outcome(ours, "a") == "admitted"


@pytest.mark.parametrize("written", [0, 1, 16])
async def test_c41_t29_a_proof_that_could_not_be_noted_whole_is_refused(
    place, monkeypatch, written
):
    monkeypatch.setattr(os, "pwrite", lambda *_: written)
    assert await outcome(SharedReplays(place, SECRET, MOST), "a") == "upstream_unavailable"
