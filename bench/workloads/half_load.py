"""Latency at half of the load that the gateway can bear.

wrk holds no rate, so the callers pause: each waits for its answer, then for a time chosen evenly
between none and twice the mean. With pauses much longer than an answer takes they call almost as
independent people do, and the rate that came of it is reported with the latencies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import calls
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import wrk
from bench.load.asking import Asking
from bench.load.wrk import Callers
from bench.peers import Peer, Setting
from bench.workloads.answers import ask, fares
from bench.workloads.workload import Field

_PAUSE: Final = 0.020
_FEWEST: Final = 16
_MOST: Final = 512
SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class HalfLoad:
    """First the most that 16 connections bring, then half of that."""

    name: str
    title: str

    def takes(self, peer: Peer) -> bool:  # noqa: ARG002 - all have a half
        """All."""
        return True

    def setting(self, field: Field) -> Setting:
        """The mock that answers at once."""
        return field.plain

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """Latencies, the rate that they were measured at, and its share of the highest."""
        sent = ask(gateway, calls.CHAT, field)
        most = bears(sent, cores)
        load = wrk.run(sent, paced(most * SHARE), field.seconds * 2, cores.load)
        wrk.check(load, calls.CHAT.status)
        return {**fares(load), "share": load.rps / most}


def bears(sent: Asking, cores: Cores) -> float:
    """The most calls a second that the gateway answers."""
    load = wrk.run(sent, Callers(16), 1, cores.load)
    wrk.check(load, calls.CHAT.status)
    return load.rps


def paced(rate: float) -> Callers:
    """Callers who call that often a second all together, if answers take no time."""
    many = min(max(round(rate * _PAUSE), _FEWEST), _MOST)
    return Callers(many, pause=max(round(many / rate * 1e3), 1))
