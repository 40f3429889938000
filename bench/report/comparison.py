"""The lines at the end of a quick run: what one gateway costs against another."""

from collections.abc import Sequence

from bench import paired
from bench.paired import Spread
from bench.report.tables import number, title_of
from bench.results import Results


def lines(results: Results, peers: Sequence[str]) -> list[str]:
    """A line a workload; the first stands for all, and is there whatever happened."""
    return [
        f"{'/'.join(peers)} cpu ratio{f' ({workload})' if n else ''}:"
        f" {_ratio(results, workload, peers)}"
        for n, workload in enumerate(results.plan.workloads)
    ]


def _ratio(results: Results, workload: str, peers: Sequence[str]) -> str:
    left, right = (results.rounds(workload, peer, "cpu_us") for peer in peers)
    found = paired.ratios(left, right)
    if found:
        of = Spread.of(found)
        span = (
            f"{number(of.low)} to {number(of.high)} in {len(found)} rounds"
            if len(found) > 1
            else "1 round"
        )
        return f"{number(of.median)} ({title_of(workload)}; {span})"
    reasons = [results.skipped[peer] for peer in peers if peer in results.skipped]
    reasons += [failure.reason for failure in results.failures if failure.step.workload == workload]
    return f"not measured: {reasons[0] if reasons else 'it was not asked for'}"
