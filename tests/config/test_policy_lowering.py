"""Roles, rules and lists as they are written, and what is said of those that cannot be followed."""

import pytest

from rolecall.core import Authentication, Ceilings

HEAD = """\
issuers: [{issuer: 'https://login.example.com', audience: gw}]
models: [{name: a, model: gpt-4o, api_key: k}]
"""


def only_rule(settings, text, more=""):
    (rule,) = settings(f"{HEAD}roles: [{{role: r}}]\n{more}rules:\n  - {text}\n").rules
    return rule


def only_role(settings, text, more=""):
    return settings(f"{HEAD}{more}roles: [{{role: x}}, {{{text}}}]\n").roles[1]


ROLES = {
    "its own name": ("role: r", {"any_of": ("r",)}),
    "its own name, but not with another value": (
        "role: r, none_of: [guest]",
        {"any_of": ("r",), "none_of": ("guest",)},
    ),
    "all of some values": ("role: r, all_of: [a, b]", {"any_of": (), "all_of": ("a", "b")}),
    "a group": ("role: r, groups: [/ml]", {"any_of": (), "groups": ("/ml",)}),
    "a scope": ("role: r, scopes: [llm.read]", {"any_of": (), "scopes": ("llm.read",)}),
    "a client": ("role: r, clients: [ci]", {"any_of": (), "clients": ("ci",)}),
    "roles that it includes": ("role: r, includes: [x]", {"any_of": ("r",), "includes": ("x",)}),
}


@pytest.mark.parametrize(("text", "said"), ROLES.values(), ids=ROLES)
def test_a_role_asks_for_what_it_names(settings, text, said):
    role = only_role(settings, text)
    assert {key: getattr(role, key) for key in said} == said


def test_a_condition_keeps_its_text_and_its_line(settings):
    role = settings(
        f"""{HEAD}roles:
  - role: r
    when: |
      "/ml" in caller.groups &&
        caller.kind == "person"
"""
    ).roles[0]
    assert role.any_of == ()
    assert role.when.text == '"/ml" in caller.groups && caller.kind == "person"'
    assert role.when.source.line == 5


CEILINGS = {
    "max_tokens: 9, n: 1": Ceilings(max_tokens=9, n=1),
    "reasoning_effort: none": Ceilings(reasoning_effort="none"),
    "thinking_budget: 0": Ceilings(thinking_budget=0),
    "tools: false": Ceilings(tools=()),
    "tools: [f, 'g*']": Ceilings(tools=("f", "g*")),
    "tools: [{list: safe}, g]": Ceilings(tools=("f", "h", "g")),
    "inputs: []": Ceilings(inputs=frozenset()),
    "inputs: [image]": Ceilings(inputs=frozenset({"image"})),
    "web_search: false": Ceilings(web_search=False),
    "service_tier: [default]": Ceilings(service_tier=("default",)),
    "temperature: [0, 1.5]": Ceilings(temperature=(0.0, 1.5)),
    "input_bytes: 1000, stream: never": Ceilings(input_bytes=1000, stream="never"),
}


@pytest.mark.parametrize(("text", "ceilings"), CEILINGS.items(), ids=CEILINGS)
def test_ceilings_are_read(settings, text, ceilings):
    rule = only_rule(
        settings,
        f"{{allow: [r], models: [a], ceilings: {{{text}}}, on_exceed: clamp}}",
        "lists: {safe: [f, h]}\n",
    )
    assert (rule.ceilings, rule.on_exceed) == (ceilings, "clamp")


TIMES = {
    "2026-12-31": 1798675200.0,
    "2026-12-31T18:00:00Z": 1798740000.0,
    "2026-12-31T18:00:00+02:00": 1798732800.0,
    "'2026-12-31 18:00:00Z'": 1798740000.0,
}


@pytest.mark.parametrize(("text", "seconds"), TIMES.items(), ids=TIMES)
def test_times_are_seconds_since_the_epoch(settings, text, seconds):
    rule = only_rule(settings, f"{{allow: [r], models: [a], expires: {text}}}")
    assert (rule.not_before, rule.expires) == (None, seconds)


AUTHENTICATIONS = {
    "acr_values: [urn:x:gold, silver]": Authentication(("urn:x:gold", "silver")),
    "acr_values: gold": Authentication(("gold",)),
    "max_age: 300": Authentication(max_age=300),
    "acr_values: [gold], max_age: 60": Authentication(("gold",), 60),
}


@pytest.mark.parametrize(("text", "said"), AUTHENTICATIONS.items(), ids=AUTHENTICATIONS)
def test_a_sign_in_may_be_demanded(settings, text, said):
    rule = only_rule(settings, f"{{allow: [r], models: [a], authentication: {{{text}}}}}")
    assert rule.authentication == said


def test_no_sign_in_is_demanded_unless_it_is_written(settings):
    assert only_rule(settings, "{allow: [r], models: [a]}").authentication is None


