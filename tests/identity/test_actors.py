"""Who acts for a caller (``act``, RFC 8693 4.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Actor, Refusal
from rolecall.identity import caller_from
from rolecall.identity.actors import MOST

from .parts.gate import CLAIMS, ISSUER, NOW, SIGNER, gate, settings, verdict

OTHER = "https://agents.example"
ALIAS = "https://login.example.com/old"


def chain(*actors):
    """An ``act`` claim: the first of the actors acts now, each of the others did before."""
    act = None
    for actor in reversed(actors):
        act = actor if act is None else {**actor, "act": act}
    return act


NAMED = {
    "a subject": ({"sub": "agent"}, [Actor(ISSUER, "agent")]),
    "a subject of another issuer": ({"sub": "agent", "iss": OTHER}, [Actor(OTHER, "agent")]),
    "a subject of the same issuer": ({"sub": "agent", "iss": ISSUER}, [Actor(ISSUER, "agent")]),
    "a subject of an alias": ({"sub": "agent", "iss": ALIAS}, [Actor(ISSUER, "agent")]),
    "a client": ({"client_id": "agent"}, [Actor(ISSUER, client="agent")]),
    "both": ({"sub": "s", "client_id": "c"}, [Actor(ISSUER, "s", "c")]),
    "as Keycloak writes it": (
        {"sub": "agent", "may_act": {"sub": "agent"}},
        [Actor(ISSUER, "agent")],
    ),
    "with what says nothing of who it is": (
        {"sub": "agent", "exp": 1, "aud": 7, "roles": ["admin"], "email": None},
        [Actor(ISSUER, "agent")],
    ),
    "three, the present one first": (
        chain({"sub": "c"}, {"client_id": "b"}, {"sub": "a", "iss": OTHER}),
        [Actor(ISSUER, "c"), Actor(ISSUER, client="b"), Actor(OTHER, "a")],
    ),
    "as many as there may be": (
        chain(*[{"sub": f"a{number}"} for number in range(MOST)]),
        [Actor(ISSUER, f"a{number}") for number in range(MOST)],
    ),
}


@pytest.mark.parametrize(("act", "expected"), NAMED.values(), ids=NAMED)
async def test_c47_actors_are_read_out_of_act_the_present_one_first(act, expected):
    async with gate(settings(aliases=(ALIAS,))) as verifier:
        caller = await verifier.authenticate(SIGNER.token({**CLAIMS, "act": act}))
    assert caller.actors == tuple(expected)
    assert caller.actor == expected[0]
    assert (caller.subject, caller.kind, caller.role_claims) == ("john", "person", ())


NOT_NAMED = {
    "null": None,
    "a name": "agent",
    "a list": [{"sub": "agent"}],
    "a number": 1,
    "false": False,
    "nothing": {},
    "an actor before nobody": {"act": {"sub": "agent"}},
    "a subject of another type": {"sub": 1},
    "no subject": {"sub": None, "client_id": "agent"},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "a" * 1025},
    "a client of another type": {"sub": "agent", "client_id": ["agent"]},
    "an issuer of another type": {"sub": "agent", "iss": {"x": 1}},
    "an empty issuer": {"sub": "agent", "iss": ""},
    "a name within": chain({"sub": "b"}, {"sub": "a", "act": "x"}),
    "nobody within": chain({"sub": "b"}, {"iss": OTHER}),
    "one too many": chain(*[{"sub": "a"} for _ in range(MOST + 1)]),
}


@pytest.mark.parametrize("act", NOT_NAMED.values(), ids=NOT_NAMED)
async def test_c47_an_act_that_names_nobody_or_too_many_is_refused(act):
    async with gate() as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, "act": act})) == "invalid_claim"


async def test_c47_nobody_acts_where_a_token_does_not_say_so():
    claims = {**CLAIMS, "may_act": {"sub": "agent"}, "actor": "john", "azp": "agent"}
    async with gate() as verifier:
        caller = await verifier.authenticate(SIGNER.token(claims))
    assert (caller.actors, caller.actor) == ((), None)


async def test_c25_c47_whoever_is_acted_for_by_a_client_of_the_same_name_is_a_person():
    claims = {**CLAIMS, "sub": "batch", "client_id": "agent", "act": {"client_id": "batch"}}
    async with gate() as verifier:
        caller = await verifier.authenticate(SIGNER.token(claims))
    assert caller.kind == "person"
    assert caller.actor == Actor(ISSUER, client="batch")


AGENT, STRANGER = {"sub": "agent"}, {"sub": "stranger"}
CHOSEN = (Actor(ISSUER, "agent"), Actor(ISSUER, client="agent"), Actor(OTHER, "a", "c"))
DEMANDS = {
    "nobody, by default": ({}, None, "accepted"),
    "somebody, by default": ({}, STRANGER, "accepted"),
    "nobody, where somebody must": ({"actor": "required"}, None, "invalid_claim"),
    "somebody, where somebody must": ({"actor": "required"}, STRANGER, "accepted"),
    "nobody, where nobody may": ({"actor": "forbidden"}, None, "accepted"),
    "somebody, where nobody may": ({"actor": "forbidden"}, AGENT, "invalid_claim"),
    "nobody, where some may": ({"actors": CHOSEN}, None, "accepted"),
    "nobody, where one of some must": (
        {"actors": CHOSEN, "actor": "required"},
        None,
        "invalid_claim",
    ),
    "a subject": ({"actors": CHOSEN}, AGENT, "accepted"),
    "a client": ({"actors": CHOSEN}, {"client_id": "agent"}, "accepted"),
    "a subject, at any client": ({"actors": CHOSEN}, {**AGENT, "client_id": "x"}, "accepted"),
    "a stranger": ({"actors": CHOSEN}, STRANGER, "invalid_claim"),
    "in another case": ({"actors": CHOSEN}, {"sub": "Agent"}, "invalid_claim"),
    "another issuer's": ({"actors": CHOSEN}, {**AGENT, "iss": OTHER}, "invalid_claim"),
    "another issuer's, both names": (
        {"actors": CHOSEN},
        {"sub": "a", "client_id": "c", "iss": OTHER},
        "accepted",
    ),
    "another issuer's, half of it": (
        {"actors": CHOSEN},
        {"sub": "a", "iss": OTHER},
        "invalid_claim",
    ),
    "a subject that is accepted as a client": ({"actors": CHOSEN[1:2]}, AGENT, "invalid_claim"),
    "a client that is accepted as a subject": (
        {"actors": CHOSEN[:1]},
        {"client_id": "agent"},
        "invalid_claim",
    ),
    "one before it": ({"actors": CHOSEN}, chain(STRANGER, AGENT), "invalid_claim"),
    "a stranger before it": ({"actors": CHOSEN}, chain(AGENT, STRANGER), "accepted"),
}


@pytest.mark.parametrize(("demand", "act", "expected"), DEMANDS.values(), ids=DEMANDS)
async def test_c47_an_issuer_s_tokens_may_must_or_must_not_have_an_actor(demand, act, expected):
    claims = CLAIMS if act is None else {**CLAIMS, "act": act}
    async with gate(settings(**demand)) as verifier:
        assert await verdict(verifier, SIGNER.token(claims)) == expected


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["sub", "iss", "client_id", "act", "x"]), inner, max_size=4
        )
    ),
    max_leaves=30,
)


@given(values)
def test_c47_any_act_is_read_or_refused(act):
    try:
        caller = caller_from(settings(), {"sub": "john", "act": act}, NOW + 1.0)
    except Refusal as refusal:
        found = refusal.reason
    else:
        assert all(actor.subject or actor.client for actor in caller.actors)
        found = len(caller.actors)
    assert found in {"invalid_claim", *range(1, MOST + 1)}
