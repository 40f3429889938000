"""Attacks and faults K01 to K13 on the keys of issuers, over real connections.

docs/security.md names the tests of those that are not here.
"""

import asyncio
from dataclasses import replace

import pytest

from rolecall.config import KeysFrom
from tests.parts.clock import when_due
from tests.parts.waiting import until

from .parts.at_once import at_once
from .parts.gate import CALM, CLAIMS, ISSUER, NOW, SIGNER, Clock, gate, settings, verdict
from .parts.key_server import DEADLINE, ENDLESS, FAULTS, key_server
from .parts.signing import Signer, key_set

NEXT = Signer("k2")
PATH = "/.well-known/openid-configuration"


def people(signer=SIGNER, count=50, **header):
    """Tokens that were never seen before."""
    return [signer.token({**CLAIMS, "sub": f"user-{n}"}, header or None) for n in range(count)]


def at(server, **changes):
    return settings(keys=KeysFrom(jwks_url=f"{server.url}/keys"), **changes)


def kid(number):
    return SIGNER.token(CLAIMS, {"kid": f"random-{number}"})


async def verdicts(verifier, tokens):
    return set(await asyncio.gather(*(verdict(verifier, token) for token in tokens)))


async def test_c29_k01_a_flood_of_random_kids_is_one_fetch_per_cooldown_and_good_traffic_goes_on():
    async with key_server(keys=key_set(SIGNER)) as server, gate(at(server), network=server) as gw:
        clock = Clock(1000.0)
        (source,) = gw.issuers.sources.values()
        source._clock = clock
        source._pace = replace(CALM, cooldown=10)
        for second in range(30):
            clock.now = 1000.0 + second
            bad, good = await asyncio.gather(
                verdicts(gw, [kid(f"{second}-{n}") for n in range(100)]),
                verdicts(gw, people(count=10)),
            )
            assert (bad, good) == ({"unknown_key"}, {"accepted"})
        # at the start, and after 0, 10 and 20 seconds
        assert server.asked == ["/keys"] * 4
        assert source.fetches.unknown_keys == 3000
        assert len(source._unknown) <= 1024


async def test_c29_k01_random_kids_wait_for_a_slow_key_server_in_bounded_number():
    async with key_server(keys=key_set(SIGNER)) as server, gate(at(server), network=server) as gw:
        server.gate = asyncio.Event()
        waiting = [asyncio.create_task(verdict(gw, kid(n))) for n in range(2000)]
        await until(lambda: len(server.asked) == 2)
        # those for whom there is no room have their answer already
        await until(lambda: sum(task.done() for task in waiting) == 2000 - 1024)
        assert {at_once(verdict(gw, token)) for token in people()} == {"accepted"}
        server.gate.set()
        assert set(await asyncio.gather(*waiting)) == {"unknown_key"}
        assert server.asked == ["/keys"] * 2


async def test_k02_a_key_that_was_published_early_needs_no_further_fetch():
    async with key_server(keys=key_set(SIGNER)) as server, gate(at(server), network=server) as gw:
        server.documents["/keys"] = key_set(SIGNER, NEXT)
        await next(iter(gw.issuers.sources.values())).refresh()
        assert await verdicts(gw, people(NEXT)) == {"accepted"}
        assert server.asked == ["/keys"] * 2


async def test_k02_the_first_token_of_a_key_that_comes_without_warning_succeeds_in_one_fetch():
    async with key_server(keys=key_set(SIGNER)) as server, gate(at(server), network=server) as gw:
        server.documents["/keys"] = key_set(SIGNER, NEXT)
        assert await verdicts(gw, people(NEXT) + people(SIGNER)) == {"accepted"}
        assert server.asked == ["/keys"] * 2


async def test_c30_k02_an_emergency_replacement_ends_the_old_key_at_once_remembered_verdicts_too():
    async with key_server(keys=key_set(SIGNER)) as server, gate(at(server), network=server) as gw:
        old = people()
        assert await verdicts(gw, old) == {"accepted"}
        server.documents["/keys"] = key_set(NEXT)
        assert await verdicts(gw, people(NEXT)) == {"accepted"}
        assert await verdicts(gw, old) == {"unknown_key"}


