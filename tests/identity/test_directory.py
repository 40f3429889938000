"""Groups that Entra ID's token leaves out: asked for seldom, in time, and never taken for none."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from rolecall.core import Reason, Refusal, Revocation, RoleClaim
from rolecall.identity import claim_values
from rolecall.identity.directory import MOST_ASKED
from tests.parts.waiting import until

from .parts.at_once import at_once
from .parts.gate import CLAIMS, KEYS_URL, NOW, SIGNER, gate, refusal, settings, verdict
from .parts.graph_server import (
    ALICE,
    BOB,
    GONE,
    ISSUER,
    OTHER_TENANT,
    TENANT,
    TOO_MANY,
    GraphServer,
    graph_server,
    guid,
    person,
)
from .parts.signing import Signer, key_set

ADMINS, USERS = guid(1), guid(2)
LATER = "issuer_unavailable"


@asynccontextmanager
async def asking(*, overage=None, seams=None, **changes):
    """A verifier and the directory that it asks, in which Alice is in two groups."""
    async with graph_server() as server:
        issuer = server.issuer(overage=overage, **changes)
        async with gate(issuer, **(seams or {})) as verifier:
            server.accounts[f"users/{ALICE}"] = [ADMINS, USERS]
            verifier.server = server
            yield verifier


async def test_groups_are_as_if_the_token_had_held_them():
    async with asking() as verifier:
        caller = await verifier.authenticate(person())
    assert caller.groups == {ADMINS, USERS}
    assert caller.claims["groups"] == [ADMINS, USERS]
    assert caller.claims["_claim_names"] == {"groups": "src1"}
    assert (caller.subject, caller.kind, caller.expires) == (ALICE, "person", NOW + 300)
    assert caller.notes == (
        "the token has no room for its groups: they are those of its directory now",
    )


async def test_groups_may_be_roles():
    async with asking(groups=(), roles=(("groups",),)) as verifier:
        caller = await verifier.authenticate(person())
    assert caller.groups == frozenset()
    assert caller.role_claims == tuple(RoleClaim(("groups",), g) for g in (ADMINS, USERS))


async def test_the_policy_gives_its_roles_once_the_groups_are_known():
    completed = []

    def complete(caller):
        completed.append(caller.groups)
        return caller

    async with asking(seams={"complete": complete}) as verifier:
        await verifier.authenticate(person())
    assert completed == [{ADMINS, USERS}]


async def test_k15_what_the_token_names_as_the_place_of_its_groups_is_never_asked():
    async with asking() as verifier, graph_server() as named:
        sources = {"src1": {"endpoint": f"{named.url}/v1.0/users/{ALICE}/getMemberObjects"}}
        assert await verdict(verifier, person(_claim_sources=sources)) == "accepted"
        assert (named.asked, named.forms) == ([], [])


LEFT_OUT = {
    "named elsewhere": {},
    "named elsewhere, without a place": {"_claim_sources": None},
    "hasgroups": {"_claim_names": None, "hasgroups": True},
    "hasgroups as a word": {"_claim_names": {"other": "src1"}, "hasgroups": "true"},
}


@pytest.mark.parametrize("changes", LEFT_OUT.values(), ids=LEFT_OUT)
async def test_either_form_of_leaving_groups_out_is_known(changes):
    async with asking() as verifier:
        caller = await verifier.authenticate(person(**changes))
        assert caller.groups == {ADMINS, USERS}


NOT_ASKED = {
    "groups are there": ({}, {"groups": [USERS]}, "accepted"),
    "there are none": ({}, {"_claim_names": None}, "accepted"),
    "another claim is elsewhere": ({}, {"_claim_names": {"other": "src1"}}, "accepted"),
    "groups decide nothing": ({"groups": ()}, {}, "accepted"),
    "expired": ({}, {"exp": NOW - 61}, "expired"),
    "for another": ({}, {"aud": "another-api"}, "wrong_audience"),
    "an ID token": ({}, {"azp": None, "nonce": "n"}, "wrong_token_kind"),
    "of another tenant": ({}, {"tid": OTHER_TENANT}, "invalid_claim"),
    "of no tenant": ({}, {"tid": None}, "invalid_claim"),
    "of another client": ({"clients": ("another",)}, {}, "wrong_audience"),
    "without what is required": ({"require": ((("acrs",), ("c1",)),)}, {}, "invalid_claim"),
    "bound to a key": ({}, {"cnf": {"jkt": "x"}}, "sender_mismatch"),
    "an account by its name": ({}, {"oid": "alice@example.com"}, "invalid_claim"),
    "an account by a path": ({}, {"oid": "../groups"}, "invalid_claim"),
    "an ID in capitals": ({}, {"oid": guid(10).upper()}, "invalid_claim"),
    "an ID and more": ({}, {"oid": ALICE + "\n"}, "invalid_claim"),
    "no account": ({}, {"oid": None}, "invalid_claim"),
}


@pytest.mark.parametrize(("configured", "changes", "expected"), NOT_ASKED.values(), ids=NOT_ASKED)
async def test_nobody_is_asked_about_a_token_that_can_be_judged_without(
    configured, changes, expected
):
    claims = {name: value for name, value in changes.items() if value is not None}
    left_out = {name for name, value in changes.items() if value is None}
    async with asking(**configured) as verifier:
        token = person(**claims) if not left_out else without(left_out, **claims)
        assert await verdict(verifier, token) == expected
        assert (verifier.server.asked, verifier.server.forms) == ([], [])


def without(names, **claims):
    whole = {
        **CLAIMS,
        "iss": ISSUER,
        "azp": "ui",
        "oid": ALICE,
        "scp": "x",
        "tid": TENANT,
        "_claim_names": {"groups": "src1"},
        **claims,
    }
    return SIGNER.token({name: value for name, value in whole.items() if name not in names})


async def test_nobody_is_asked_about_a_forged_token():
    claims = {**CLAIMS, "iss": ISSUER, "tid": TENANT, "hasgroups": True}
    async with asking() as verifier:
        assert await verdict(verifier, Signer(name="attacker").token(claims)) == "bad_signature"
        assert verifier.server.asked == []


async def test_nobody_is_asked_about_a_revoked_token():
    revoked = Revocation(issuer=ISSUER, sub=ALICE)
    async with asking(seams={"revocations": [revoked]}) as verifier:
        assert await verdict(verifier, person()) == "revoked"
        assert verifier.server.asked == []


async def test_an_alias_of_another_tenant_is_not_looked_up_in_this_one():
    alias = f"https://sts.windows.net/{OTHER_TENANT}/"
    async with asking(aliases=(alias,)) as verifier:
        token = person(iss=alias, tid=OTHER_TENANT)
        assert await verdict(verifier, token) == "invalid_claim"
        assert verifier.server.asked == []


async def test_what_is_required_of_groups_is_required_of_those_that_were_looked_up():
    for required, expected in ((USERS, "accepted"), (guid(9), "invalid_claim")):
        async with asking(require=((("groups",), (required,)),)) as verifier:
            assert await verdict(verifier, person()) == expected
            assert len(verifier.server.asked) == 1


async def test_a_program_is_asked_about_as_one():
    async with asking() as verifier:
        verifier.server.accounts[f"servicePrincipals/{BOB}"] = [USERS]
        token = without({"scp"}, oid=BOB, idtyp="app")
        caller = await verifier.authenticate(token)
        assert (caller.kind, caller.groups) == ("workload", {USERS})


ANSWERS = {
    "gone": (GONE, "revoked"),
    "too many": (TOO_MANY, "invalid_claim"),
    "throttled": (web.Response(status=429), LATER),
    "not permitted": (web.Response(status=403), LATER),
    "500": (web.Response(status=500), LATER),
    "503": (web.Response(status=503), LATER),
    "404 of something else": (web.json_response({}, status=404), LATER),
    "a redirect": (web.Response(status=302, headers={"location": "/"}), LATER),
    "no list": ({"value": None}, LATER),
    "HTML": (b"<html>", LATER),
    "value twice": (b'{"value":["x"],"value":[]}', LATER),
    "another server's page": ({"value": [], "@odata.nextLink": "https://evil.example/"}, LATER),
    "no groups": ([], "accepted"),
}


@pytest.mark.parametrize(("said", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_k15_an_answer_is_the_account_s_groups_or_a_refusal(said, expected):
    async with asking() as verifier:
        verifier.server.accounts[f"users/{ALICE}"] = said
        assert await verdict(verifier, person()) == expected


async def test_a_directory_that_grants_the_gateway_no_token_is_the_gateway_s_fault(caplog):
    async with asking() as verifier:
        verifier.server.grant = web.json_response({"error": "invalid_client"}, status=401)
        assert await verdict(verifier, person()) == LATER
        assert "(invalid_client); compare the gateway's client_id" in caplog.text
        assert ALICE not in caplog.text


async def test_a_missing_permission_is_told_to_the_operator(caplog):
    async with asking() as verifier:
        verifier.server.accounts[f"users/{ALICE}"] = web.Response(status=403)
        refused = await refusal(verifier, person())
        assert refused.reason is Reason.ISSUER_UNAVAILABLE
        assert "GroupMember.Read.All" not in refused.message
        (record,) = [one for one in caplog.records if "groups" in one.getMessage()]
        assert record.levelname == "WARNING"
        assert "User.ReadBasic.All and GroupMember.Read.All" in record.getMessage()
        assert ALICE not in record.getMessage()


async def test_without_the_key_the_token_is_refused_by_its_name():
    server = GraphServer()
    async with gate(replace(server.issuer(), group_overage=None)) as verifier:
        refused = await refusal(verifier, person())
        assert (refused.reason, "group overage" in refused.message) == ("invalid_claim", True)


# What is remembered


async def test_an_account_s_groups_are_remembered_for_their_ttl_whatever_token_it_sends():
    async with asking(overage={"ttl": 300}) as verifier:
        for later, asked in ((0, 1), (299, 1), (300, 2), (599, 2), (600, 3)):
            verifier.clock.now = NOW + later
            token = person(jti=str(later), exp=NOW + 3600, iat=NOW)
            assert await verdict(verifier, token) == "accepted"
            assert len(verifier.server.asked) == asked


async def test_a_token_is_remembered_no_longer_than_its_groups():
    async with asking(overage={"ttl": 30}) as verifier:
        token = person(exp=NOW + 3600)
        for later, groups in ((0, {ADMINS, USERS}), (29, {ADMINS, USERS}), (30, {USERS})):
            verifier.clock.now = NOW + later
            assert (await verifier.authenticate(token)).groups == groups
            verifier.server.accounts[f"users/{ALICE}"] = [USERS]
        assert len(verifier.server.asked) == 2


async def test_a_remembered_token_asks_nobody_and_waits_for_nothing():
    async with asking() as verifier:
        token = person()
        await verifier.authenticate(token)
        assert at_once(verifier.authenticate(token)).groups == {ADMINS, USERS}
        assert len(verifier.server.asked) == 1


async def test_without_a_ttl_everybody_is_asked_about_each_time():
    async with asking(overage={"ttl": 0}) as verifier:
        for asked in (1, 2, 3):
            assert await verdict(verifier, person()) == "accepted"
            assert len(verifier.server.asked) == asked
        assert len(verifier.server.forms) == 1


async def test_a_refusal_is_remembered_briefly():
    async with asking() as verifier:
        verifier.server.accounts[f"users/{ALICE}"] = GONE
        for later, asked in ((0, 1), (4.9, 1), (5, 2)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, person()) == "revoked"
            assert len(verifier.server.asked) == asked
        verifier.server.accounts[f"users/{ALICE}"] = [USERS]
        verifier.clock.now = NOW + 10
        assert await verdict(verifier, person()) == "accepted"


async def test_500_first_requests_ask_once():
    async with asking() as verifier:
        tokens = [person(jti=str(number)) for number in range(500)]
        verdicts = await asyncio.gather(*(verdict(verifier, token) for token in tokens))
        assert set(verdicts) == {"accepted"}
        assert (len(verifier.server.asked), len(verifier.server.forms)) == (1, 1)


async def test_two_accounts_never_share_an_answer():
    async with asking() as verifier:
        verifier.server.accounts[f"users/{BOB}"] = [USERS]
        alice, bob = await asyncio.gather(
            verifier.authenticate(person()), verifier.authenticate(person(BOB))
        )
        assert (alice.groups, bob.groups) == ({ADMINS, USERS}, {USERS})


async def test_look_ups_under_way_are_bounded():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        crowd = [
            asyncio.create_task(verdict(verifier, person(guid(number))))
            for number in range(MOST_ASKED + 20)
        ]
        await until(lambda: sum(task.done() for task in crowd) == 20)
        for number in range(MOST_ASKED + 20):
            verifier.server.accounts[f"users/{guid(number)}"] = [USERS]
        verifier.server.gate.set()
        verdicts = await asyncio.gather(*crowd)
        assert (verdicts.count("accepted"), verdicts.count(LATER)) == (MOST_ASKED, 20)


# When the directory fails


async def test_nobody_is_asked_again_before_the_directory_wants_it():
    async with asking() as verifier:
        server = verifier.server
        server.accounts[f"users/{ALICE}"] = web.Response(status=429, headers={"retry-after": "30"})
        server.accounts[f"users/{BOB}"] = [USERS]
        assert (await refusal(verifier, person())).retry_after == 30
        verifier.clock.now = NOW + 20
        refused = await refusal(verifier, person(BOB))
        assert (refused.reason, refused.retry_after) == ("issuer_unavailable", 10)
        assert len(server.asked) == 1
        verifier.clock.now = NOW + 30
        assert await verdict(verifier, person(BOB)) == "accepted"


async def test_what_fails_for_one_account_keeps_nobody_else_out():
    async with asking() as verifier:
        verifier.server.accounts[f"users/{BOB}"] = web.Response(status=500)
        assert await verdict(verifier, person(BOB)) == LATER
        assert await verdict(verifier, person()) == "accepted"


async def test_what_may_not_be_asked_of_programs_keeps_no_person_out():
    async with asking() as verifier:
        accounts = verifier.server.accounts
        accounts[f"servicePrincipals/{ALICE}"] = web.Response(status=403)
        accounts[f"users/{BOB}"] = [USERS]
        refused = await refusal(verifier, person(idtyp="app"))
        assert (refused.reason, refused.retry_after) == ("issuer_unavailable", 1)
        assert await verdict(verifier, person(BOB)) == "accepted"


async def test_an_outage_leaves_those_who_are_remembered_and_other_tokens_alone():
    async with asking() as verifier:
        assert await verdict(verifier, person()) == "accepted"
        verifier.server.accounts[f"users/{BOB}"] = web.Response(
            status=503, headers={"retry-after": "60"}
        )
        assert await verdict(verifier, person(BOB)) == LATER
        assert await verdict(verifier, person(jti="another")) == "accepted"
        assert await verdict(verifier, person(BOB, groups=[USERS])) == "accepted"


async def test_an_outage_is_logged_once_and_so_is_its_end(caplog):
    caplog.set_level("INFO")
    async with asking() as verifier:
        server = verifier.server
        for number in range(3):
            server.accounts[f"users/{guid(number)}"] = web.Response(status=500)
            await verdict(verifier, person(guid(number)))
        await verdict(verifier, person())
        server.accounts[f"users/{BOB}"] = web.Response(status=502)
        await verdict(verifier, person(BOB))
    told = [one.getMessage() for one in caplog.records if "groups" in one.getMessage()]
    assert [line.replace(server.url, "graph").partition(": ")[2] for line in told] == [
        "groups cannot be looked up: graph answered with status 500",
        "groups can be looked up again",
        "groups cannot be looked up: graph answered with status 502",
    ]


async def test_look_ups_are_counted_by_what_became_of_them():
    async with asking() as verifier:
        verifier.server.accounts[f"users/{guid(5)}"] = web.Response(status=500)
        for oid in (ALICE, ALICE, BOB, guid(5)):
            await verdict(verifier, person(oid, jti=oid))
        (state,) = verifier.state()
        counted = state.group_lookups
        assert (counted.found, counted.refused, counted.failed) == (1, 1, 1)


async def test_a_request_that_is_cancelled_does_not_end_the_asking_of_the_others():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        first, second = (
            asyncio.create_task(verifier.authenticate(person(jti=str(n)))) for n in range(2)
        )
        await until(lambda: verifier.server.asked)
        first.cancel()
        verifier.server.gate.set()
        assert (await second).groups == {ADMINS, USERS}
        assert len(verifier.server.asked) == 1


async def test_a_token_that_expires_while_its_groups_are_looked_up_is_expired():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        waiting = asyncio.create_task(verdict(verifier, person()))
        await until(lambda: verifier.server.asked)
        verifier.clock.now = NOW + 400
        verifier.server.gate.set()
        assert await waiting == "expired"


async def test_a_token_that_is_revoked_while_its_groups_are_looked_up_is_revoked():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        waiting = asyncio.create_task(verdict(verifier, person()))
        await until(lambda: verifier.server.asked)
        verifier.revoke([Revocation(issuer=ISSUER, sub=ALICE)])
        verifier.server.gate.set()
        assert await waiting == "revoked"


async def test_c30_a_key_that_is_withdrawn_ends_callers_whose_groups_were_looked_up():
    async with asking() as verifier:
        assert await verdict(verifier, person()) == "accepted"
        (source,) = verifier.issuers.sources.values()
        verifier.network.documents[KEYS_URL] = key_set(Signer("other"))
        await source.refresh()
        assert await verdict(verifier, person()) == "unknown_key"


async def test_c30_a_key_that_is_withdrawn_while_groups_are_looked_up_ends_their_token():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        waiting = asyncio.create_task(verdict(verifier, person()))
        await until(lambda: verifier.server.asked)
        (source,) = verifier.issuers.sources.values()
        verifier.network.documents[KEYS_URL] = key_set(Signer("other"))
        await source.refresh()
        verifier.server.gate.set()
        assert await waiting == "unknown_key"


async def test_a_verifier_stops_while_it_asks():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        waiting = asyncio.create_task(verifier.authenticate(person()))
        await until(lambda: verifier.server.asked)
        await verifier.stop()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        verifier.server.gate.set()


# Tenants, and reloads


async def test_each_tenant_s_directory_is_asked_with_a_token_of_its_own():
    async with graph_server() as server:
        other = f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"
        elsewhere = {
            "tenant": OTHER_TENANT,
            "token_endpoint": f"{server.url}/{OTHER_TENANT}/oauth2/v2.0/token",
        }
        server.accounts[f"users/{ALICE}"] = [ADMINS]
        async with gate(server.issuer(), server.issuer(other, overage=elsewhere)) as verifier:
            assert await verdict(verifier, person()) == "accepted"
            assert await verdict(verifier, person(iss=other, tid=OTHER_TENANT)) == "accepted"
        assert [path.split("/")[1] for path, _ in server.forms] == [TENANT, OTHER_TENANT]
        assert [token for _, _, token in server.asked] == ["Bearer graph-0", "Bearer graph-1"]


async def test_a_reload_forgets_neither_groups_nor_token_nor_counts():
    async with graph_server() as server:
        server.accounts[f"users/{ALICE}"] = server.accounts[f"users/{BOB}"] = [USERS]
        issuer = server.issuer()
        async with gate(issuer) as former:
            assert await verdict(former, person()) == "accepted"
            async with gate(issuer, started=False) as later:
                later.adopt(former)
                for oid in (ALICE, BOB):
                    assert await verdict(later, person(oid)) == "accepted"
                assert (len(server.asked), len(server.forms)) == (2, 1)
                assert later.state()[0].group_lookups.found == 2


async def test_what_was_asked_in_another_way_is_asked_again_after_a_reload():
    async with graph_server() as server:
        server.accounts[f"users/{ALICE}"] = [USERS]
        async with gate(server.issuer()) as former:
            assert await verdict(former, person()) == "accepted"
            changed = server.issuer(overage={"security_groups_only": False})
            async with gate(changed, started=False) as later:
                later.adopt(former)
                assert await verdict(later, person()) == "accepted"
                assert [body["securityEnabledOnly"] for body in server.bodies] == [True, False]


# How many


async def test_as_many_groups_as_graph_lists_are_a_caller_s():
    many = [guid(number) for number in range(11_000)]
    async with asking(roles=(("groups",),)) as verifier:
        verifier.server.accounts[f"users/{ALICE}"] = many
        caller = await verifier.authenticate(person())
        assert caller.groups == set(many)
        assert [claim.value for claim in caller.role_claims] == many


def test_without_a_directory_no_claim_holds_more_than_a_thousand():
    row = {"groups": [str(number) for number in range(1001)]}
    with pytest.raises(Refusal, match="more than 1000 values"):
        claim_values.groups(row, settings())
