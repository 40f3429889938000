"""CPU time and memory of a process and all its children, read from /proc."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Stat:
    """What is needed of one ``/proc/PID/stat``.

    Attributes:
        ended: ticks of user and system time of children that have ended.
        pages: resident memory.
    """

    pid: int
    parent: int
    ended: int
    pages: int


def parse_stat(text: str) -> Stat:
    """Read the line of ``/proc/PID/stat`` (proc(5)); the command's name may hold anything."""
    pid, _, rest = text.partition(" ")
    fields = rest.rpartition(")")[2].split()
    # counted from field 3, the state: ppid is field 4, utime to cstime are 14 to 17, rss is 24
    return Stat(int(pid), int(fields[1]), sum(map(int, fields[13:15])), int(fields[21]))


def descendants(root: int, stats: Iterable[Stat]) -> list[Stat]:
    """The process ``root`` and everything that it has started, directly or not."""
    known = {stat.pid: stat for stat in stats}
    inside: dict[int, bool] = {root: True}

    def belongs(pid: int) -> bool:
        if pid not in inside:
            stat = known.get(pid)
            inside[pid] = stat is not None and belongs(stat.parent)
        return inside[pid]

    return [stat for pid, stat in known.items() if belongs(pid)]


def tree(root: int) -> list[Stat]:
    """The process ``root`` and its descendants, as they are now."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            found.append(parse_stat((entry / "stat").read_text(encoding="utf-8", errors="replace")))
        except OSError:  # it has just ended
            continue
    return descendants(root, found)


def cpu_seconds(root: int) -> float:
    """User and system time of the process tree, in seconds.

    From each process's own clock: /proc counts in ticks of 10 ms, and a gateway that is at work for
    a tenth of a second in one measurement would be measured to a tenth.
    """
    return sum(_clock(stat.pid) + stat.ended / _TICKS for stat in tree(root))


def _clock(pid: int) -> float:
    try:
        # clock_getcpuclockid(3), as Linux numbers the clocks of processes
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:  # it has just ended
        return 0.0


def resident_mib(root: int) -> float:
    """Resident memory of the process tree, in MiB; shared pages count for each process."""
    return sum(stat.pages for stat in tree(root)) * _PAGE / _MIB


def busy_seconds(cores: frozenset[int]) -> float:
    """How long these cores have been busy since boot, with whatever."""
    return parse_busy(Path("/proc/stat").read_text(encoding="ascii"), cores) / _TICKS


def parse_busy(text: str, cores: frozenset[int]) -> int:
    """Ticks in which the cores were not idle, from ``/proc/stat``; steal counts as busy."""
    total = 0
    for line in text.splitlines():
        name, *values = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, values[:8])
            total += user + nice + system + irq + softirq + steal
    return total
