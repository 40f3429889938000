"""Metrics in Prometheus' format: plain figures become series when they are asked for.

No label says anything about a person: there are issuers of the configuration, reasons, workers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from rolecall import __version__
from rolecall.record.figures import Figures, IssuerFigures, KeySetFigures, LookUpFigures

Samples = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Series:
    """One name of the exposition: its labels beside the worker, and how it is read."""

    kind: type[CounterMetricFamily | GaugeMetricFamily]
    name: str
    text: str
    labels: tuple[str, ...]
    read: Callable[[Figures], Samples]


def _verdicts(figures: Figures) -> Samples:
    for one in figures.issuers:
        yield (one.issuer, "accepted"), one.accepted
        for reason, number in one.refused.items():
            yield (one.issuer, reason), number


def _group_lookups(figures: Figures) -> Samples:
    for one in figures.issuers:
        for result, number in one.group_lookups.items():
            yield (one.issuer, result), number


def _of_key_sets(read: Callable[[KeySetFigures], float | None]) -> Callable[[Figures], Samples]:
    return _of_issuers(lambda one: None if one.key_set is None else read(one.key_set))


def _of_lookups(read: Callable[[LookUpFigures], float]) -> Callable[[Figures], Samples]:
    return _of_issuers(lambda one: None if one.lookups is None else read(one.lookups))


def _of_issuers(read: Callable[[IssuerFigures], float | None]) -> Callable[[Figures], Samples]:
    return lambda figures: (
        ((one.issuer,), value) for one in figures.issuers if (value := read(one)) is not None
    )


_ISSUER: Final = ("issuer",)
SERIES: Final = (
    Series(
        GaugeMetricFamily,
        "rolecall_info",
        "The gateway's version.",
        ("version",),
        lambda _: [((__version__,), 1)],
    ),
    Series(
        CounterMetricFamily,
        "rolecall_verdicts",
        "Credentials that were looked at, by issuer and reason: accepted, or a reason code.",
        ("issuer", "reason"),
        _verdicts,
    ),
    Series(
        CounterMetricFamily,
        "rolecall_verdicts_remembered",
        "Credentials that needed no new look, by issuer.",
        _ISSUER,
        _of_issuers(lambda one: one.remembered),
    ),
    Series(
        GaugeMetricFamily,
        "rolecall_verdict_cache_entries",
        "Credentials that are remembered now.",
        (),
        lambda figures: [((), figures.verdicts)],
    ),
    Series(
        GaugeMetricFamily,
        "rolecall_issuer_ready",
        "1 while an issuer's tokens can be verified, else 0.",
        _ISSUER,
        _of_issuers(lambda one: one.ready),
    ),
    Series(
        GaugeMetricFamily,
        "rolecall_key_set_keys",
        "Usable keys of an issuer.",
        _ISSUER,
        _of_key_sets(lambda keys: keys.keys),
    ),
    Series(
        GaugeMetricFamily,
        "rolecall_key_set_age_seconds",
        "Seconds since an issuer's keys were fetched; absent while there are none.",
        _ISSUER,
        _of_key_sets(lambda keys: keys.age),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_key_set_fetches",
        "Fetches of an issuer's keys, failed ones included.",
        _ISSUER,
        _of_key_sets(lambda keys: keys.fetches),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_key_set_fetch_failures",
        "Fetches of an issuer's keys that failed.",
        _ISSUER,
        _of_key_sets(lambda keys: keys.failures),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_unknown_keys",
        "Tokens that named a key which was not in their issuer's set.",
        _ISSUER,
        _of_key_sets(lambda keys: keys.unknown),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_token_lookups",
        "Opaque tokens that an issuer was asked about, in vain or not.",
        _ISSUER,
        _of_lookups(lambda lookups: lookups.made),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_token_lookup_failures",
        "Opaque tokens that an issuer could not be asked about.",
        _ISSUER,
        _of_lookups(lambda lookups: lookups.failed),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_group_lookups",
        "Accounts whose groups a directory was asked for, by result: found, refused, or failed.",
        ("issuer", "result"),
        _group_lookups,
    ),
    Series(
        GaugeMetricFamily,
        "rolecall_revocations",
        "Revocations that are kept in the file; absent where there is none.",
        (),
        lambda figures: [] if figures.revocations is None else [((), figures.revocations)],
    ),
    Series(
        CounterMetricFamily,
        "rolecall_revoked",
        "Revocations that came in, by cause: administrator, logout, or security_event.",
        ("cause",),
        lambda figures: (((cause,), number) for cause, number in figures.revoked.items()),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_answers_ended",
        "Answers under way that were ended because their caller was revoked.",
        (),
        lambda figures: [((), figures.ended)],
    ),
    Series(
        CounterMetricFamily,
        "rolecall_reloads",
        "Reloads of the configuration, by outcome: applied, or rejected.",
        ("outcome",),
        lambda figures: (((outcome,), number) for outcome, number in figures.reloads.items()),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_condition_errors",
        "Calls that were denied because a condition could not be evaluated.",
        (),
        lambda figures: [((), figures.policy.condition_errors)],
    ),
    Series(
        CounterMetricFamily,
        "rolecall_step_ups",
        "Calls that were refused until their caller signs in again as a rule demands.",
        (),
        lambda figures: [((), figures.policy.step_ups)],
    ),
    Series(
        CounterMetricFamily,
        "rolecall_shadow_decisions",
        "Calls by what was decided and what the candidate policy would have decided.",
        ("decided", "candidate"),
        lambda figures: (((was, would), n) for was, would, n in figures.policy.shadow),
    ),
    Series(
        CounterMetricFamily,
        "rolecall_decisions_written",
        "Decisions that were written down.",
        (),
        lambda figures: [((), figures.policy.written)],
    ),
    Series(
        CounterMetricFamily,
        "rolecall_decisions_dropped",
        "Decisions that could not be written down.",
        (),
        lambda figures: [((), figures.policy.dropped)],
    ),
)
"""Everything that is exposed, in this order; Prometheus adds ``_total`` to counters."""


def exposition(figures: Mapping[str, Figures], accept: str) -> tuple[bytes, str]:
    """Write figures for a scraper.

    Args:
        figures: by the worker that they are of; its name is empty where there is but one.
        accept: the scraper's ``Accept``: Prometheus' text format or OpenMetrics.

    Returns:
        The text, and its media type.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Collector(Collector):
    def __init__(self, figures: Mapping[str, Figures]) -> None:
        self._figures = figures
        self._shared = ("worker",) if any(figures) else ()

    def collect(self) -> Iterator[Metric]:
        for series in SERIES:
            family = series.kind(series.name, series.text, labels=(*self._shared, *series.labels))
            for worker, figures in self._figures.items():
                shared = (worker,) if self._shared else ()
                for labels, value in series.read(figures):
                    family.add_metric((*shared, *labels), value)
            yield family
