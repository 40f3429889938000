"""What a piece of load costs the gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bench import proc
from bench.cores import Cores
from bench.gateways import Gateway

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU time in seconds.

    Attributes:
        gateway: user and system time of the gateway and all its children.
        others: what its cores did for anybody else, interrupts included.
        load: how long the load's cores were busy.
    """

    gateway: float
    others: float
    load: float


def metered(gateway: Gateway, cores: Cores, work: Callable[[], T]) -> tuple[T, Spent]:
    """Do the work, and say what it cost."""
    before = _read(gateway, cores)
    result = work()
    after = _read(gateway, cores)
    own, core, load = (b - a for a, b in zip(before, after, strict=True))
    return result, Spent(own, max(core - own, 0.0), load)


def _read(gateway: Gateway, cores: Cores) -> tuple[float, float, float]:
    own = proc.cpu_seconds(gateway.pid)
    return own, proc.busy_seconds(cores.gateway), proc.busy_seconds(cores.load)