def test_lists_stand_for_their_names(settings):
    rule = only_rule(
        settings,
        "{allow: [{list: people}], models: [{list: open}, a], endpoints: [{list: doors}]}",
        "lists: {people: [r], open: [b, {list: small}], small: [c, b], doors: [chat]}\n",
    )
    assert (rule.roles, rule.models, rule.endpoints) == (("r",), ("b", "c", "a"), ("chat",))


@pytest.mark.parametrize(
    ("written", "endpoints"),
    [
        ("[openai]", ("chat",)),
        ("[anthropic, chat]", ("messages", "chat")),
        ("[text]", ("chat", "messages")),
        ("['*']", ("*",)),
    ],
)
def test_endpoint_groups_stand_for_their_endpoints(settings, written, endpoints):
    rule = only_rule(settings, f"{{allow: [r], models: [a], endpoints: {written}}}")
    assert rule.endpoints == endpoints


MISSPELT = (
    "rules[0].when: does not compile: undeclared reference to 'call.modle' (did you mean"
    " call.model?)."
)
RULE_FAULTS = {
    "a condition that does not compile, in quotes": (
        """{allow: [r], models: [a], when: 'call.modle == "x"'}""",
        f"5:42: error: {MISSPELT}",
    ),
    "a plain condition that does not compile": (
        "{allow: [r], models: [a], when: call.modle == call.model}",
        f"5:41: error: {MISSPELT}",
    ),
    "behind an escaped quote": (
        """{allow: [r], models: [a], when: "\\"a\\" == call.modle"}""",
        f"5:51: error: {MISSPELT}",
    ),
    "behind a doubled quote": (
        """{allow: [r], models: [a], when: '"''" == call.modle'}""",
        f"5:50: error: {MISSPELT}",
    ),
    "in a block": (
        "allow: [r]\n    models: [a]\n    when: |\n      true &&\n        call.modle == 'x'",
        f"9:13: error: {MISSPELT}",
    ),
    "in a folded block": (
        "allow: [r]\n    models: [a]\n    when: >\n      true &&\n      call.modle == 'x'",
        f"7:11: error: {MISSPELT}",
    ),
    "a function that is not there": (
        "{allow: [r], models: [a], when: 'now.isHoliday()'}",
        "5:51: error: rules[0].when: does not compile: undeclared reference to 'isHoliday'.",
    ),
    "a condition that says something else": (
        "{allow: [r], models: [a], when: call.model}",
        "5:37: error: rules[0].when: is neither true nor false, but of type string.",
    ),
    "a header that is not listed": (
        """{allow: [r], models: [a], when: 'headers["x-team"] == "a"'}""",
        (
            "5:37: error: rules[0].when: reads the header 'x-team', which"
            " conditions.headers does not"
            " list; list it there, in lower case here."
        ),
    ),
    "headers without a name": (
        "{allow: [r], models: [a], when: size(headers) == 1}",
        """5:37: error: rules[0].when: must read headers by their names: headers["x-team"].""",
    ),
    "ceilings of a denial": (
        "{deny: [r], models: [a], ceilings: {n: 1}}",
        (
            "5:40: error: rules[0].ceilings: belong to allow rules; a deny rule denies the"
            " call as a"
            " whole."
        ),
    ),
    "ceilings that bound nothing": (
        "{allow: [r], models: [a], ceilings: {}}",
        "5:41: error: rules[0].ceilings: bound nothing; name a ceiling, or remove the key.",
    ),
    "on_exceed alone": (
        "{allow: [r], models: [a], on_exceed: clamp}",
        "5:42: error: rules[0].on_exceed: needs ceilings beside it.",
    ),
    "a rule that ends before it begins": (
        "{allow: [r], models: [a], not_before: 2026-02-01, expires: 2026-02-01}",
        "5:64: error: rules[0].expires: is not later than not_before: the rule never counts.",
    ),
    "a time without an offset": (
        "{allow: [r], models: [a], expires: 2026-02-01T10:00}",
        (
            "5:40: error: rules[0].expires: a date (2026-12-31, its first moment in UTC) or"
            " a time with"
            " its offset (2026-12-31T18:00:00Z) belongs here."
        ),
    ),
    "a date that is not there": (
        "{allow: [r], models: [a], expires: 2026-02-30}",
        (
            "5:40: error: rules[0].expires: a date (2026-12-31, its first moment in UTC) or"
            " a time with"
            " its offset (2026-12-31T18:00:00Z) belongs here."
        ),
    ),
    "an effort that is not there": (
        "{allow: [r], models: [a], ceilings: {reasoning_effort: huge}}",
        (
            "5:60: error: rules[0].ceilings.reasoning_effort: choose among none, minimal,"
            " low, medium,"
            " high, xhigh, max."
        ),
    ),
    "tools that are neither": (
        "{allow: [r], models: [a], ceilings: {tools: true}}",
        (
            "5:49: error: rules[0].ceilings.tools: false (no tools), or a list of their"
            " names, belongs"
            " here."
        ),
    ),
    "a range that ends before it begins": (
        "{allow: [r], models: [a], ceilings: {temperature: [1, 0]}}",
        "5:55: error: rules[0].ceilings.temperature: two numbers belong here, [from, to].",
    ),
    "a class of sign-in that YAML takes for a number": (
        "{allow: [r], models: [a], authentication: {acr_values: 2}}",
        (
            "5:60: error: rules[0].authentication.acr_values: is a number or a truth value where"
            " text is meant; write it in quotes."
        ),
    ),
    "a sign-in of which nothing is demanded": (
        "{allow: [r], models: [a], authentication: {}}",
        (
            "5:47: error: rules[0].authentication: demands nothing; name acr_values or max_age, or"
            " remove the key."
        ),
    ),
    "a sign-in that a denial demands": (
        "{deny: [r], models: [a], authentication: {max_age: 300}}",
        (
            "5:46: error: rules[0].authentication: belongs to allow rules: write it into each that"
            " allows these models, or at the issuers for all their tokens."
        ),
    ),
    "a class of authentication that is two words": (
        "{allow: [r], models: [a], authentication: {acr_values: [a b]}}",
        (
            "5:61: error: rules[0].authentication.acr_values[0]: must be one word of ASCII without"
            " quotation marks and backslashes; list several."
        ),
    ),
    "a class of authentication that would end its quotation": (
        "{allow: [r], models: [a], authentication: {acr_values: ['a\"b']}}",
        (
            "5:61: error: rules[0].authentication.acr_values[0]: must be one word of ASCII without"
            " quotation marks and backslashes; list several."
        ),
    ),
    "a sign-in that would have to be in no time": (
        "{allow: [r], models: [a], authentication: {max_age: 0}}",
        "5:57: error: rules[0].authentication.max_age: should be greater than or equal to 1.",
    ),
    "a list that is not there": (
        "{allow: [r], models: [{list: open}]}",
        (
            "5:27: error: rules[0].models[0]: names the list 'open', which is not there;"
            " there is none"
            " under lists:."
        ),
    ),
    "something that is no name": (
        "{allow: [r], models: [{glob: a}]}",
        (
            "5:27: error: rules[0].models[0]: a name of 1 to 2048 characters, or {list:"
            " NAME}, belongs"
            " here."
        ),
    ),
}


