"""Case files are run: configurations are loaded once, and every case is judged."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rolecall.config import ConfigurationError, IssuerSettings, Problem, Settings, load
from rolecall.config.case_file import Case, CaseFile, load_cases
from rolecall.config.document import Document, parse, read
from rolecall.config.loading import load_document
from rolecall.core import Call, Caller, Circumstances, Refusal
from rolecall.identity import caller_from
from rolecall.policy import Table, assign_roles, compile_policy
from rolecall.policy.coverage import Coverage, coverage
from rolecall.policy.question import Question
from rolecall.policy.vendor_callers import VENDOR_CALLERS
from rolecall.policy.verdict import Verdict, judge
from rolecall.upstream import Catalogue
from rolecall.wire import read_parameters, strict_json

_SUFFIXES: Final = {".yaml", ".yml"}
_BUILT_IN: Final = frozenset(VENDOR_CALLERS)


class Unrunnable(Exception):
    """The cases cannot be run; ``problems`` say why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("the cases cannot be run")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Policy:
    """One configuration that cases are about, and the cases that were judged by it."""

    settings: Settings
    table: Table
    doors: Mapping[str, tuple[str, ...]]
    judged: list[tuple[Verdict, Question]] = field(default_factory=list)

    def coverage(self) -> Coverage:
        """What the cases show of it."""
        return coverage(self.table, self.judged)


@dataclass(frozen=True, slots=True)
class Run:
    """Every case file with its verdicts, and every configuration that was asked."""

    files: list[tuple[CaseFile, list[Verdict]]]
    policies: list[Policy]

    @property
    def verdicts(self) -> list[Verdict]:
        """All verdicts, in order."""
        return [verdict for _, verdicts in self.files for verdict in verdicts]


def run(paths: Iterable[Path]) -> Run:
    """Run every case of the files, and of the case files within the folders.

    Raises:
        Unrunnable: something cannot be read, or nothing is tested.
    """
    policies: dict[str, Policy] = {}
    files = []
    now = time.time()
    try:
        for path in _case_files(paths):
            cases = load_cases(path, _BUILT_IN)
            verdicts = [
                _judge(case, cases, _policy(case, path, policies), now) for case in cases.cases
            ]
            files.append((cases, verdicts))
    except ConfigurationError as error:
        raise Unrunnable(error.problems) from None
    return Run(files, list(policies.values()))


def _case_files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [file for file in sorted(path.rglob("*")) if file.suffix in _SUFFIXES]
        cases = [file for file in inside if "cases" in read(file).data]
        if not cases:
            sentence = "holds no case file (YAML with cases:), and so tests nothing."
            raise Unrunnable([Problem("error", str(path), 0, 0, "", sentence)])
        found.extend(cases)
    return list(dict.fromkeys(found))


def _policy(case: Case, path: Path, policies: dict[str, Policy]) -> Policy:
    inline = "\n" in case.config
    key = case.config if inline else os.path.normpath(path.parent / case.config)
    if key not in policies:
        settings = _inline(case, path) if inline else _named(Path(key))
        policies[key] = Policy(
            settings,
            compile_policy(settings.roles, settings.rules),
            Catalogue(settings.models).doors,
        )
    return policies[key]


def _named(path: Path) -> Settings:
    return load(path, os.environ, offline=True).settings


def _inline(case: Case, path: Path) -> Settings:
    document = parse(case.config, Document(f"{path}#config"))
    return load_document(document, os.environ, offline=True).settings


def _judge(case: Case, cases: CaseFile, policy: Policy, now: float) -> Verdict:
    caller = _caller(case, cases, policy)
    around = Circumstances(now if case.time is None else case.time, case.source_ip, case.headers)
    verdict = judge(case, policy.table, caller, _call(case), around, policy.doors)
    policy.judged.append((verdict, Question(caller, around)))
    return verdict


def _caller(case: Case, cases: CaseFile, policy: Policy) -> Caller:
    profile = None
    claims: dict[str, Any] = {}
    if case.caller in cases.fixtures:
        claims = dict(cases.fixtures[case.caller])
    elif case.caller is not None:
        profile, built_in = VENDOR_CALLERS[case.caller]
        claims = dict(built_in)
    claims |= case.claims
    issuer = _issuer(claims.get("iss"), profile, policy.settings)
    if issuer is None:
        raise _unusable(case, f"its iss ({claims.get('iss')!r}) is not a configured issuer.")
    try:
        return assign_roles(policy.table, caller_from(issuer, {"iss": issuer.issuer, **claims}))
    except Refusal as refusal:
        raise _unusable(case, refusal.message) from None


def _issuer(name: Any, profile: str | None, settings: Settings) -> IssuerSettings | None:
    if name is not None:
        return next((one for one in settings.issuers if one.issuer == name), None)
    of_its_kind = (one for one in settings.issuers if one.profile == profile)
    return next(of_its_kind, next(iter(settings.issuers), None))


def _call(case: Case) -> Call:
    stream = case.body.get("stream") is True
    size = len(strict_json.dumps({"model": case.model, **case.body}))
    try:
        parameters = read_parameters(case.body, size)
    except Refusal as refusal:
        raise _unusable(case, refusal.message) from None
    return Call(case.endpoint, case.model, stream, parameters)


def _unusable(case: Case, sentence: str) -> Unrunnable:
    return Unrunnable(
        [Problem("error", case.source.file, case.source.line, 1, f"case {case.name!r}", sentence)]
    )
