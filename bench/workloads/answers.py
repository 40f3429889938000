"""Whole answers, one call after another on each connection."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bench import gateways
from bench.calls import Call
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import asking, wrk
from bench.load.asking import Asking
from bench.load.wrk import Callers, Load
from bench.metering import Spent, metered
from bench.peers import Peer, Setting
from bench.workloads.workload import Field


@dataclass(frozen=True, slots=True)
class WholeAnswers:
    """The same call again and again with a token that the gateway has seen before.

    Attributes:
        peers: names of the gateways that take part; all, if there are none.
    """

    name: str
    title: str
    call: Call
    connections: int = 16
    rules: int = 1
    workers: int = 1
    peers: frozenset[str] = frozenset()

    def takes(self, peer: Peer) -> bool:
        """Those named; a call that must be refused is for gateways that refuse."""
        named = not self.peers or peer.name in self.peers
        return named and (peer.guards or self.call.status == 200)

    def setting(self, field: Field) -> Setting:
        """The mock that answers at once."""
        return replace(field.plain, rules=self.rules, workers=self.workers)

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """CPU time a request, requests a second, latencies."""
        sent = ask(gateway, self.call, field)
        callers = Callers(self.connections)
        load, spent = metered(
            gateway, cores, lambda: wrk.run(sent, callers, field.seconds, cores.load)
        )
        return closed(load, spent, self.call)


def ask(gateway: Gateway, call: Call, field: Field) -> Asking:
    """See that the gateway answers this call as it should, and put it down for the callers.

    Raises:
        WrongAnswer: it does not.
    """
    gateways.check(gateway, call, field.token)
    headers = gateway.peer.headers(field.token)
    return asking.write(gateway.folder / "load", gateway.port, headers, call.body)


def closed(load: Load, spent: Spent, call: Call) -> dict[str, float]:
    """What callers who never pause cost, and how they fare.

    Raises:
        WrongAnswers: some answers are not as they should be.
    """
    wrk.check(load, call.status)
    return {**costs(spent, load.requests, load.seconds), **fares(load)}


def costs(spent: Spent, answers: int, seconds: float) -> dict[str, float]:
    """CPU time an answer, and how busy the cores were beside that."""
    return {
        "cpu_us": spent.gateway / answers * 1e6,
        "others_share": spent.others / seconds,
        "load_share": spent.load / seconds,
    }


def fares(load: Load) -> dict[str, float]:
    """What callers see."""
    return {"rps": load.rps, "p50_ms": load.p50 / 1e3, "p99_ms": load.p99 / 1e3}
