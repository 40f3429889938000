"""What LiteLLM's dialect is lowered to decides as the native rules that are printed of it."""

from dataclasses import replace

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.config import load
from rolecall.config.document import Document, parse
from rolecall.config.loading import load_document
from rolecall.config.native import native_policy
from rolecall.config.settings import Settings
from rolecall.core import Call, Ceilings, Circumstances, Parameters
from rolecall.identity import caller_from
from rolecall.policy import assign_roles, compile_policy, decide
from tests.policy.parts.worlds import callers, calls, circumstances, mappings, rules
from tests.policy.test_litellm_differential import MODELS, ROUTES, configs, times, tokens

ISSUERS = """
issuers:
  - {issuer: 'https://one.example', audience: gw}
  - {issuer: 'https://two.example', audience: gw}
"""


def read(text):
    return load_document(parse(text, Document("x.yaml")), {}, offline=True).settings


@settings(max_examples=100)
@given(configs, tokens, st.sampled_from(MODELS), st.sampled_from(sorted(ROUTES.values())), times)
def test_litellm_s_dialect_is_what_is_printed_of_it(config, claims, model, endpoint, now):
    lowered = read(yaml.safe_dump(config))
    claimed = [list(path) for path in lowered.issuers[0].roles]
    issuers = [
        {"issuer": one.issuer, "audience": "gw", "profile": one.profile, "roles": claimed}
        for one in lowered.issuers
    ]
    teams = {"teams": [list(path) for path in lowered.issuers[0].teams]}
    head = yaml.safe_dump({"issuers": [{**issuer, **teams} for issuer in issuers]})
    printed = read(head + native_policy(lowered))
    answers = []
    for one in (lowered, printed):
        table = compile_policy(one.roles, one.rules)
        caller = assign_roles(table, caller_from(one.issuers[0], claims))
        call = Call(endpoint, model, parameters=Parameters())
        decision = decide(table, caller, call, Circumstances(now))
        answers.append((decision.allowed, decision.reason, decision.roles))
    assert answers[0] == answers[1]


@settings(max_examples=100)
@given(mappings, rules, callers, calls, circumstances)
def test_any_policy_is_what_is_printed_of_it(mappings, rules, caller, call, around):
    rules = [
        rule for rule in rules if rule.models and rule.endpoints and rule.ceilings != Ceilings()
    ]
    # inclusion is tried apart: in these small worlds it goes round in circles
    mappings = [replace(mapping, includes=()) for mapping in mappings]
    written = Settings("x.yaml", (), tuple(mappings), tuple(rules), ())
    printed = read(ISSUERS + "conditions: {headers: [x-team]}\n" + native_policy(written))
    answers = []
    for one in (written, printed):
        table = compile_policy(one.roles, one.rules)
        assigned = assign_roles(table, caller)
        decision = decide(table, assigned, call, around)
        answers.append((decision.allowed, decision.reason, assigned.roles))
    assert answers[0] == answers[1]


def test_an_entry_that_asks_for_nothing_is_held_by_all(tmp_path):
    (tmp_path / "gw.yaml").write_text("""\
general_settings:
  enable_jwt_auth: true
  litellm_jwtauth: {user_id_jwt_field: sub}
""")
    text = native_policy(load(tmp_path / "gw.yaml", {}, offline=True).settings)
    assert text.splitlines()[:3] == ["roles:", "  - role: internal_user", "    when: 'true'"]
