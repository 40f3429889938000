"""Whole answers, one call after another on each connection."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench import gateways
from bench.calls import Call
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import asking, wrk
from bench.metering import Spent, metered
from bench.peers import Peer, Setting
from bench.workloads.workload import Field


@dataclass(frozen=True, slots=True)
class WholeAnswers:
    """The same call again and again with a token that the gateway has seen before.

    Attributes:
        guards_only: whether only gateways that check tokens can answer it as they should.
        but: gateways that cannot take part.
    """

    name: str
    title: str
    call: Call
    connections: int = 16
    rules: int = 1
    workers: int = 1
    guards_only: bool = False
    but: frozenset[str] = frozenset()

    def takes(self, peer: Peer) -> bool:
        """All but those named."""
        return peer.name not in self.but and (peer.guards or not self.guards_only)

    def setting(self, field: Field) -> Setting:
        """The mock that answers at once."""
        return Setting(
            upstream=field.upstreams.plain,
            keys=field.tokens.key_set,
            rules=self.rules,
            workers=self.workers,
        )

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """CPU time a request, requests a second, latencies."""
        gateways.check(gateway, self.call, field.token)
        sent = asking.write(
            gateway.folder / "load", gateway.port, gateway.peer.headers(field.token), self.call.body
        )
        callers = wrk.Callers(self.connections)
        load, spent = metered(
            gateway, cores, lambda: wrk.run(sent, callers, field.seconds, cores.load)
        )
        wrk.check(load, self.call.status)
        return figures(load, spent)


def figures(load: wrk.Load, spent: Spent) -> dict[str, float]:
    """What a closed load shows."""
    return {
        "cpu_us": spent.gateway / load.requests * 1e6,
        "rps": load.rps,
        "p50_ms": load.p50 / 1e3,
        "p99_ms": load.p99 / 1e3,
        "others_share": spent.others / load.seconds,
        "load_share": spent.load / load.seconds,
    }
