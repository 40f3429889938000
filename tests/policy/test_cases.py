"""The decisions that a security officer can read: ``tests/cases/*.yaml``."""

from pathlib import Path

import pytest
import yaml

from rolecall.config import load
from rolecall.core import Call, Reason
from rolecall.identity import caller_from
from rolecall.policy import assign_roles, compile_policy, decide, explain

FOLDER = Path(__file__).parents[1] / "cases"
FILES = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}
CASES = {
    f"{stem}: {case['name']}": {"config": content.get("config"), **case}
    for stem, content in FILES.items()
    for case in content["cases"]
}


@pytest.fixture(scope="module")
def settings_of(tmp_path_factory):
    """Load a configuration that is named, or one that is written out."""
    folder = tmp_path_factory.mktemp("configurations")
    loaded = {}

    def settings_of(config):
        if config not in loaded:
            file = FOLDER / config
            if "\n" in config:
                file = folder / f"{len(loaded)}.yaml"
                file.write_text(config)
            loaded[config] = load(file, {}, offline=True).settings
        return loaded[config]

    return settings_of


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_case_is_decided_as_expected(settings_of, case):
    settings, claims = settings_of(case["config"]), case["claims"]
    issuer = next(i for i in settings.issuers if claims.get("iss", i.issuer) == i.issuer)
    table = compile_policy(settings.roles, settings.rules)
    caller = assign_roles(table, caller_from(issuer, claims))
    call = Call(**case["call"])

    decision = decide(table, caller, call)

    assert {
        "decision": "allow" if decision.allowed else "deny",
        "reason": decision.reason,
        "rule_line": decision.rule and decision.rule.source.line,
    } == case["expect"]
    assert explain(table, caller, call).decision == decision


def test_a_case_has_these_keys_and_no_others():
    for name, case in CASES.items():
        assert set(case) == {"name", "config", "claims", "call", "expect"}, name
        assert set(case["call"]) == {"endpoint", "model"}, name
        assert set(case["expect"]) == {"decision", "reason", "rule_line"}, name


def test_cases_have_names_of_their_own():
    assert len(CASES) == sum(len(content["cases"]) for content in FILES.values())


def test_every_reason_that_policy_gives_today_has_a_case():
    assert {case["expect"]["reason"] for case in CASES.values()} == {
        None,
        Reason.NO_ROLE,
        Reason.DENIED_BY_RULE,
        Reason.ENDPOINT_NOT_ALLOWED,
        Reason.MODEL_NOT_ALLOWED,
    }
