"""The lines of the checklist that are about the request: whence a token comes, what is answered.

They are asked of the whole gateway, as a client would; each piece has its own tests in
tests/gateway.
"""

import time

import pytest

from rolecall.core import STATUS, Reason

from .parts.attacks import (
    ATTACKER,
    BINDING,
    ENTRA,
    GITHUB,
    ISSUER,
    NONCES,
    OTHER,
    STATIC_KEY,
    World,
    with_proofs,
)
from .parts.proofs import GATEWAY, proof
from .parts.whole_gateway import running

METADATA = "/.well-known/oauth-protected-resource"
# nothing listens at the upstream, so that this is how far a call can come
LET_THROUGH = "upstream_unavailable"
WORLD = World(int(time.time()))


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return WORLD.configuration(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def gateway(tmp_path, sections):
    async with running(tmp_path, sections) as ask:
        yield ask


def bearer(token, scheme=b"Bearer "):
    return [(b"authorization", scheme + token)]


@pytest.mark.parametrize("place", [METADATA, f"{METADATA}/llm"])
async def test_c31_the_gateway_says_what_it_is_and_whom_to_ask_for_a_token(
    tmp_path, sections, place
):
    below = {**sections, "resource": {"url": f"{GATEWAY}/llm", "scopes": ["llm.call"]}}
    async with running(tmp_path, below) as ask:
        answer = await ask([], place, method="GET")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        told = answer.json
        assert told.pop("dpop_signing_alg_values_supported")
        assert told == {
            "resource": f"{GATEWAY}/llm",
            "authorization_servers": [ISSUER, OTHER, BINDING, NONCES, ENTRA, GITHUB],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["llm.call"],
            "dpop_bound_access_tokens_required": False,
            "tls_client_certificate_bound_access_tokens": True,
        }
        assert f'resource_metadata="{GATEWAY}{METADATA}/llm"' in (await ask([])).challenge


@pytest.mark.parametrize("name", ["access_token", "ACCESS_TOKEN", "token", "api_key"])
async def test_c32_a_token_in_the_query_is_never_read(gateway, name):
    query = name.encode() + b"=" + WORLD.good()
    assert (await gateway([], query=query)).reason == "missing_token"
    assert (await gateway(bearer(WORLD.good()), query=query)).reason == "invalid_request"


async def test_c32_a_token_in_a_form_is_never_read(gateway):
    form = b"access_token=" + WORLD.good()
    assert (await gateway([], body=form)).reason == "missing_token"


TWO = {
    "two Authorization headers": bearer(WORLD.good()) + bearer(WORLD.good(sub="jane")),
    "the same header twice": bearer(WORLD.good()) * 2,
    "x-api-key": [*bearer(WORLD.good()), (b"x-api-key", STATIC_KEY.encode())],
    "api-key": [*bearer(WORLD.good()), (b"api-key", STATIC_KEY.encode())],
    "x-goog-api-key": [*bearer(WORLD.good()), (b"x-goog-api-key", STATIC_KEY.encode())],
}


@pytest.mark.parametrize("headers", TWO.values(), ids=TWO)
async def test_c32_of_two_credentials_none_counts(gateway, headers):
    answer = await gateway(headers)
    assert (answer.status, answer.reason) == (400, "conflicting_credentials")


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        (b"Bearer ", LET_THROUGH),
        (b"bearer ", LET_THROUGH),
        (b"BEARER ", LET_THROUGH),
        (b"Bearer  ", "malformed_token"),
        (b"Bearer\t", "malformed_token"),
        (b"Bearer", "malformed_token"),
        (b" Bearer ", "malformed_token"),
        (b"Token ", "malformed_token"),
        (b"", "malformed_token"),
    ],
)
async def test_c33_a_scheme_in_any_case_one_space_one_token(gateway, scheme, reason):
    assert (await gateway(bearer(WORLD.good(), scheme))).reason == reason


@pytest.mark.parametrize("octet", [0, 9, 10, 13, 27, 32, 127, 128, 255])
@pytest.mark.parametrize("place", [0, 40, -1])
async def test_c33_a_token_holds_no_control_characters(gateway, octet, place):
    token = WORLD.good()
    broken = token[:place] + bytes([octet]) + token[place:]
    answer = await gateway(bearer(broken))
    assert (answer.status, answer.reason) == (401, "malformed_token")