async def test_k03_a_key_server_that_is_down_at_the_start_is_a_503_and_recovers_alone():
    async with (
        key_server() as server,
        gate(at(server), network=server, pace=replace(CALM, retry=0.01, retry_most=0.01)) as gw,
    ):
        assert not gw.ready
        assert await verdicts(gw, people()) == {"issuer_unavailable"}
        server.documents["/keys"] = key_set(SIGNER)
        await until(lambda: gw.ready)
        assert await verdicts(gw, people()) == {"accepted"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_c28_k04_k05_a_key_server_that_fails_while_running_is_not_noticed(fault):
    pace = replace(CALM, retry=0.01, retry_most=0.01, cooldown=0)
    async with (
        key_server(keys=key_set(SIGNER)) as server,
        gate(at(server), network=server, pace=pace) as gw,
    ):
        (source,) = gw.issuers.sources.values()
        server.fault = fault
        failing = asyncio.create_task(verdict(gw, kid(1)))
        await until(lambda: len(server.asked) > 1)
        assert {at_once(verdict(gw, token)) for token in people()} == {"accepted"}
        if fault in ENDLESS:
            await when_due(DEADLINE, failing)
        # it may be a good token: that cannot be said now
        assert await failing == "issuer_unavailable"
        assert source.error
        assert source.fetches.failed
        assert gw.ready
        server.fault = None
        server.documents["/keys"] = key_set(SIGNER, NEXT)
        assert await verdicts(gw, people(NEXT)) == {"accepted"}
        assert source.error is None
        # nobody was sent elsewhere
        assert set(server.asked) == {"/keys"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_c28_k04_k05_metadata_that_fail_while_running_are_not_noticed(fault):
    async with key_server(keys=key_set(SIGNER)) as server:
        server.documents[PATH] = {"issuer": ISSUER, "jwks_uri": f"{server.url}/keys"}
        found = settings(keys=KeysFrom(discovery_url=server.url + PATH))
        async with gate(found, network=server) as gw:
            server.fault = fault
            failing = asyncio.create_task(verdict(gw, kid(1)))
            await until(lambda: len(server.asked) > 2)
            if fault in ENDLESS:
                await when_due(DEADLINE, failing)
            assert await failing == "issuer_unavailable"
            assert await verdicts(gw, people()) == {"accepted"}
            assert set(server.asked[2:]) == {PATH}


async def test_c27_k07_metadata_of_another_issuer_are_refused_and_the_error_names_them():
    async with key_server(keys=key_set(SIGNER)) as server:
        for other in (f"{ISSUER}/", ISSUER.replace("acme", "other"), ISSUER.upper()):
            server.documents[PATH] = {"issuer": other, "jwks_uri": f"{server.url}/keys"}
            found = settings(keys=KeysFrom(discovery_url=server.url + PATH))
            async with gate(found, network=server) as gw:
                assert await verdict(gw, SIGNER.token(CLAIMS)) == "issuer_unavailable"
                (state,) = gw.state()
                assert state.error.endswith(f"speaks for another issuer than {ISSUER}")
        assert set(server.asked) == {PATH}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-600, "not_yet_valid"), (-50, "accepted"), (300, "accepted"), (600, "expired")],
)
async def test_k10_a_clock_that_is_wrong_ends_tokens_beyond_their_leeway_and_leaves_keys(
    seconds, expected
):
    async with key_server(keys=key_set(SIGNER)) as server, gate(at(server), network=server) as gw:
        gw.clock.now = NOW + seconds
        assert await verdicts(gw, people()) == {expected}
        gw.clock.now = NOW
        assert await verdicts(gw, people()) == {"accepted"}
        assert server.asked == ["/keys"]


async def test_k13_500_first_requests_make_one_fetch():
    async with (
        key_server(keys=key_set(SIGNER)) as server,
        gate(at(server), network=server, started=False) as gw,
    ):
        assert await verdicts(gw, people(count=500)) == {"accepted"}
        assert server.asked == ["/keys"]


async def test_the_deadline_holds_for_the_whole_document():
    async with key_server(keys=key_set(SIGNER)) as server:
        server.fault = FAULTS["a byte now and then"]
        async with gate(at(server), network=server, started=False) as gw:
            asking = asyncio.create_task(verdict(gw, SIGNER.token(CLAIMS)))
            await until(lambda: server.asked)
            assert await when_due(DEADLINE, asking) == "issuer_unavailable"
