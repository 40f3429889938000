"""From the start of the gateway's process to its first right answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.cores import Cores
from bench.gateways import Gateway
from bench.peers import Peer, Setting
from bench.workloads.workload import Field


@dataclass(frozen=True, slots=True)
class Ready:
    """Every round starts its gateways anew; this reads off how long that took."""

    name: str
    title: str

    def takes(self, peer: Peer) -> bool:  # noqa: ARG002 - all have to start
        """All."""
        return True

    def setting(self, field: Field) -> Setting:
        """The mock that answers at once."""
        return field.plain

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:  # noqa: ARG002
        """Seconds."""
        return {"ready_s": gateway.ready}
