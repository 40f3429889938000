"""The decisions that a security officer can read: ``tests/cases/*.yaml``."""

from pathlib import Path

import pytest

from rolecall.cli.case_run import run
from rolecall.core import Reason

FOLDER = Path(__file__).parents[1] / "cases"
DONE = run([FOLDER])
VERDICTS = {f"{v.case.source.file}: {v.case.name}".rpartition("/")[2]: v for v in DONE.verdicts}


@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=VERDICTS)
def test_the_case_is_decided_as_expected(verdict):
    assert verdict.faults == ()


def test_there_are_enough_cases_and_each_says_what_and_why():
    assert len(VERDICTS) == len(DONE.verdicts) >= 150
    for name, verdict in VERDICTS.items():
        assert {"decision", "reason"} & verdict.case.expected.keys() or {
            "models",
            "roles",
        } & verdict.case.expected.keys(), name


def test_every_reason_that_policy_gives_has_a_case():
    assert {verdict.explanation.decision.reason for verdict in VERDICTS.values()} == {
        None,
        Reason.NO_ROLE,
        Reason.DENIED_BY_RULE,
        Reason.ENDPOINT_NOT_ALLOWED,
        Reason.MODEL_NOT_ALLOWED,
        Reason.CEILING_EXCEEDED,
        Reason.CONDITION_ERROR,
        Reason.INSUFFICIENT_USER_AUTHENTICATION,
    }


def test_the_cases_cover_what_their_files_set_up():
    for policy in DONE.policies:
        assert policy.coverage().percent >= 80 or len(policy.judged) == 1, policy.settings.file
