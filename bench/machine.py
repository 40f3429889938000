"""What the figures were measured on."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from bench import programs
from bench.places import ROOT


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, and what of the project ran on it.

    Attributes:
        commit: of this checkout; with ``+`` where files differ from it.
    """

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    wrk: str
    commit: str


def this() -> Machine:
    """This machine.

    Raises:
        Missing: wrk is not installed.
    """
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=parse_processor(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(pages / (1 << 30), 1),
        kernel=platform.release(),
        python=platform.python_version(),
        wrk=_wrk(),
        commit=_commit(),
    )


def parse_processor(cpuinfo: str) -> str:
    """The processor's name in ``/proc/cpuinfo``; other architectures than x86 give none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _wrk() -> str:
    # it prints its version, and then exits with 1 because it was given no address
    said = programs.run([programs.find("wrk", "wrk"), "-v"], codes=frozenset({0, 1}))
    return said.partition("[")[0].removeprefix("wrk").strip()


def _commit() -> str:
    try:
        git = [programs.find("git", "git"), "-C", str(ROOT)]
        commit = programs.run([*git, "rev-parse", "--short=12", "HEAD"]).strip()
        changed = programs.run([*git, "status", "--porcelain"]).strip()
    except (programs.Missing, programs.ProgramFailed):
        return "unknown"
    return f"{commit}+" if changed else commit
