"""Case files: decisions as a security officer expects them, in YAML."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rolecall.config.case_schema import CaseFileSection, CaseSection
from rolecall.config.document import Document, KeyPath, read
from rolecall.config.validation import validated
from rolecall.core import MODEL_ENDPOINTS, Reason, Source


@dataclass(frozen=True, slots=True)
class Case:
    """One decision that is expected.

    Attributes:
        config: the configuration's file, or its text if it has line breaks.
        caller: the fixture that it starts from.
        claims: the payload, over those of the fixture.
        body: the body but for its model.
        time: seconds since the epoch; None for the time of the test.
        expected: what is compared, by its name in the file.
    """

    name: str
    config: str
    caller: str | None
    claims: dict[str, Any]
    endpoint: str
    model: str
    body: dict[str, Any]
    time: float | None
    source_ip: str | None
    headers: dict[str, str]
    expected: dict[str, Any]
    source: Source


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one file, and the callers that they share."""

    path: Path
    fixtures: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()


def load_cases(path: Path, built_in: frozenset[str]) -> CaseFile:
    """Read a case file.

    Args:
        path: the YAML file.
        built_in: the names of callers that need no fixture.

    Raises:
        ConfigurationError: it is none, names what is not there, or tests nothing.
    """
    document = read(path)
    section = validated(document, CaseFileSection)
    if not section.cases:
        document.report(("cases",), "is empty: this file tests nothing.")
    callers = built_in | section.fixtures.keys()
    first: dict[str, int] = {}
    cases = []
    for index, case in enumerate(section.cases):
        at: KeyPath = ("cases", index)
        if case.name in first:
            document.report((*at, "name"), f"is the name of cases[{first[case.name]}] too.")
        first.setdefault(case.name, index)
        _check(case, at, callers, document)
        cases.append(_case(case, section, at, document))
    document.stop_on_errors()
    return CaseFile(path, section.fixtures, tuple(cases))


def _check(case: CaseSection, at: KeyPath, callers: frozenset[str], document: Document) -> None:
    expect = case.expect
    if not expect.model_fields_set:
        document.report((*at, "expect"), "is empty: this case tests nothing.")
    if case.caller is not None and case.caller not in callers:
        known = ", ".join(sorted(callers))
        document.report((*at, "caller"), f"{case.caller!r} is no caller; there are: {known}.")
    if case.caller is None and not case.claims:
        document.report(at, "needs a caller, or claims.")
    if case.call.endpoint not in MODEL_ENDPOINTS:
        document.report(
            (*at, "call", "endpoint"), f"is no endpoint; choose among {', '.join(MODEL_ENDPOINTS)}."
        )
    if expect.reason is not None and expect.reason not in set(Reason):
        document.report((*at, "expect", "reason"), "is no reason code; see docs/reasons.md.")
    if expect.decision == "allow" and expect.reason is not None:
        document.report((*at, "expect", "reason"), "cannot be expected of a call that is allowed.")


def _case(case: CaseSection, section: CaseFileSection, at: KeyPath, document: Document) -> Case:
    config = case.config or section.config
    if config is None:
        document.report(at, "needs a config, here or for the whole file.")
    expect = case.expect
    return Case(
        name=case.name,
        config=config or "",
        caller=case.caller,
        claims=case.claims,
        endpoint=case.call.endpoint,
        model=case.call.model,
        body=case.call.body,
        time=case.time if case.time is not None else section.time,
        source_ip=case.source_ip,
        headers={name.lower(): value for name, value in case.headers.items()},
        expected={name: getattr(expect, name) for name in sorted(expect.model_fields_set)},
        source=document.source(at),
    )
