"""A token is walked through the checks of the gateway, to the first that fails."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from rolecall.config import Client, Opaque, Settings
from rolecall.config.environment import UNSET
from rolecall.config.settings import RevocationSettings
from rolecall.core import Authentication, Refusal, Revocation
from rolecall.identity import inspect

from .parts import gate
from .parts.gate import CLAIMS, ISSUER, KEYS_URL, NOW, SIGNER, Network, settings
from .parts.graph_server import ALICE, graph_server, guid, person
from .parts.proofs import bound
from .parts.signing import Signer, bare, key_set

ALL = [
    "form",
    "issuer",
    "signature",
    "kind",
    "RFC 9068",
    "binding",
    "times",
    "audience",
    "profile",
    "require",
    "email_domains",
    "authentication",
    "names",
    "client",
    "actor",
    "revocations",
]
OF_ALL = {"form", "kind", "times"}
JOHN = Revocation(issuer=ISSUER, sub="john")


def configuration(*, revoked=(), **changes):
    return Settings(
        file="gw.yaml",
        issuers=(settings(**changes),),
        roles=(),
        rules=(),
        models=(),
        revocations=RevocationSettings(entries=revoked),
    )


async def look(token, configured, *, network=None, offline=False):
    network = network or Network({KEYS_URL: key_set(SIGNER)})
    return await inspect(token, configured, offline=offline, now=lambda: NOW, fetch=network.fetch)


def outcomes(seen):
    return {finding.check: finding.outcome for finding in seen.findings}


async def test_a_good_token_passes_every_check():
    seen = await look(SIGNER.token(CLAIMS), configuration())
    assert outcomes(seen) == dict.fromkeys(ALL, "passed")
    assert not seen.failed
    assert (seen.header["alg"], seen.claims) == ("ES256", CLAIMS)


async def test_what_the_issuer_is_asked_about_is_not_judged_by_the_token():
    opaque = Opaque(endpoint="https://login.example.com/me", client=None, tokens="all")
    seen = await look(SIGNER.token({"iss": ISSUER, "exp": NOW + 60}), configuration(opaque=opaque))
    assert not seen.failed
    passed = ["form", "issuer", "signature", "kind", "RFC 9068", "binding", "times"]
    skipped = ["audience", "profile", "require", "email_domains", "authentication"]
    expected = dict.fromkeys(passed, "passed") | dict.fromkeys(skipped, "skipped")
    assert outcomes(seen) == expected


async def test_c47_whoever_acts_is_told_where_that_is_checked():
    act = {"sub": "planner", "client_id": "p", "act": {"client_id": "assistant"}}
    seen = await look(SIGNER.token({**CLAIMS, "act": act}), configuration())
    (why,) = (finding.why for finding in seen.findings if finding.check == "actor")
    assert why == (
        f"'planner' (client 'p') of {ISSUER} acts for it, before that client 'assistant' of"
        f" {ISSUER}"
    )


def signed(**changes):
    return SIGNER.token({**CLAIMS, **changes})


BAD = {
    "no token": (b"opaque", {}, "form", "malformed_token"),
    "another issuer": (signed(iss="https://evil.example"), {}, "issuer", "unknown_issuer"),
    "of an issuer that signs answers alone": (
        signed(), {"signed_tokens": False}, "issuer", "unknown_issuer",
    ),
    "no issuer": (signed(iss=1), {}, "issuer", "invalid_claim"),
    "forged": (bare({"alg": "ES256", "kid": "k1"}, CLAIMS, b"x" * 64), {}, "signature",
               "bad_signature"),
    "an unknown key": (Signer("k9").token(CLAIMS), {}, "signature", "unknown_key"),
    "an ID token": (signed(nonce="n"), {}, "kind", "wrong_token_kind"),
    "not RFC 9068": (signed(), {"rfc9068": True}, "RFC 9068", "wrong_token_kind"),
    "bound": (signed(cnf=bound()), {}, "binding", "sender_mismatch"),
    "expired": (signed(exp=NOW - 61), {}, "times", "expired"),
    "for another": (signed(aud="other"), {}, "audience", "wrong_audience"),
    "a claim amiss": (signed(), {"require": ((("org",), ("a",)),)}, "require", "invalid_claim"),
    "no address": (signed(), {"email_domains": ("a.example",)}, "email_domains", "invalid_claim"),
    "no sign-in": (
        signed(),
        {"authentication": Authentication(max_age=60)},
        "authentication",
        "insufficient_user_authentication",
    ),
    "nobody": (signed(sub=""), {}, "names", "invalid_claim"),
    "another client": (signed(azp="x"), {"clients": ("ui",)}, "client", "wrong_audience"),
    "an actor": (signed(act={"sub": "a"}), {"actor": "forbidden"}, "actor", "invalid_claim"),
    "revoked": (signed(), {"revoked": (JOHN,)}, "revocations", "revoked"),
}  # fmt: skip


@pytest.mark.parametrize(("token", "changes", "check", "reason"), BAD.values(), ids=BAD)
async def test_the_first_check_that_fails_is_the_last_one(token, changes, check, reason):
    seen = await look(token, configuration(**changes))
    assert seen.failed
    *passed, last = seen.findings
    assert [finding.check for finding in passed] == ALL[: ALL.index(check)]
    assert {finding.outcome for finding in passed} <= {"passed"}
    assert (last.check, last.outcome) == (check, "failed")
    assert last.why.startswith(f"{reason}: ")


@pytest.mark.parametrize(("token", "changes", "check", "reason"), BAD.values(), ids=BAD)
async def test_the_gateway_says_the_same(token, changes, check, reason):
    changes = dict(changes)
    revoked = changes.pop("revoked", ())
    async with gate.gate(settings(**changes), revocations=revoked) as verifier:
        with pytest.raises(Refusal) as caught:
            await verifier.authenticate(token)
    assert caught.value.reason == reason
    assert check in ALL


async def test_offline_nothing_is_fetched():
    network = Network({})
    seen = await look(SIGNER.token(CLAIMS), configuration(), network=network, offline=True)
    assert outcomes(seen) == {**dict.fromkeys(ALL, "passed"), "signature": "skipped"}
    assert network.fetched == []


# Groups that a token leaves out


@asynccontextmanager
async def of_entra(**changes):
    """A configuration whose issuer's directory is asked for groups."""
    async with graph_server() as server:
        issuer = server.issuer(**changes)
        yield Settings(file="gw.yaml", issuers=(issuer,), roles=(), rules=(), models=()), server


