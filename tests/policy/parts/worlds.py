"""Small worlds for hypothesis: few names, so that rules and calls meet often."""

from dataclasses import replace

from hypothesis import strategies as st

from rolecall.core import (
    MODEL_ENDPOINTS,
    UNSAID,
    Authentication,
    Call,
    Caller,
    Ceilings,
    Circumstances,
    Condition,
    Parameters,
    RoleClaim,
    RoleMapping,
    Rule,
    SignIn,
    Source,
)

ISSUERS = ["https://one.example", "https://two.example"]
ROLES = ["staff", "stuff", "lab"]
NAMES = ["a", "b", "ab", "ba", "aa", "A", "a*", ""]
VALUES = ["x", "y", "z"]
GROUPS = ["/g", "/h"]
SCOPES = ["s", "t"]
CLIENTS = ["web", "cli"]

patterns = st.sampled_from([*NAMES[:-1], "*", "*b", "*a*", "**", "a*b"])
role_patterns = st.sampled_from([*ROLES, "st*", "*", "*b"])
sources = st.builds(Source, file=st.just("gw.yaml"), line=st.integers(1, 99))

ROLE_CONDITIONS = [
    'claims.dept == "ml"',
    'has(claims.dept) && claims.dept == "ml"',
    '"/g" in caller.groups',
    'caller.kind == "workload"',
    '"s" in caller.scopes',
    "true",
    "false",
]
RULE_CONDITIONS = [
    *ROLE_CONDITIONS,
    'call.model.startsWith("a")',
    "call.stream",
    "call.max_tokens == null || call.max_tokens < 50",
    "call.max_tokens < 50",
    "call.n == 1 && claims.dept == 'ml'",
    '"lab" in caller.roles',
    '"t" in caller.scopes && call.n == 1',
    '!("t" in caller.scopes)',
    "now.getHours() < 12",
    'source_ip.inCidr("10.0.0.0/8")',
    'headers["x-team"] == "blue"',
]


def conditions(texts):
    return st.none() | st.builds(
        Condition, text=st.sampled_from(texts), source=st.just(Source("gw.yaml", 1))
    )


ceilings = st.builds(
    Ceilings,
    max_tokens=st.none() | st.sampled_from([10, 100]),
    n=st.none() | st.just(1),
    reasoning_effort=st.none() | st.sampled_from(["low", "medium"]),
    inputs=st.none() | st.sampled_from([frozenset(), frozenset({"image"})]),
    tools=st.sampled_from([None, None, (), ("f",), ("g",), ("g", "*")]),
    service_tier=st.sampled_from([None, None, ("flex",), ("default",), ("default", "flex")]),
    temperature=st.sampled_from([None, None, (0.0, 0.5), (0.5, 1.0)]),
    stream=st.sampled_from([None, None, "only", "never"]),
)
AUTHENTICATIONS = [
    None,
    None,
    Authentication(("gold",)),
    Authentication(("1", "gold")),
    Authentication(max_age=15),
    Authentication(("gold",), 15),
]
SIGN_INS = [UNSAID, SignIn("1", 0.0), SignIn("gold", 44.0), SignIn("gold", 60.0, 5), SignIn("2")]
rules = st.lists(
    st.builds(
        Rule,
        effect=st.sampled_from(["allow", "allow", "deny"]),
        roles=st.lists(role_patterns, min_size=1, max_size=2).map(tuple),
        models=st.lists(patterns, max_size=3).map(tuple),
        endpoints=st.sampled_from([("*",), ("*",), *((name,) for name in MODEL_ENDPOINTS), ()]),
        source=sources,
        when=st.none() | conditions(RULE_CONDITIONS),
        not_before=st.sampled_from([None, None, 50.0]),
        expires=st.sampled_from([None, None, 60.0]),
        ceilings=st.none() | ceilings,
        on_exceed=st.sampled_from(["deny", "clamp"]),
        authentication=st.sampled_from(AUTHENTICATIONS),
    ).map(lambda rule: rule if rule.effect == "allow" else denial(rule)),
    max_size=6,
)


def denial(rule):
    """The same as a deny rule, which has less to say."""
    return replace(rule, effect="deny", ceilings=None, authentication=None)


def some(values):
    return st.lists(st.sampled_from(values), max_size=2).map(tuple)


mappings = st.lists(
    st.builds(
        RoleMapping,
        role=st.sampled_from(ROLES),
        any_of=some(VALUES),
        issuers=st.sampled_from([(), (), (ISSUERS[0],)]),
        source=sources,
        all_of=some(VALUES),
        none_of=some(VALUES),
        groups=some(GROUPS),
        scopes=some(SCOPES),
        clients=some(CLIENTS),
        when=conditions(ROLE_CONDITIONS),
        includes=some(ROLES),
        claims=st.sampled_from([(), (), (("roles",),), (("other",),)]),
    ),
    max_size=5,
)
callers = st.builds(
    Caller,
    issuer=st.sampled_from(ISSUERS),
    subject=st.just("ada"),
    client=st.none() | st.sampled_from(CLIENTS),
    kind=st.sampled_from(["person", "workload"]),
    role_claims=st.lists(
        st.builds(
            RoleClaim, path=st.sampled_from([("roles",), ("other",)]), value=st.sampled_from(VALUES)
        ),
        max_size=3,
    ).map(tuple),
    roles=st.frozensets(st.sampled_from(ROLES)),
    scopes=st.frozensets(st.sampled_from(SCOPES)),
    groups=st.frozensets(st.sampled_from(GROUPS)),
    claims=st.sampled_from([{}, {"dept": "ml"}, {"dept": "hr"}, {"dept": 7}]),
    doubtful_roles=st.frozensets(st.sampled_from(ROLES), max_size=1),
    sign_in=st.sampled_from(SIGN_INS),
).map(lambda caller: replace(caller, doubtful_roles=caller.doubtful_roles - caller.roles))
parameters = st.builds(
    Parameters,
    max_tokens=st.sampled_from([None, 5, 10, 60, 1000]),
    n=st.sampled_from([1, 2]),
    reasoning_effort=st.sampled_from([None, "low", "high", "ultra"]),
    inputs=st.frozensets(st.sampled_from(["image", "file"]), max_size=1),
    tools=some(["f", "g"]),
    service_tier=st.sampled_from([None, None, "flex", "priority"]),
    temperature=st.sampled_from([None, None, 0.2, 2.0]),
)
bodies = st.tuples(st.booleans(), parameters)
calls = st.builds(
    Call,
    endpoint=st.sampled_from([*MODEL_ENDPOINTS, "embeddings"]),
    model=st.sampled_from(NAMES),
    stream=st.booleans(),
    parameters=parameters,
)
circumstances = st.builds(
    Circumstances,
    now=st.sampled_from([0.0, 50.0, 59.0, 60.0, 43_300.0]),
    source_ip=st.sampled_from([None, "10.0.0.1", "192.0.2.1"]),
    headers=st.sampled_from([{}, {"x-team": "blue"}, {"x-team": "red"}]),
)