@pytest.mark.parametrize(("text", "line"), RULE_FAULTS.values(), ids=RULE_FAULTS)
def test_a_rule_that_cannot_be_followed_is_an_error(told, text, line):
    assert line in told(f"{HEAD}roles: [{{role: r}}]\nrules:\n  - {text}\n")


ROLE_FAULTS = {
    "a condition over the call": (
        "{role: r, when: call.stream}",
        (
            "4:25: error: roles[0].when: does not compile: the condition of a role cannot read"
            " call.stream: a role depends on the token alone."
        ),
    ),
    "a role that is not there": (
        "{role: r, includes: [s]}",
        "4:26: error: roles[0].includes[0]: 's' is no role that is given.",
    ),
    "a role of itself": (
        "{role: r, includes: [r]}",
        "4:26: error: roles[0].includes[0]: a role includes itself: r → r.",
    ),
    "a role of itself by another": (
        "{role: r, includes: [s]}\n  - {role: s, includes: [r]}",
        "4:26: error: roles[0].includes[0]: a role includes itself: r → s → r.",
    ),
    "an issuer that is not there": (
        "{role: r, issuers: ['https://evil.example']}",
        "4:25: error: roles[0].issuers[0]: is no configured issuer.",
    ),
}


@pytest.mark.parametrize(("text", "line"), ROLE_FAULTS.values(), ids=ROLE_FAULTS)
def test_a_role_that_cannot_be_held_is_an_error(told, text, line):
    assert line in told(f"{HEAD}roles:\n  - {text}\n")


LIST_FAULTS = {
    "a list of itself": (
        "{a: [x, {list: a}]}",
        "3:16: error: lists.a[1]: is a list of itself: a → a.",
    ),
    "a list of itself by another": (
        "{a: [{list: b}], b: [{list: a}]}",
        "3:29: error: lists.b[0]: is a list of itself: a → b → a.",
    ),
    "a list that is not there": (
        "{a: [{list: c}]}",
        "3:13: error: lists.a[0]: names the list 'c', which is not there; there are: a.",
    ),
}


@pytest.mark.parametrize(("text", "line"), LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_a_list_that_cannot_be_laid_out_is_an_error(told, text, line):
    assert line in told(f"{HEAD}lists: {text}\n")


def test_the_headers_that_conditions_may_read_are_listed(settings):
    read = settings(
        f"""{HEAD}
conditions: {{headers: [X-Team]}}
roles: [{{role: r}}]
rules: [{{allow: [r], models: [a], when: 'headers["x-team"] == "blue"'}}]
"""
    )
    assert read.condition_headers == {"x-team"}


def test_no_message_quotes_a_condition_s_secret(told):
    lines = told(
        f"{HEAD}roles: [{{role: r}}]\nrules: [{{allow: [r], models: [a], when: '\"S3CRET\" =='}}]"
    )
    assert lines
    assert not any("S3CRET" in line for line in lines)
