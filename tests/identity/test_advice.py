"""What operators do wrong most often, and what `rolecall token inspect` says to it."""

import pytest

from rolecall.config import Opaque, Settings
from rolecall.identity import inspect

from .parts.attacks import TENANT
from .parts.gate import CLAIMS, ISSUER, KEYS_URL, NOW, SIGNER, Network, settings
from .parts.signing import Signer, b64, bare, key_set

V1 = f"https://sts.windows.net/{TENANT}/"
V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
GRAPH = "00000003-0000-0000-c000-000000000000"
HOUR_AGO = "2027-01-15T07:00:00Z"
TODAY = "by this machine's clock, 2027-01-15T08:00:00Z"
KEYCLOAK = {"typ": "Bearer", "azp": "ui"}
TRUSTED = {
    "generic": settings(),
    "keycloak": settings(profile="keycloak"),
    "entra v2": settings(V2, profile="entra", audience=("api://gw",)),
    "short": settings(max_lifetime=3600),
    "RS256": settings(algorithms=("RS256",)),
}


async def advised(token, *issuers, keys=(SIGNER,), offline=False):
    """What is said beside the check that failed."""
    configured = Settings(file="gw.yaml", issuers=issuers, roles=(), rules=(), models=())
    network = Network({KEYS_URL: key_set(*keys)} if keys else {})
    seen = await inspect(token, configured, offline=offline, now=lambda: NOW, fetch=network.fetch)
    *passed, last = seen.findings
    assert last.outcome == "failed"
    assert not any(finding.advice for finding in passed)
    return last.advice


def signed(header=None, **changes):
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return SIGNER.token(claims, header)


def of(issuer, **changes):
    return signed(iss=issuer, tid=TENANT, azp="ui", scp="x", oid="o", **changes)


