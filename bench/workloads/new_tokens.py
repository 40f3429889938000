"""Whole answers to calls that each bring a token which the gateway does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import calls
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import wrk
from bench.load.wrk import Callers
from bench.metering import metered
from bench.peers import Peer, Setting
from bench.tokens import Algorithm
from bench.workloads.answers import ask, closed
from bench.workloads.workload import Field

_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Every signature is verified: tokens come round again only when they are forgotten."""

    name: str
    title: str
    algorithm: Algorithm

    def takes(self, peer: Peer) -> bool:
        """Those that check tokens."""
        return peer.guards

    def setting(self, field: Field) -> Setting:
        """The mock that answers at once."""
        return field.plain

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """CPU time a request, requests a second, latencies."""
        sent = ask(gateway, calls.CHAT, field)
        file = field.tokens.file(self.algorithm)
        # what is remembered is full when the measurement begins
        before = wrk.run(sent, Callers(_CONNECTIONS, tokens=file), 1, cores.load)
        wrk.check(before, calls.CHAT.status)
        # calls on their way at its end are not counted, but have used their token
        callers = Callers(_CONNECTIONS, tokens=file, first=before.requests + _CONNECTIONS)
        load, spent = metered(
            gateway, cores, lambda: wrk.run(sent, callers, field.seconds, cores.load)
        )
        return closed(load, spent, calls.CHAT)
