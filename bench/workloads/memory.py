"""Resident memory at rest, and after many requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import calls, proc
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import wrk
from bench.load.wrk import Callers
from bench.peers import Peer, Setting
from bench.workloads.answers import ask
from bench.workloads.workload import Field

_CONNECTIONS: Final = 64
_SLICE: Final = 5
_PATIENCE: Final = 20
"""Seconds for gateways other than Rolecall: some would take hours for a million requests."""


@dataclass(frozen=True, slots=True)
class Memory:
    """At first every call brings a new token, until all that can be remembered is."""

    name: str
    title: str

    def takes(self, peer: Peer) -> bool:  # noqa: ARG002 - all need memory
        """All."""
        return True

    def setting(self, field: Field) -> Setting:
        """The mock that answers at once."""
        return field.plain

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """MiB at the first answer, after the load, and what came in the load's second half."""
        sent = ask(gateway, calls.CHAT, field)
        patience = 600 if gateway.peer.name == "rolecall" else _PATIENCE
        tokens = field.tokens.file("RS256") if gateway.peer.guards else None
        callers = Callers(_CONNECTIONS, tokens=tokens)
        seen: list[tuple[int, float]] = []
        requests = 0
        while requests < field.requests and len(seen) * _SLICE < patience:
            load = wrk.run(sent, callers, _SLICE, cores.load)
            wrk.check(load, calls.CHAT.status)
            callers = Callers(_CONNECTIONS)
            requests += load.requests
            seen.append((requests, proc.resident_mib(gateway.pid)))
        return {
            "rest_mib": gateway.rest,
            "after_mib": seen[-1][1],
            "growth_mib": growth(seen),
            "requests": requests,
        }


def growth(seen: list[tuple[int, float]]) -> float:
    """What came from the half of the requests to their end.

    Args:
        seen: number of requests so far and memory, in the order of time.
    """
    total, last = seen[-1]
    half = next(memory for requests, memory in seen if requests * 2 >= total)
    return last - half