WHERE = f', resource_metadata="{GATEWAY}{METADATA}"'
CHALLENGES = {
    "nothing sent": ([], "missing_token", ""),
    "no token": (
        bearer(b"sk-1"),
        "malformed_token",
        ', error="invalid_token", error_description="malformed_token"',
    ),
    "forged": (
        bearer(ATTACKER.token(WORLD.claims())),
        "bad_signature",
        ', error="invalid_token", error_description="bad_signature"',
    ),
    "no role": (
        bearer(WORLD.good(roles=[])),
        "no_role",
        ', error="insufficient_scope", error_description="no_role"',
    ),
}


@pytest.mark.parametrize(("headers", "reason", "told"), CHALLENGES.values(), ids=CHALLENGES)
async def test_c34_a_challenge_says_what_is_wrong_in_constant_words(gateway, headers, reason, told):
    answer = await gateway(headers)
    assert (answer.status, answer.reason) == (STATUS[Reason(reason)], reason)
    assert answer.challenge.startswith(f'Bearer realm="rolecall"{told}{WHERE}, DPoP ')


@pytest.mark.parametrize(
    "opened",
    [
        {"rules": [{"allow": ["user"], "models": ["m"], "when": '"llm.m" in caller.scopes'}]},
        {
            "rules": [{"allow": ["by_scope"], "models": ["m"]}],
            "roles": [{"role": "user"}, {"role": "by_scope", "scopes": ["llm.m"]}],
        },
    ],
    ids=["to a condition", "to a role"],
)
async def test_c34_what_a_policy_opens_to_a_scope_is_named(tmp_path, sections, opened):
    issuers = [{**one, "scopes": ["scope"]} for one in sections["issuers"]]
    async with running(tmp_path, {**sections, "issuers": issuers, **opened}) as ask:
        answer = await ask(bearer(WORLD.good(scope="openid")))
        assert (answer.status, answer.reason) == (403, "model_not_allowed")
        told = ', error="insufficient_scope", error_description="model_not_allowed", scope="llm.m"'
        assert answer.challenge.startswith(f'Bearer realm="rolecall"{told}{WHERE}, DPoP ')
        assert (await ask(bearer(WORLD.good(scope="llm.m")))).reason == LET_THROUGH
        stranger = bearer(STATIC_KEY.encode())
        assert "scope=" not in (await ask(stranger)).challenge


async def test_c34_what_is_malformed_otherwise_has_no_challenge(gateway):
    answer = await gateway(TWO["x-api-key"])
    assert (answer.status, answer.challenge) == (400, None)


ECHOED = ["\r\nset-cookie: a=b", '"}', "<script>", "\x1b[2J", "naïve"]


@pytest.mark.parametrize("text", ECHOED)
async def test_c34_nothing_of_a_token_is_echoed(gateway, text):
    tokens = [
        WORLD.raw({"kid": f"kid{text}"}),
        WORLD.raw({"typ": f"typ{text}"}),
        WORLD.good(iss=f"https://evil.example/{text}"),
        WORLD.good(aud=text),
        WORLD.good(sub=text, roles=[text]),
    ]
    for token in tokens:
        answer = await gateway(bearer(token))
        assert text not in answer.json["error"]["message"]
        assert text not in "".join(answer.headers.values())


DEMAND = {"acr_values": ["gold", "silver"], "max_age": 300}


def demanding(sections, name):
    """The configuration in which every token, or a rule, demands a sign-in."""
    if name == "rule":
        return {**sections, "rules": [{**sections["rules"][0], "authentication": DEMAND}]}
    issuers = [{**one, "authentication": DEMAND} for one in sections["issuers"]]
    return {**sections, "issuers": issuers}


