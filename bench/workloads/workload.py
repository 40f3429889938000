"""What a workload is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bench.cores import Cores
from bench.gateways import Gateway
from bench.peers import Peer, Setting
from bench.tokens import Tokens
from bench.upstream import KeyServer, Upstreams


@dataclass(frozen=True, slots=True)
class Field:
    """What a measurement has at hand.

    Attributes:
        token: one that every gateway knows after its first call.
        seconds: how long the load lasts.
        requests: how many requests the memory is watched over.
    """

    tokens: Tokens
    token: str
    upstreams: Upstreams
    keys: KeyServer
    seconds: int
    requests: int

    @property
    def plain(self) -> Setting:
        """One rule, one worker, the keys given, and the mock that answers at once."""
        return Setting(upstream=self.upstreams.plain, keys=self.tokens.key_set)


class Workload(Protocol):
    """One thing to measure. Figures are named with their unit: ``cpu_us``, ``p99_ms``, ``rps``."""

    @property
    def name(self) -> str:
        """As it is called on the command line and in the results."""

    @property
    def title(self) -> str:
        """For a reader."""

    def takes(self, peer: Peer) -> bool:
        """Whether this gateway can be measured with it."""

    def setting(self, field: Field) -> Setting:
        """How the gateway must be set up."""

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """Measure once.

        Raises:
            WrongAnswer: the gateway does not do what is to be measured.
            WrongAnswers: the same, under load.
            ProgramFailed: a program of the benchmark does not run.
        """


@dataclass(frozen=True, slots=True)
class Group:
    """Workloads that are measured side by side, in the same rounds and on the same processes.

    Attributes:
        most: rounds at most.
    """

    workloads: tuple[Workload, ...]
    most: int = 100

    def rounds(self, asked: int) -> int:
        """How many rounds it gets when so many are asked for."""
        return min(asked, self.most)