MISTAKES = {
    "wrong audience": (
        signed(aud=["account", "other"]),
        "generic",
        "It is for account, other; accepted are llm-gateway.",
    ),
    "a slash at the end of the audience": (
        signed(aud="llm-gateway/"),
        "generic",
        (
            "It is for llm-gateway/; accepted are llm-gateway. They differ by the slash at the"
            " end: write audience: as the token has it."
        ),
    ),
    "Keycloak without an audience mapper": (
        signed(**KEYCLOAK, aud="account"),
        "keycloak",
        (
            "It is for account; accepted are llm-gateway. Keycloak adds the gateway's by a role of"
            " its client or by an audience mapper."
        ),
    ),
    "Entra's client ID beside its URI": (
        of(V2, aud="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
        "entra v2",
        (
            "It is for aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee; accepted are api://gw. Entra writes"
            " the application ID URI into v1.0 tokens and the client ID into v2.0 tokens: list"
            " both."
        ),
    ),
    "a token for Microsoft Graph": (
        of(V2, aud=GRAPH),
        "entra v2",
        (
            f"It is for {GRAPH}; accepted are api://gw. That is Microsoft Graph: the client must"
            " ask for a scope of the gateway's own registration."
        ),
    ),
    "an Entra v1.0 token": (
        of(V1),
        "entra v2",
        (
            f"Its iss is {V1}. {V2} is trusted: the token is of v1.0; tenant: at the issuer trusts"
            " both versions, and requestedAccessTokenVersion in the manifest of the gateway's"
            " registration chooses one."
        ),
    ),
    "another tenant of Entra": (
        of(V2.replace("1111", "2222")),
        "entra v2",
        (
            f"Its iss is {V2.replace('1111', '2222')}. {V2} is trusted: the token is of another"
            " tenant; tenant: takes a list of them."
        ),
    ),
    "a slash at the end of the issuer": (
        signed(iss=f"{ISSUER}/"),
        "generic",
        (
            f"Its iss is {ISSUER}/. {ISSUER} is trusted: they differ by the slash at the end; write"
            " issuer: as the token has it."
        ),
    ),
    "another case of the issuer": (
        signed(iss=ISSUER.replace("acme", "ACME")),
        "generic",
        (
            f"Its iss is {ISSUER.replace('acme', 'ACME')}. {ISSUER} is trusted: they differ by"
            " upper and lower case; write issuer: as the token has it."
        ),
    ),
    "plain http": (
        signed(iss=ISSUER.replace("https", "http")),
        "generic",
        (
            f"Its iss is {ISSUER.replace('https', 'http')}. {ISSUER} is trusted: they differ by"
            " http and https; the provider has a wrong URL of its own."
        ),
    ),
    "wrong realm": (
        signed(iss=ISSUER.replace("acme", "test")),
        "generic",
        (
            f"Its iss is {ISSUER.replace('acme', 'test')}. {ISSUER} is trusted: the token is of"
            " another realm or tenant of the same server."
        ),
    ),
    "an issuer that has nothing of ours": (
        signed(iss="https://[evil"),
        "generic",
        "Its iss is https://[evil.",
    ),
    "no issuer": (signed(iss=None), "generic", ""),
    "an ID token": (
        signed(nonce="n"),
        "generic",
        "Clients get an id_token and an access_token at once: the access_token belongs here.",
    ),
    "expired": (
        signed(iat=NOW - 7200, exp=NOW - 3600),
        "generic",
        f"Its exp, {HOUR_AGO}, was 3600 s ago {TODAY} (leeway: 60 s).",
    ),
    "a clock that is behind": (
        signed(iat=NOW + 90, nbf=NOW + 90),
        "generic",
        (
            f"Its nbf, 2027-01-15T08:01:30Z, is 90 s ahead {TODAY} (leeway: 60 s). Its iat,"
            f" 2027-01-15T08:01:30Z, is 90 s ahead {TODAY} (leeway: 60 s). Compare the clocks of"
            " the identity provider and of this machine."
        ),
    ),
    "a long life": (
        signed(iat=NOW, exp=NOW + 7200),
        "short",
        "It lives for 7200 s; max_lifetime: at the issuer accepts that.",
    ),
    "a time that is none": (signed(exp="soon"), "generic", ""),
    "no kid": (
        signed({"kid": None}),
        "generic",
        "It names no key (kid); published are k1, k2.",
    ),
    "an unknown kid": (
        signed({"kid": "k9"}),
        "generic",
        "Its kid is k9; published are k1, k2.",
    ),
    "another algorithm than the key's": (
        signed({"alg": "RS256"}),
        "generic",
        "Its alg is RS256; its key is published for ES256.",
    ),
    "another algorithm than the issuer's": (
        signed(),
        "RS256",
        "Its alg is ES256; accepted are RS256.",
    ),
    "a secret": (
        bare({"alg": "HS256"}, CLAIMS, b"x" * 32),
        "RS256",
        (
            "Its alg is HS256; accepted are RS256. Whoever can verify such a token can make it:"
            " choose RS256 at the provider."
        ),
    ),
    "another server's key": (
        Signer("k1", name="theirs").token(CLAIMS),
        "generic",
        "It was changed, or another server signs with another key of the same kid.",
    ),
    "an opaque token": (
        b"2YotnFZFEjr1zCsicMWpAA",
        "generic",
        (
            "It is opaque. Ask the identity provider for a signed one (Auth0 issues it where the"
            " client names the gateway's audience), or let the gateway ask what it means"
            " (introspection: or userinfo: at the issuer)."
        ),
    ),
    "an encrypted token": (
        b64(b'{"alg":"dir","enc":"A256GCM"}') + b"..aXY.dGV4dA.dGFn",
        "generic",
        (
            "It is encrypted. Ask the identity provider for a signed one (Auth0 issues it where"
            " the client names the gateway's audience), or let the gateway ask what it means"
            " (introspection: or userinfo: at the issuer)."
        ),
    ),
    "the word Bearer": (
        b"Bearer " + signed(),
        "generic",
        "Leave out the word Bearer: the token alone belongs here.",
    ),
    "a line break": (
        signed()[:60] + b"\n" + signed()[60:],
        "generic",
        "It holds white space: it may have been wrapped when it was copied.",
    ),
    "cut": (
        signed()[:-1],
        "generic",
        "It may have been cut or changed when it was copied.",
    ),
    "a static key": (
        b"rolecall_" + b"5a" * 32,
        "generic",
        "This is a static key (keys:) and no token; GET /whoami says whose it is.",
    ),
    "what nobody can advise on": (signed(cnf={}), "generic", ""),
}


@pytest.mark.parametrize(("token", "trusted", "expected"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_of_an_operator_is_explained(token, trusted, expected):
    keys = SIGNER, Signer("k2")
    assert await advised(token, TRUSTED[trusted], keys=keys) == expected


async def test_whom_the_gateway_asks_about_opaque_tokens_is_said():
    opaque = Opaque(endpoint="https://login.example.com/me", client=None)
    told = await advised(b"2YotnFZFEjr1zCsicMWpAA", settings(opaque=opaque))
    assert told == f"It is opaque. The gateway may ask {ISSUER} about it; here nobody is asked."


async def test_keys_that_cannot_be_had_are_told_with_what_went_wrong():
    assert await advised(signed(), settings(), keys=()) == f"{KEYS_URL} cannot be reached."


async def test_keys_that_were_left_out_are_told_with_why():
    keys = SIGNER, Signer("k2").jwk(use="enc")
    told = await advised(signed({"kid": "k2"}), settings(), keys=keys)
    assert told == "Its kid is k2; published are k1. Left out are key 1: its use is not sig."


async def test_of_many_keys_some_are_named():
    keys = [Signer(f"k{number}") for number in range(12)]
    told = await advised(signed({"kid": "new"}), settings(), keys=keys)
    assert told.endswith("k8, k9 and 2 more.")


async def test_an_aliased_issuer_is_compared_too():
    told = await advised(signed(iss=f"{ISSUER}/"), settings("https://a.example", aliases=(ISSUER,)))
    assert f"{ISSUER} is trusted: they differ by the slash" in told
