"""CPU time and memory out of /proc's own lines."""

import os
import time

import pytest

from bench.proc import Stat, cpu_seconds, descendants, parse_busy, parse_stat

LINE = (
    "{pid} ({name}) S {parent} 701 701 0 -1 4194560 2150 12 0 0 {ticks} 20 0 5 0 88412"
    " 57126912 {pages} 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n"
)

CPUS = """\
cpu  400 0 200 9000 30 5 15 0 0 0
cpu0 100 10 50 4000 20 5 7 3 9 9
cpu1 300 0 150 5000 10 0 8 0 0 0
cpu10 7 0 0 1 1 0 0 0 0 0
intr 12345 0 0
"""


@pytest.mark.parametrize("name", ["envoy", "node (v20) x", ") S 1 2", "a b"])
def test_a_process_may_be_called_anything(name):
    line = LINE.format(pid=702, name=name, parent=701, ticks="311 92 4 1", pages=1234)
    assert parse_stat(line) == Stat(pid=702, parent=701, ended=5, pages=1234)


def test_a_tree_is_a_process_and_all_that_it_started():
    family = {10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    stats = [Stat(pid, parent, 1, 1) for pid, parent in family.items()]
    assert {stat.pid for stat in descendants(10, stats)} == {10, 11, 12}


def test_what_a_process_is_at_work_is_measured_finer_than_in_ticks():
    outer, before, began = time.process_time(), cpu_seconds(os.getpid()), time.process_time()
    while (worked := time.process_time() - began) < 0.003:
        pass
    measured = cpu_seconds(os.getpid()) - before
    # the collector of garbage may work meanwhile, and is measured too
    assert worked - 1e-6 <= measured <= time.process_time() - outer + 1e-6


def test_a_process_that_is_gone_has_no_tree():
    assert descendants(9, [Stat(10, 1, 1, 1)]) == []


@pytest.mark.parametrize(
    ("cores", "busy"), [({0}, 175), ({1}, 458), ({0, 1}, 633), ({10}, 7), ({2}, 0)]
)
def test_a_core_is_busy_when_it_is_not_idle(cores, busy):
    assert parse_busy(CPUS, frozenset(cores)) == busy