@pytest.mark.parametrize("name", ["rule", "issuers"])
async def test_c35_a_challenge_says_what_a_new_sign_in_must_be(tmp_path, sections, name):
    asked = (
        ', error="insufficient_user_authentication", error_description="a sign-in with acr gold or'
        ' silver, at most 300 s ago is needed", acr_values="gold silver", max_age="300"'
    )
    # a proof is good for a minute, and these tests may take longer
    world = World(int(time.time()))
    async with running(tmp_path, demanding(sections, name)) as ask:
        for acr, ago in (("bronze", 0), ("gold", 400)):
            answer = await ask(bearer(world.good(acr=acr, auth_time=world.now - ago)))
            assert (answer.status, answer.reason) == (401, "insufficient_user_authentication")
            bearers, _, dpop = answer.challenge.partition(", DPoP ")
            assert bearers == f'Bearer realm="rolecall"{asked}{WHERE}'
            assert dpop.endswith(f"{asked}{WHERE}")
        enough = {"acr": "silver", "auth_time": world.now}
        assert (await ask(bearer(world.good(**enough)))).reason == LET_THROUGH
        token = world.bound(**enough)
        assert (await ask(with_proofs(token, proof(token, world.now)))).reason == LET_THROUGH
        token = world.bound()
        answer = await ask(with_proofs(token, proof(token, world.now)))
        assert answer.reason == "insufficient_user_authentication"


async def test_c35_anthropic_s_clients_are_told_in_their_own_form(tmp_path, sections):
    async with running(tmp_path, demanding(sections, "issuers")) as ask:
        answer = await ask(bearer(WORLD.good()), "/v1/messages")
    assert (answer.status, answer.json["type"]) == (401, "error")
    assert answer.json["error"] == {
        "type": "authentication_error",
        "code": "insufficient_user_authentication",
        "message": "This gateway needs a sign-in with acr gold or silver, at most 300 s ago, which"
        ' your token does not show; sign in again, with acr_values="gold silver" and max_age=300 in'
        " the request to your identity provider, and send the new token.",
    }


@pytest.mark.parametrize("key", ["acr", "auth_time"])
async def test_c35_no_rule_helps_a_static_key_to_a_sign_in(tmp_path, sections, key):
    demand = {"acr": {"acr_values": ["gold"]}, "auth_time": {"max_age": 300}}[key]
    rules = [{**sections["rules"][0], "authentication": demand}]
    async with running(tmp_path, {**sections, "rules": rules}) as ask:
        answer = await ask(bearer(STATIC_KEY.encode()))
    assert answer.reason == "insufficient_user_authentication"


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/v1/models", "GET", bearer(WORLD.good()), 200),
        ("/whoami", "GET", bearer(WORLD.good()), 200),
        ("/whoami", "GET", bearer(b"sk-1"), 401),
        ("/v1/chat/completions", "POST", bearer(WORLD.good(roles=[])), 403),
        ("/v1/chat/completions", "POST", bearer(WORLD.good()), 503),
    ],
)
async def test_c36_what_depends_on_a_token_is_not_to_be_stored(
    gateway, path, method, headers, status
):
    answer = await gateway(headers, path, method=method)
    assert (answer.status, answer.headers["cache-control"]) == (status, "no-store")


async def test_c44_a_challenge_names_the_algorithms_of_proofs(gateway):
    missing = (await gateway([])).challenge
    assert ', DPoP realm="rolecall", algs="' in missing
    algorithms = missing.rpartition('algs="')[2].partition('"')[0].split()
    assert {"ES256", "EdDSA"} <= set(algorithms)
    assert not [name for name in algorithms if name.startswith("HS") or name == "none"]
    token = WORLD.bound()
    stale = await gateway(with_proofs(token, proof(token, WORLD.now, iat=WORLD.now - 90)))
    assert ', error="invalid_dpop_proof"' in stale.challenge.partition("DPoP ")[2]


async def test_t30_wrong_guesses_of_a_key_are_all_told_the_same(gateway):
    told = set()
    for right in (9, 10, 40, len(STATIC_KEY) - 1):
        guess = STATIC_KEY[:right] + "x" * (len(STATIC_KEY) - right)
        answer = await gateway(bearer(guess.encode()))
        headers = {**answer.headers, "x-request-id": ""}
        told.add((answer.status, answer.body, *headers.items()))
    assert len(told) == 1
