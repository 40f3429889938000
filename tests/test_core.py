"""The vocabulary."""

import ast
import dataclasses
import inspect
import sys

import pytest

from rolecall import core
from rolecall.core import (
    STATUS,
    Call,
    Caller,
    Decision,
    Reason,
    Refusal,
    RoleClaim,
    RoleMapping,
    Rule,
    Source,
)

PUBLISHED = {
    400: "invalid_request duplicate_key conflicting_credentials model_missing",
    401: "missing_token malformed_token unknown_issuer unknown_key bad_signature"
    " algorithm_not_allowed expired not_yet_valid wrong_audience wrong_token_kind invalid_claim"
    " revoked sender_mismatch invalid_client_certificate invalid_dpop_proof use_dpop_nonce"
    " insufficient_user_authentication",
    403: "no_role model_not_allowed endpoint_not_allowed denied_by_rule ceiling_exceeded"
    " condition_error",
    404: "model_not_found not_found",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limit_exceeded budget_exceeded",
    500: "internal_error",
    502: "upstream_error",
    503: "issuer_unavailable upstream_unavailable",
    504: "upstream_timeout",
}
VALUES = [Source, RoleClaim, Caller, Call, RoleMapping, Rule, Decision]


def test_the_reasons_and_their_statuses_are_these():
    assert {reason.value: status for reason, status in STATUS.items()} == {
        name: status for status, names in PUBLISHED.items() for name in names.split()
    }


def test_the_statuses_cannot_be_changed():
    with pytest.raises(TypeError):
        STATUS[Reason.NO_ROLE] = 200


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_has_the_status_of_its_reason(reason):
    refusal = Refusal(reason, "Because.", param="model")
    assert (refusal.status, refusal.reason, refusal.message, refusal.param, str(refusal)) == (
        STATUS[reason],
        reason,
        "Because.",
        "model",
        "Because.",
    )


def test_a_source_is_written_as_editors_read_it():
    assert str(Source("gw.yaml", 7, "- allow: [staff]")) == "gw.yaml:7"


@pytest.mark.parametrize("value", VALUES)
def test_values_are_frozen_and_have_slots(value):
    assert value.__dataclass_params__.frozen
    assert "__slots__" in vars(value)


def test_a_value_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Call("chat", "a").model = "b"


def test_a_caller_is_nobody_special_by_default():
    caller = Caller("https://login.example.com", "ada")
    assert (caller.kind, caller.roles, caller.role_claims, caller.expires) == (
        "person",
        frozenset(),
        (),
        0.0,
    )


def test_core_imports_the_standard_library_alone():
    tree = ast.parse(inspect.getsource(core))
    modules = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def test_a_caller_with_other_roles_is_the_same_in_all_else():
    names = [item.name for item in dataclasses.fields(Caller)]
    caller = Caller(**{name: f"its {name}" for name in names})
    expected = dataclasses.replace(
        caller, roles=frozenset({"gold"}), doubtful_roles=frozenset({"odd"})
    )
    assert caller.with_roles(frozenset({"gold"}), frozenset({"odd"})) == expected
