"""Streams of 100 events, read side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import calls, gateways
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import asking, streaming
from bench.metering import metered
from bench.peers import Peer, Setting
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
        return Setting(upstream=field.upstreams.events, keys=field.tokens.key_set)

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """CPU time a stream, and the time to its first event."""
        gateways.check(gateway, calls.STREAM, field.token)
        headers = gateway.peer.headers(field.token)
        sent = asking.write(gateway.folder / "load", gateway.port, headers, calls.STREAM.body)
        streaming.run(sent, _WARM, 1, cores.load)
        streamed, spent = metered(
            gateway, cores, lambda: streaming.run(sent, _CONNECTIONS, field.seconds, cores.load)
        )
        return {
            "cpu_us": spent.gateway / streamed.right * 1e6,
            "p50_ms": streamed.p50 / 1e3,
            "p99_ms": streamed.p99 / 1e3,
        }
