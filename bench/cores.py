"""Which core the gateway gets, and which ones the load and the upstream share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """Sets of CPU numbers, disjoint wherever there are enough."""

    gateway: frozenset[int]
    load: frozenset[int]

    @property
    def separate(self) -> bool:
        """Whether gateway and load disturb each other only through caches and memory."""
        return not self.gateway & self.load


def choose(siblings: Mapping[int, frozenset[int]], workers: int = 1) -> Cores:
    """A core for each of the gateway's workers, and for the load those that share no hardware.

    Where cores are short the load takes what the gateway leaves, or shares its last one.

    Args:
        siblings: for each CPU that may be used, the CPUs on the same physical core.
        workers: processes or threads of the gateway.
    """
    allowed = frozenset(siblings)
    taken: list[int] = []
    shadow: frozenset[int] = frozenset()
    for cpu in sorted(allowed, key=lambda cpu: (cpu != min(siblings[cpu] & allowed), cpu)):
        if len(taken) < workers:
            taken.append(cpu)
            shadow |= siblings[cpu]
    gateway = frozenset(taken)
    return Cores(gateway, (allowed - shadow) or (allowed - gateway) or frozenset(taken[-1:]))


def siblings_here() -> dict[int, frozenset[int]]:
    """The CPUs that this process may use, each with those on the same physical core."""
    return {cpu: _siblings(cpu) for cpu in os.sched_getaffinity(0)}


def _siblings(cpu: int) -> frozenset[int]:
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return parse_list(path.read_text(encoding="ascii"))
    except OSError:
        return frozenset({cpu})


def parse_list(text: str) -> frozenset[int]:
    """CPU numbers as Linux writes them: ``0-2,7``."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)
