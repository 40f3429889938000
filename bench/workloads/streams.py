"""Streams of 100 events, read side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bench import calls
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import streaming
from bench.metering import metered
from bench.peers import Peer, Setting
from bench.workloads.answers import ask, costs
from bench.workloads.workload import Field

_CONNECTIONS: Final = 64
_WARM: Final = 8


@dataclass(frozen=True, slots=True)
class Streams:
    """64 callers read one stream after another; every stream is compared with what was sent."""

    name: str
    title: str

    def takes(self, peer: Peer) -> bool:  # noqa: ARG002
        """All can stream."""
        return True

    def setting(self, field: Field) -> Setting:
        """The mock that streams."""
        return replace(field.plain, upstream=field.upstreams.events)

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """CPU time a stream, and the time to its first event."""
        sent = ask(gateway, calls.STREAM, field)
        streaming.run(sent, _WARM, 1, cores.load)
        streamed, spent = metered(
            gateway, cores, lambda: streaming.run(sent, _CONNECTIONS, field.seconds, cores.load)
        )
        return {
            **costs(spent, streamed.right, streamed.seconds),
            "rps": streamed.right / streamed.seconds,
            "first_p50_ms": streamed.p50 / 1e3,
            "first_p99_ms": streamed.p99 / 1e3,
        }
