"""Decisions reach the disk, files are turned over, and a full disk is said and counted."""

import json
import logging
import threading
import tracemalloc

import pytest

from rolecall.config import DecisionSettings
from rolecall.record import DecisionLog


@pytest.fixture
def settings(tmp_path):
    def settings(**said):
        return DecisionSettings(
            **{
                "path": tmp_path / "decisions.jsonl",
                "include_claims": (),
                "max_bytes": 10_000,
                "max_age": 3600,
                "keep": 3,
                "on_failure": "continue",
                **said,
            }
        )

    return settings


def entry(number, time="2100-01-01T00:00:00Z"):
    return {"time": time, "number": number}


def written(folder):
    files = sorted(folder.glob("decisions.jsonl*"), key=lambda one: one.stat().st_mtime_ns)
    return [json.loads(line)["number"] for file in files for line in file.read_text().splitlines()]


def test_entries_are_appended_in_their_order(settings, tmp_path):
    log = DecisionLog(settings())
    for number in range(100):
        log.write(entry(number))
    log.close()
    assert written(tmp_path) == list(range(100))
    assert (log.written, log.dropped, log.failing) == (100, 0, False)


def test_a_log_that_was_closed_goes_on(settings, tmp_path):
    log = DecisionLog(settings())
    for number in range(3):
        log.write(entry(number))
        log.close()
    assert written(tmp_path) == [0, 1, 2]


def test_a_file_that_is_full_is_turned_over_and_the_oldest_go(settings, tmp_path):
    log = DecisionLog(settings(max_bytes=1000, keep=2))
    for number in range(200):
        log.write({**entry(number), "pad": "x" * 100})
        log.close()
    files = list(tmp_path.glob("decisions.jsonl*"))
    assert len(files) == 3
    assert all(file.stat().st_size < 1300 for file in files)
    kept = written(tmp_path)
    assert kept == list(range(200 - len(kept), 200))


def test_a_file_that_is_old_is_turned_over(settings, tmp_path):
    log = DecisionLog(settings(max_age=60))
    log.write(entry(1, "2001-01-01T00:00:00Z"))
    log.close()
    log.write(entry(2))
    log.close()
    assert len(list(tmp_path.glob("decisions.jsonl.*"))) == 1
    assert written(tmp_path) == [1, 2]


def test_several_writers_share_a_file(settings, tmp_path):
    logs = [DecisionLog(settings(max_bytes=5000, keep=1000)) for _ in range(4)]

    def work(log, start):
        for number in range(start, start + 250):
            log.write({**entry(number), "pad": "x" * 50})
        log.close()

    threads = [threading.Thread(target=work, args=(log, n * 250)) for n, log in enumerate(logs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written(tmp_path)) == list(range(1000))


class Disk:
    """A disk that is full until it is emptied."""

    def __init__(self):
        self.full = True

    def __call__(self, path, mode):
        file = path.open(mode)
        return file if not self.full else _Refusing(file)


class _Refusing:
    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, _):
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_said_once_and_counted(settings, tmp_path, caplog):
    disk = Disk()
    log = DecisionLog(settings(), open_file=disk)
    for number in range(3):
        log.write(entry(number))
        log.close()
    assert (log.written, log.dropped, log.failing) == (0, 3, True)
    disk.full = False
    log.write(entry(3))
    log.close()
    assert (log.written, log.dropped, log.failing) == (1, 3, False)
    assert [(r.levelno, r.message) for r in caplog.records] == [
        (logging.WARNING, "decisions cannot be written: No space left on device"),
        (logging.WARNING, "decisions are written again; 3 were lost"),
    ]
    assert written(tmp_path) == [3]


def test_a_folder_that_is_gone_is_a_failure_like_any(settings, tmp_path):
    log = DecisionLog(settings(path=tmp_path / "gone" / "decisions.jsonl"))
    log.write(entry(1))
    log.close()
    assert (log.dropped, log.failing) == (1, True)


def test_a_slow_disk_keeps_nobody_waiting(settings):
    gate = threading.Event()

    def slow(path, mode):
        gate.wait()
        return path.open(mode)

    log = DecisionLog(settings(), open_file=slow, most_waiting=1000)
    for number in range(50):
        log.write(entry(number))
    size = len(json.dumps(entry(10), separators=(",", ":"))) + 1
    assert log.dropped == 50 - (1000 // size + 1)
    gate.set()
    log.close()
    assert log.written + log.dropped == 50
    # there is room again
    log.write(entry(50))
    log.close()
    assert log.written + log.dropped == 51


def test_what_waits_for_a_slow_disk_is_bounded_in_bytes_and_keeps_nothing_else(settings):
    """A body names as many tools as it likes."""
    gate = threading.Event()

    def slow(path, mode):
        gate.wait()
        return path.open(mode)

    log = DecisionLog(settings(max_bytes=1 << 30), open_file=slow, most_waiting=1 << 20)
    tracemalloc.start()
    for number in range(500):
        log.write({**entry(number), "tools": [f"tool-{number}-{tool}" for tool in range(5000)]})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gate.set()
    log.close()
    assert log.dropped > 480
    assert held < 2 << 20