async def groups_of(configured, *, offline=False):
    seen = await look(person(), configured, offline=offline)
    return {one.check: (one.outcome, one.why) for one in seen.findings}


async def test_groups_that_are_left_out_are_asked_for_as_the_gateway_does():
    async with of_entra() as (configured, server):
        server.accounts[f"users/{ALICE}"] = [guid(1), guid(2)]
        found = await groups_of(configured)
        assert found["groups"] == ("passed", "Microsoft Graph names 2")
        assert {outcome for outcome, _ in found.values()} == {"passed"}


async def test_offline_they_are_not_asked_for_and_that_is_said():
    async with of_entra() as (configured, server):
        outcome, why = (await groups_of(configured, offline=True))["groups"]
        assert outcome == "skipped"
        assert "the gateway asks Microsoft Graph for them" in why
        assert (server.asked, server.forms) == ([], [])


@pytest.mark.parametrize(
    "nobody",
    [
        Client("client_secret_post", "gw", UNSET),
        Client("client_secret_post", UNSET, "s"),
        Client("private_key_jwt", "gw", assertion_file=UNSET),
    ],
)
async def test_without_what_shows_the_gateway_nobody_is_asked_with_a_stand_in(nobody):
    async with of_entra(overage={"client": nobody}) as (configured, server):
        outcome, why = (await groups_of(configured))["groups"]
        assert outcome == "skipped"
        assert "environment variable is not set" in why
        assert server.forms == []


async def test_what_the_directory_refuses_fails():
    async with of_entra() as (configured, _):
        outcome, why = (await groups_of(configured))["groups"]
        assert (outcome, why.partition(":")[0]) == ("failed", "revoked")


@pytest.mark.parametrize(("number", "outcome"), [(1, "passed"), (9, "failed")])
async def test_what_is_required_of_groups_is_checked_once_they_are_there(number, outcome):
    required = ((("groups",), (guid(number),)),)
    async with of_entra(require=required) as (configured, server):
        server.accounts[f"users/{ALICE}"] = [guid(1)]
        assert (await groups_of(configured))["require"][0] == outcome


async def test_without_the_key_the_profile_s_check_fails():
    async with of_entra() as (configured, _):
        (issuer,) = configured.issuers
        without = replace(configured, issuers=(replace(issuer, group_overage=None),))
        assert (await groups_of(without))["profile"][0] == "failed"


async def test_keys_that_cannot_be_had_fail_the_signature():
    seen = await look(SIGNER.token(CLAIMS), configuration(), network=Network({}))
    assert seen.findings[-1].check == "signature"
    assert seen.findings[-1].why.startswith("issuer_unavailable: ")


async def test_without_a_configuration_a_token_is_looked_at_by_itself():
    network = Network({})
    seen = await look(SIGNER.token({**CLAIMS, "iss": "https://any.example"}), None, network=network)
    assert {check for check, how in outcomes(seen).items() if how == "passed"} == OF_ALL
    assert not seen.failed
    assert network.fetched == []
    seen = await look(signed(exp=NOW - 61), None)
    assert seen.findings[-1].why.startswith("expired: ")


async def test_a_token_that_cannot_be_read_is_not_shown():
    seen = await look(b"opaque", None)
    assert (seen.header, seen.claims) == (None, None)
