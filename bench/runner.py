"""The run: rounds of workloads, and within each workload one gateway after another.

What drifts on the machine (its clock, its neighbours) so hits all gateways alike, and the figures
of one round can be compared with each other.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench import calls, gateways
from bench.cores import Cores
from bench.gateways import Gateway, WrongAnswer
from bench.load import asking, wrk
from bench.load.wrk import WrongAnswers
from bench.peers import Peer, Setting
from bench.places import RUN
from bench.programs import ProgramFailed
from bench.results import Failure, Sample, Step
from bench.workloads import Field, Group, Workload

_FAULTS: Final = (WrongAnswer, WrongAnswers, ProgramFailed, OSError)
"""What may go wrong with one gateway without an end to the run."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run needs.

    Attributes:
        cores: those for gateways with that many workers, and for their load.
    """

    peers: Sequence[Peer]
    field: Field
    cores: Callable[[int], Cores]


def steps(
    groups: Sequence[Group], names: Collection[str], peers: Sequence[Peer], rounds: int
) -> list[Step]:
    """Everything that will be measured, in its order."""
    return [
        Step(workload.name, peer.name, number)
        for group in groups
        for number in range(1, group.rounds(rounds) + 1)
        for workload, peer in _round(group, names, peers, number)
    ]


def run(
    bench: Bench, groups: Sequence[Group], wanted: Sequence[Step]
) -> Iterator[Step | Sample | Failure]:
    """Measure; yields each step when it begins, and what came of it."""
    names = {step.workload for step in wanted}
    for group in groups:
        for number in range(1, max((step.round for step in wanted), default=0) + 1):
            pairs = [
                (workload, peer)
                for workload, peer in _round(group, names, bench.peers, number)
                if Step(workload.name, peer.name, number) in wanted
            ]
            with ExitStack() as stack:
                running = Running(bench, stack)
                for workload, peer in pairs:
                    step = Step(workload.name, peer.name, number)
                    yield step
                    yield _measure(bench, running, workload, peer, step)


def _round(
    group: Group, names: Collection[str], peers: Sequence[Peer], number: int
) -> list[tuple[Workload, Peer]]:
    # another gateway goes first in each round
    first = (number - 1) % len(peers) if peers else 0
    turned = [*peers[first:], *peers[:first]]
    return [
        (workload, peer)
        for workload in group.workloads
        if workload.name in names
        for peer in turned
        if workload.takes(peer)
    ]


def _measure(
    bench: Bench, running: "Running", workload: Workload, peer: Peer, step: Step
) -> Sample | Failure:
    setting = workload.setting(bench.field)
    try:
        gateway = running.gateway(peer, setting)
        return Sample(step, workload.measure(gateway, bench.cores(setting.workers), bench.field))
    except _FAULTS as fault:
        return Failure(step, str(fault))


class Running:
    """The gateways of one round, started when they are first needed."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        self._bench = bench
        self._stack = stack
        self._gateways: dict[tuple[str, Setting], Gateway] = {}
        self._faults: dict[tuple[str, Setting], str] = {}

    def gateway(self, peer: Peer, setting: Setting) -> Gateway:
        """This one, warm.

        Raises:
            ProgramFailed: it does not start, or did not when it was tried before.
        """
        key = (peer.name, setting)
        if key in self._faults:
            raise ProgramFailed(self._faults[key])
        if key not in self._gateways:
            try:
                self._gateways[key] = self._start(peer, setting)
            except _FAULTS as fault:
                self._faults[key] = str(fault)
                raise
        return self._gateways[key]

    def _start(self, peer: Peer, setting: Setting) -> Gateway:
        cores = self._bench.cores(setting.workers)
        token = self._bench.field.token
        folder = RUN / f"{peer.name}-{len(self._gateways)}"
        gateway = self._stack.enter_context(gateways.started(peer, setting, folder, cores, token))
        sent = asking.write(folder / "load", gateway.port, peer.headers(token), calls.CHAT.body)
        wrk.run(sent, wrk.Callers(16), peer.warm, cores.load)
        return gateway
