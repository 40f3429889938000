"""Results of runs that never were."""

from bench.machine import Machine
from bench.results import Plan, Results, Sample, Step

MACHINE = Machine("Abacus 9000", 2, 23.5, "6.18", "3.11.7", "4.1.0", "0123456789ab")


def run(figures, *, failures=(), skipped=(), workloads=("chat-16", "denied", "stream")):
    """A run with these figures: (workload, peer) → by name a list with one value a round."""
    samples = tuple(
        Sample(
            Step(workload, peer, number),
            {name: float(values[number - 1]) for name, values in named.items()},
        )
        for (workload, peer), named in figures.items()
        for number in range(1, 1 + len(next(iter(named.values()))))
    )
    plan = Plan(workloads, ("nginx", "envoy", "rolecall"), rounds=3, seconds=2, requests=1000)
    versions = {"rolecall": "0.1.0", "envoy": "1.40.0"}
    return Results(
        "2026-11-25T01:00:00+00:00",
        MACHINE,
        plan,
        versions,
        dict(skipped),
        samples,
        tuple(failures),
    )
