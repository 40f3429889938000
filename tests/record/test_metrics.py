"""Figures become series in the format that the scraper asks for."""

from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from rolecall import __version__
from rolecall.record import Figures, IssuerFigures, KeySetFigures, LookUpFigures, PolicyFigures
from rolecall.record.metrics import SERIES, exposition

ONE, OTHER = "https://one.example", 'https://other.example/"quoted\\'
FIGURES = Figures(
    issuers=[
        IssuerFigures(
            ONE,
            accepted=7,
            remembered=900,
            refused={"expired": 3, "bad_signature": 1},
            ready=True,
            key_set=KeySetFigures(keys=2, age=61.5, fetches=5, failures=1, unknown=4),
        ),
        IssuerFigures(
            OTHER,
            ready=False,
            key_set=KeySetFigures(keys=0, age=None, fetches=9, failures=9, unknown=0),
            lookups=LookUpFigures(made=6, failed=2),
            group_lookups={"found": 21, "failed": 22},
        ),
        IssuerFigures("", refused={"malformed_token": 8}),
    ],
    verdicts=12,
    reloads={"applied": 1, "rejected": 2},
    revocations=11,
    revoked={"logout": 13},
    ended=14,
    policy=PolicyFigures(3, 2, (("allow", "no_role", 4),), 5, 6),
)
EXPECTED = {
    ("rolecall_revocations",): 11,
    ("rolecall_revoked_total", "cause", "logout"): 13,
    ("rolecall_answers_ended_total",): 14,
    ("rolecall_condition_errors_total",): 3,
    ("rolecall_step_ups_total",): 2,
    ("rolecall_shadow_decisions_total", "candidate", "no_role", "decided", "allow"): 4,
    ("rolecall_decisions_written_total",): 5,
    ("rolecall_decisions_dropped_total",): 6,
    ("rolecall_info", "version", __version__): 1,
    ("rolecall_verdicts_total", "issuer", ONE, "reason", "accepted"): 7,
    ("rolecall_verdicts_total", "issuer", ONE, "reason", "expired"): 3,
    ("rolecall_verdicts_total", "issuer", ONE, "reason", "bad_signature"): 1,
    ("rolecall_verdicts_total", "issuer", OTHER, "reason", "accepted"): 0,
    ("rolecall_verdicts_total", "issuer", "", "reason", "accepted"): 0,
    ("rolecall_verdicts_total", "issuer", "", "reason", "malformed_token"): 8,
    ("rolecall_verdicts_remembered_total", "issuer", ONE): 900,
    ("rolecall_verdicts_remembered_total", "issuer", OTHER): 0,
    ("rolecall_verdicts_remembered_total", "issuer", ""): 0,
    ("rolecall_verdict_cache_entries",): 12,
    ("rolecall_issuer_ready", "issuer", ONE): 1,
    ("rolecall_issuer_ready", "issuer", OTHER): 0,
    ("rolecall_key_set_keys", "issuer", ONE): 2,
    ("rolecall_key_set_keys", "issuer", OTHER): 0,
    ("rolecall_key_set_age_seconds", "issuer", ONE): 61.5,
    ("rolecall_key_set_fetches_total", "issuer", ONE): 5,
    ("rolecall_key_set_fetches_total", "issuer", OTHER): 9,
    ("rolecall_key_set_fetch_failures_total", "issuer", ONE): 1,
    ("rolecall_key_set_fetch_failures_total", "issuer", OTHER): 9,
    ("rolecall_unknown_keys_total", "issuer", ONE): 4,
    ("rolecall_unknown_keys_total", "issuer", OTHER): 0,
    ("rolecall_token_lookups_total", "issuer", OTHER): 6,
    ("rolecall_token_lookup_failures_total", "issuer", OTHER): 2,
    ("rolecall_group_lookups_total", "issuer", OTHER, "result", "found"): 21,
    ("rolecall_group_lookups_total", "issuer", OTHER, "result", "failed"): 22,
    ("rolecall_reloads_total", "outcome", "applied"): 1,
    ("rolecall_reloads_total", "outcome", "rejected"): 2,
}


def samples(families):
    return {
        (sample.name, *(part for label in sample.labels.items() for part in label)): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("accept", "parse", "kind"),
    [
        ("", parse_text, "text/plain"),
        ("text/plain;version=0.0.4", parse_text, "text/plain"),
        ("*/*", parse_text, "text/plain"),
        ("\x00;;=,", parse_text, "text/plain"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            parse_openmetrics,
            "application/openmetrics-text",
        ),
    ],
)
def test_every_figure_is_a_series_in_the_format_that_is_asked_for(accept, parse, kind):
    body, media_type = exposition({"": FIGURES}, accept)
    assert media_type.startswith(kind)
    assert samples(parse(body.decode())) == EXPECTED


def test_several_workers_are_told_apart_by_a_label():
    body, _ = exposition({"12": FIGURES, "13": FIGURES}, "")
    found = samples(parse_text(body.decode()))
    assert len(found) == 2 * len(EXPECTED)
    for worker in ("12", "13"):
        for (name, *labels), value in EXPECTED.items():
            # labels are written in the order of the alphabet
            assert found[name, *labels, "worker", worker] == value


def test_every_series_stands_in_the_documentation():
    documented = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    for series in SERIES:
        counter = series.kind.__name__.startswith("Counter")
        row = next(
            line
            for line in documented.splitlines()
            if line.startswith(f"| `{series.name}{'_total' if counter else ''}` |")
        )
        assert all(f"`{label}`" in row for label in series.labels)
        assert series.text in row
