"""An issuer's keys over time: how often they are fetched, and what replaces what."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from rolecall.config import KeysFrom
from rolecall.identity import Pace
from rolecall.identity.fetch import FetchError
from rolecall.identity.jwk import read_key
from rolecall.identity.keysource import KeySource
from tests.parts.waiting import until

from .parts.at_once import at_once
from .parts.gate import (
    CALM,
    CLAIMS,
    ISSUER,
    KEYS_URL,
    SIGNER,
    Clock,
    Network,
    gate,
    settings,
    verdict,
)
from .parts.signing import Signer, key_set

DISCOVERY_URL = f"{ISSUER}/.well-known/openid-configuration"
DISCOVERY = KeysFrom(discovery_url=DISCOVERY_URL)
NEXT = Signer("k2")


def source(network, keys=None, **changes):
    removed = changes.pop("removed", [])
    return KeySource(
        keys or KeysFrom(jwks_url=KEYS_URL),
        ISSUER,
        fetch=network.fetch,
        clock=changes.pop("clock", Clock()),
        on_removed=removed.append,
        chance=changes.pop("chance", lambda: 0.0),
        most_unknown=changes.pop("most_unknown", 1024),
        pace=replace(CALM, **changes),
    )


def kids(keys):
    return [key.key_id for key in keys.keys]


def of_kid(number):
    return SIGNER.token(CLAIMS, {"kid": f"random-{number}"})


# How often


async def test_keys_are_fetched_at_the_start():
    async with gate() as verifier:
        assert verifier.ready
        assert verifier.network.fetched == [KEYS_URL]
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        assert verifier.network.fetched == [KEYS_URL]


async def test_k13_500_first_requests_share_one_fetch():
    network = Network({KEYS_URL: key_set(SIGNER)})
    async with gate(network=network, started=False) as verifier:
        tokens = [SIGNER.token({**CLAIMS, "sub": f"user-{number}"}) for number in range(500)]
        callers = await asyncio.gather(*map(verifier.authenticate, tokens))
        assert [caller.subject for caller in callers] == [f"user-{n}" for n in range(500)]
        assert network.fetched == [KEYS_URL]


async def test_requests_during_the_start_share_its_fetch():
    async with gate(started=False) as verifier:
        token = SIGNER.token(CLAIMS)
        await asyncio.gather(verifier.start(), *[verifier.authenticate(token) for _ in range(9)])
        assert verifier.network.fetched == [KEYS_URL]


async def test_a_request_that_is_cancelled_does_not_cancel_the_fetch_of_the_others():
    async with gate(started=False) as verifier:
        first, second = (
            asyncio.create_task(verifier.authenticate(SIGNER.token(CLAIMS))) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).subject == "john"
        assert first.cancelled()
        assert verifier.network.fetched == [KEYS_URL]


async def test_c29_k01_a_thousand_random_kids_cause_one_fetch():
    async with gate() as verifier:
        for number in range(1000):
            assert await verdict(verifier, of_kid(number)) == "unknown_key"
        assert verifier.network.fetched == [KEYS_URL] * 2
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_c29_k01_a_thousand_random_kids_at_once_cause_one_fetch():
    async with gate() as verifier:
        verdicts = await asyncio.gather(*(verdict(verifier, of_kid(n)) for n in range(1000)))
        assert set(verdicts) == {"unknown_key"}
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_c29_k01_an_unknown_kid_causes_a_fetch_once_per_cooldown():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000.0)
    keys = source(network, clock=clock, cooldown=10)
    for now, fetches in ((1000, 1), (1000, 1), (1009.9, 1), (1010, 2), (1019.9, 2), (1500, 3)):
        clock.now = now
        await keys.look_for(f"random-{now}")
        assert len(network.fetched) == fetches


async def test_c29_k01_the_same_unknown_kid_is_asked_for_ever_more_seldom():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000)
    keys = source(network, clock=clock, cooldown=10, unknown_most=300)
    asked = []
    for second in range(0, 1200, 5):
        clock.now = 1000 + second
        before = len(network.fetched)
        await keys.look_for("long-gone")
        asked += [second] * (len(network.fetched) - before)
    assert asked == [0, 10, 30, 70, 150, 310, 610, 910]


async def test_c29_k01_a_kid_asked_for_in_vain_does_not_keep_others_waiting():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000)
    keys = source(network, clock=clock, cooldown=10)
    for now in (1000, 1010):
        clock.now = now
        await keys.look_for("long-gone")
    clock.now = 1020
    network.documents[KEYS_URL] = key_set(SIGNER, NEXT)
    await keys.look_for("long-gone")
    assert len(network.fetched) == 2
    await keys.look_for("k2")
    assert kids(keys.keys) == ["k1", "k2"]


async def test_c29_k01_an_outage_says_nothing_about_a_kid():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000)
    keys = source(network, clock=clock, cooldown=10)
    await keys.refresh()
    network.documents[KEYS_URL] = FetchError("down")
    for now in (1000, 1010, 1020):
        clock.now = now
        await keys.look_for("k2")
    network.documents[KEYS_URL] = key_set(NEXT)
    clock.now = 1030
    await keys.look_for("k2")
    assert kids(keys.keys) == ["k2"]


async def test_k02_a_key_published_while_a_fetch_was_under_way_is_fetched_too():
    network = Network({KEYS_URL: key_set(SIGNER)})
    keys = source(network)

    async def fetch(url, reach):
        fetched = await network.fetch(url, reach)
        network.documents[KEYS_URL] = key_set(SIGNER, NEXT)
        return fetched

    keys._fetch = fetch
    await asyncio.gather(keys.refresh(), keys.look_for("k2"))
    assert kids(keys.keys) == ["k1", "k2"]
    assert network.fetched == [KEYS_URL] * 2


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(SIGNER.token({**CLAIMS, "exp": 1}), id="expired"),
        pytest.param(SIGNER.token({**CLAIMS, "aud": "x"}), id="for another"),
        pytest.param(Signer(name="attacker").token(CLAIMS), id="badly signed"),
        pytest.param(SIGNER.token(CLAIMS, {"alg": "none"}), id="alg none"),
        pytest.param(SIGNER.token({**CLAIMS, "iss": "https://evil.example"}), id="of a stranger"),
        pytest.param(SIGNER.token(CLAIMS, {"kid": "k" * 513}), id="with a long kid"),
    ],
)
async def test_a_token_that_is_bad_for_another_reason_causes_no_fetch(token):
    async with gate() as verifier:
        assert await verdict(verifier, token) != "accepted"
        assert verifier.network.fetched == [KEYS_URL]


async def test_keys_are_fetched_again_and_again():
    network = Network({KEYS_URL: key_set(SIGNER)})
    async with gate(network=network, pace=replace(CALM, refresh=0)) as verifier:
        await until(lambda: len(network.fetched) > 5)
        network.documents[KEYS_URL] = key_set(NEXT)
        await until(lambda: kids(next(iter(verifier.issuers.sources.values())).keys) == ["k2"])


async def test_issuers_that_share_a_key_url_share_its_fetches():
    other = "https://login.example.com/realms/other"
    async with gate(settings(), settings(other)) as verifier:
        assert verifier.network.fetched == [KEYS_URL]
        for name in (ISSUER, other):
            assert await verdict(verifier, SIGNER.token({**CLAIMS, "iss": name})) == "accepted"


# Rotation


async def test_k02_the_first_token_of_a_new_key_succeeds():
    async with gate() as verifier:
        verifier.network.documents[KEYS_URL] = key_set(SIGNER, NEXT)
        assert await verdict(verifier, NEXT.token(CLAIMS)) == "accepted"
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_k02_the_first_500_tokens_of_a_new_key_succeed_with_one_fetch():
    async with gate() as verifier:
        verifier.network.documents[KEYS_URL] = key_set(NEXT)
        tokens = [NEXT.token({**CLAIMS, "sub": f"user-{number}"}) for number in range(500)]
        verdicts = await asyncio.gather(*(verdict(verifier, token) for token in tokens))
        assert set(verdicts) == {"accepted"}
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_c30_k02_a_key_that_is_removed_ends_what_it_signed_at_once():
    staying = Signer("staying")
    async with gate(network=Network({KEYS_URL: key_set(SIGNER, staying)})) as verifier:
        old, other = SIGNER.token(CLAIMS), staying.token(CLAIMS)
        assert await verdict(verifier, old) == "accepted"
        assert await verdict(verifier, other) == "accepted"
        verifier.network.documents[KEYS_URL] = key_set(NEXT, staying)
        assert await verdict(verifier, NEXT.token(CLAIMS)) == "accepted"
        assert await verdict(verifier, old) == "unknown_key"
        assert await verdict(verifier, other) == "accepted"


async def test_c30_k02_a_key_that_is_replaced_under_its_name_ends_what_it_signed_at_once():
    successor = Signer("k1", name="successor")
    async with gate() as verifier:
        old = SIGNER.token(CLAIMS)
        assert await verdict(verifier, old) == "accepted"
        verifier.network.documents[KEYS_URL] = key_set(successor)
        await next(iter(verifier.issuers.sources.values())).refresh()
        assert await verdict(verifier, old) == "bad_signature"
        assert await verdict(verifier, successor.token(CLAIMS)) == "accepted"


@pytest.mark.parametrize("published", [None, "k1"], ids=["nameless", "named"])
async def test_c30_k02_a_key_that_no_token_names_is_fetched_for_the_first_token_of_the_next(
    published,
):
    old, new = (Signer("none", name=name) for name in ("old", "new"))
    network = Network({KEYS_URL: key_set(old.jwk(kid=published))})
    async with gate(network=network) as verifier:
        token = old.token(CLAIMS, {"kid": None})
        assert await verdict(verifier, token) == "accepted"
        network.documents[KEYS_URL] = key_set(new.jwk(kid=published))
        assert await verdict(verifier, new.token(CLAIMS, {"kid": None})) == "accepted"
        assert await verdict(verifier, token) == "bad_signature"
        forged = Signer(name="attacker")
        for number in range(100):
            token = forged.token({**CLAIMS, "sub": str(number)}, {"kid": None})
            assert await verdict(verifier, token) == "bad_signature"
        assert network.fetched == [KEYS_URL] * 2


@pytest.mark.parametrize("members", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"d": "AQAB"}])
async def test_c30_a_key_that_is_no_longer_for_signatures_is_removed(members):
    async with gate() as verifier:
        old = SIGNER.token(CLAIMS)
        assert await verdict(verifier, old) == "accepted"
        verifier.network.documents[KEYS_URL] = key_set(SIGNER.jwk(**members), NEXT)
        await next(iter(verifier.issuers.sources.values())).refresh()
        assert await verdict(verifier, old) == "unknown_key"


async def test_c30_whoever_cares_is_told_which_keys_were_removed():
    removed = []
    network = Network({KEYS_URL: key_set(SIGNER, NEXT)})
    keys = source(network, removed=removed)
    await keys.refresh()
    gone = keys.keys.named("k1")[0].thumbprint
    network.documents[KEYS_URL] = key_set(NEXT, Signer("k3"))
    await keys.refresh()
    await keys.refresh()
    assert removed == [{gone}]


# Outages

UNUSABLE = {
    "an outage": FetchError("the connection was refused"),
    "null": None,
    "an empty object": {},
    "an empty list": [],
    "no keys": {"keys": []},
    "keys null": {"keys": None},
    "an error document": {"error": "temporarily_unavailable"},
    "a string": "<html>",
    "a number": 1,
    "bad keys alone": {
        "keys": [{"kty": "RSA"}, None, {"kty": ["EC"]}, {**SIGNER.jwk(), "alg": []}]
    },
    "an encryption key alone": {"keys": [SIGNER.jwk(use="enc")]},
    "more keys than anybody has": {"keys": [SIGNER.jwk()] * 1001},
}


@pytest.mark.parametrize("document", UNUSABLE.values(), ids=UNUSABLE)
async def test_c28_k04_the_last_good_keys_are_kept(document):
    removed = []
    network = Network({KEYS_URL: key_set(SIGNER)})
    keys = source(network, removed=removed)
    await keys.refresh()
    network.documents[KEYS_URL] = document
    await keys.refresh()
    assert kids(keys.keys) == ["k1"]
    assert keys.error is not None
    assert removed == []
    network.documents[KEYS_URL] = key_set(NEXT)
    await keys.refresh()
    assert kids(keys.keys) == ["k2"]
    assert keys.error is None


@pytest.mark.parametrize("document", UNUSABLE.values(), ids=UNUSABLE)
async def test_c28_k04_callers_notice_nothing_of_an_outage(document):
    async with gate() as verifier:
        verifier.network.documents[KEYS_URL] = document
        # it may be a good token of a new key: that cannot be said now
        assert await verdict(verifier, of_kid(1)) == "issuer_unavailable"
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        assert verifier.ready
        (state,) = verifier.state()
        assert (state.issuer, state.keys) == (ISSUER, 1)
        assert state.error


@pytest.mark.parametrize("document", UNUSABLE.values(), ids=UNUSABLE)
async def test_k03_an_issuer_that_is_down_at_the_start_recovers_by_itself(document):
    network = Network({KEYS_URL: document})
    async with gate(network=network, pace=replace(CALM, retry=0)) as verifier:
        assert not verifier.ready
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "issuer_unavailable"
        (state,) = verifier.state()
        assert state.keys == 0
        assert state.error
        network.documents[KEYS_URL] = key_set(SIGNER)
        await until(lambda: verifier.ready)
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        assert [state.error for state in verifier.state()] == [None]


async def test_k03_an_issuer_that_is_down_recovers_with_the_first_request_too():
    network = Network({})
    async with gate(network=network) as verifier:
        network.documents[KEYS_URL] = key_set(SIGNER)
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_while_an_issuer_is_down_requests_do_not_ask_it_each_time():
    async with gate(network=Network({})) as verifier:
        for number in range(100):
            assert await verdict(verifier, of_kid(number)) == "issuer_unavailable"
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_one_issuer_that_is_down_is_not_the_others_business():
    other, other_url = "https://other.example", "https://other.example/keys"
    async with gate(settings(), settings(other, keys=KeysFrom(jwks_url=other_url))) as verifier:
        assert not verifier.ready
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        theirs = SIGNER.token({**CLAIMS, "iss": other})
        assert await verdict(verifier, theirs) == "issuer_unavailable"


FRESH, STALE = 3600, 86_400


@pytest.mark.parametrize(
    ("later", "kept"),
    [(FRESH, True), (FRESH + STALE - 1, True), (FRESH + STALE, False), (10 * STALE, False)],
)
async def test_c28_k04_the_last_good_keys_serve_on_to_a_maximum_age(later, kept):
    removed, network, clock = [], Network({KEYS_URL: key_set(SIGNER)}), Clock(1000.0)
    keys = source(network, removed=removed, clock=clock, refresh=FRESH)
    await keys.refresh()
    network.documents[KEYS_URL] = FetchError("down")
    clock.now += later
    await keys.refresh()
    assert (keys.keys is not None) == kept
    assert len(removed) == (not kept)
    network.documents[KEYS_URL] = key_set(SIGNER)
    await keys.refresh()
    assert kids(keys.keys) == ["k1"]
    assert keys.age == 0


async def test_c28_k04_the_maximum_age_begins_where_the_issuer_calls_its_keys_stale():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}, max_age=7200), Clock(1000.0)
    keys = source(network, KeysFrom(jwks_url=KEYS_URL, max_stale=60), clock=clock)
    await keys.refresh()
    network.documents[KEYS_URL] = FetchError("down")
    for later, kept in ((7259, True), (7260, False)):
        clock.now = 1000 + later
        await keys.refresh()
        assert (keys.keys is not None) == kept


async def test_k10_a_gateway_that_was_suspended_for_days_asks_before_it_forgets():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000.0)
    keys = source(network, clock=clock)
    await keys.refresh()
    clock.now += 3 * STALE
    await keys.refresh()
    assert (kids(keys.keys), keys.age) == (["k1"], 0)


async def test_c28_k04_keys_that_are_too_old_end_remembered_verdicts_and_readiness():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000.0)
    keys = KeysFrom(jwks_url=KEYS_URL, max_stale=0)
    async with gate(settings(keys=keys), network=network) as verifier:
        (kept,) = verifier.issuers.sources.values()
        kept._clock = clock
        await kept.refresh()
        token = SIGNER.token(CLAIMS)
        assert await verdict(verifier, token) == "accepted"
        network.documents[KEYS_URL] = FetchError("down")
        clock.now += 3600
        await kept.refresh()
        assert await verdict(verifier, token) == "issuer_unavailable"
        assert not verifier.ready


async def test_an_issuer_that_is_not_required_does_not_hold_readiness_up():
    other, other_url = "https://other.example", KeysFrom(jwks_url="https://other.example/keys")
    for required in (True, False):
        issuers = (settings(), settings(other, keys=other_url, required=required))
        async with gate(*issuers) as verifier:
            assert verifier.ready == (not required)


# Bans


@pytest.mark.parametrize("banned", ["k1", "thumbprint"])
async def test_a_banned_key_signs_nothing_whatever_is_published(banned):
    network = Network({KEYS_URL: key_set(SIGNER, NEXT)})
    async with gate(network=network) as verifier:
        (keys,) = verifier.issuers.sources.values()
        thumbprint = keys.keys.named("k1")[0].thumbprint
        bans = frozenset({thumbprint if banned == "thumbprint" else banned})
    async with gate(settings(banned_keys=bans), network=network) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "revoked"
        assert await verdict(verifier, NEXT.token(CLAIMS)) == "accepted"
        assert await verdict(verifier, Signer(name="attacker").token(CLAIMS)) != "accepted"


async def test_a_banned_key_is_not_asked_for():
    async with gate(settings(banned_keys=frozenset({"k9"}))) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS, {"kid": "k9"})) == "revoked"
        assert verifier.network.fetched == [KEYS_URL]


async def test_a_banned_key_signs_nothing_for_tokens_that_name_no_key():
    async with gate(settings(banned_keys=frozenset({"k1"}))) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS, {"kid": None})) == "revoked"


async def test_a_ban_by_thumbprint_holds_for_a_key_that_must_be_fetched_first():
    later = Signer("later")
    banned = settings(banned_keys=frozenset({read_key(later.jwk()).thumbprint}))
    async with gate(banned) as verifier:
        verifier.network.documents[KEYS_URL] = key_set(SIGNER, later)
        assert await verdict(verifier, later.token(CLAIMS)) == "revoked"
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_a_ban_is_one_issuer_s_own():
    other = "https://login.example.com/realms/other"
    async with gate(settings(banned_keys=frozenset({"k1"})), settings(other)) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "revoked"
        assert await verdict(verifier, SIGNER.token({**CLAIMS, "iss": other})) == "accepted"


async def test_a_ban_that_is_loaded_anew_does_not_wait_for_the_key_server():
    async with gate() as former:
        network = Network({KEYS_URL: key_set(SIGNER)})
        banned = settings(banned_keys=frozenset({"k1"}))
        async with gate(banned, network=network, started=False) as verifier:
            verifier.adopt(former)
            never = asyncio.Event()
            (source,) = verifier.issuers.sources.values()
            network.fetch = source._fetch = lambda *_: never.wait()
            at_once(verifier.start())
            assert await verdict(verifier, SIGNER.token(CLAIMS)) == "revoked"


PACES = [
    {"refresh": 60},
    {"max_stale": 60},
    {"min_refresh": 10, "max_refresh": 60},
    {"unknown_key_cooldown": 1},
]


@pytest.mark.parametrize("pace", PACES, ids=" ".join)
@pytest.mark.parametrize("back", [False, True], ids=["first set", "given up"])
async def test_a_key_set_that_is_asked_for_more_often_is_still_the_same(pace, back):
    """The key server need not answer while the configuration changes."""
    changed = settings(keys=KeysFrom(jwks_url=KEYS_URL, **pace))
    before, after = (changed, settings()) if back else (settings(), changed)
    async with gate(before) as former, gate(after, network=Network({}), started=False) as verifier:
        verifier.adopt(former)
        assert verifier.ready
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_another_key_set_is_another():
    other = settings(keys=KeysFrom(jwks_url=f"{KEYS_URL}/other"))
    async with gate() as former, gate(other, network=Network({}), started=False) as verifier:
        verifier.adopt(former)
        assert not verifier.ready


async def test_c29_k01_a_reload_does_not_end_the_cooldown():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000.0)
    former = source(network, clock=clock, cooldown=10)
    await former.look_for("random-1")
    later = source(network, clock=clock, cooldown=10)
    later.adopt(former)
    for now, key_id, fetches in (
        (1005, "random-2", 1),
        (1009.9, "random-1", 1),
        (1010, "random-1", 2),
        # asked for twice in vain, and so not before 1030
        (1029.9, "random-1", 2),
        (1030, "random-1", 3),
    ):
        clock.now = now
        await later.look_for(key_id)
        assert len(network.fetched) == fetches, now


async def test_a_new_configuration_keeps_the_keys_of_the_old():
    async with gate() as former, gate(network=Network({}), started=False) as verifier:
        verifier.adopt(former)
        assert verifier.ready
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_c28_k04_a_reload_does_not_make_old_keys_young(caplog):
    keys_from = KeysFrom(jwks_url=KEYS_URL, max_stale=0)
    former = source(Network({KEYS_URL: key_set(SIGNER)}), keys_from)
    later = source(Network({}), keys_from)
    await former.refresh()
    former.fetched_at -= CALM.refresh
    later.adopt(former)
    assert later.age == former.age
    await later.refresh()
    assert later.keys is None
    assert "too old to be believed" in caplog.text


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (9, 30), (2000, 30)]
)
async def test_the_wait_after_failures_doubles_up_to_half_a_minute(failures, seconds):
    keys = source(Network({}), retry=1, retry_most=30)
    for _ in range(min(failures, 50)):
        await keys.refresh()
    keys._failures = failures
    assert keys._pause() == seconds


async def test_refreshes_are_spread_over_a_tenth_of_their_time():
    chance = iter((0.0, 0.5, 0.999))
    keys = source(Network({KEYS_URL: key_set(SIGNER)}), refresh=3600, chance=chance.__next__)
    await keys.refresh()
    assert [round(keys._pause()) for _ in range(3)] == [3600, 3420, 3240]


@pytest.mark.parametrize(
    ("max_age", "seconds"),
    [
        (None, 3600),
        (0, 300),
        (299, 300),
        (300, 300),
        (301, 301),
        (7200, 7200),
        (86_400, 86_400),
        (10**9, 86_400),
    ],
)
async def test_c29_an_issuer_says_how_long_its_keys_are_fresh_within_bounds(max_age, seconds):
    network = Network({KEYS_URL: key_set(SIGNER)}, max_age)
    keys = source(network, refresh=3600, least=300, most=86_400, chance=lambda: 0.0)
    await keys.refresh()
    assert keys._pause() == seconds


async def test_what_the_issuer_said_holds_until_it_says_something_else():
    network = Network({KEYS_URL: key_set(SIGNER)}, 7200)
    keys = source(network, refresh=3600, retry=1, chance=lambda: 0.0)
    await keys.refresh()
    network.documents[KEYS_URL] = FetchError("gone")
    await keys.refresh()
    assert keys._pause() == 1
    network.documents[KEYS_URL], network.max_age = key_set(SIGNER), None
    await keys.refresh()
    assert keys._pause() == 3600


def test_the_pace_unless_told_otherwise():
    assert Pace() == Pace(
        refresh=3600,
        least=300,
        most=86_400,
        retry=1,
        retry_most=30,
        cooldown=10,
        unknown_most=300,
    )


# Discovery (OpenID Connect Discovery 4.3)


@asynccontextmanager
async def discovering(metadata, documents=None, keys=DISCOVERY):
    documents = {KEYS_URL: key_set(SIGNER), **(documents or {})}
    network = Network({DISCOVERY_URL: metadata, **documents})
    async with gate(settings(keys=keys), network=network) as verifier:
        yield verifier


async def test_keys_are_found_by_discovery():
    async with discovering({"issuer": ISSUER, "jwks_uri": KEYS_URL}) as verifier:
        assert verifier.network.fetched == [DISCOVERY_URL, KEYS_URL]
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_a_key_url_that_moves_is_followed():
    moved = "https://keys.example.com/new"
    async with discovering({"issuer": ISSUER, "jwks_uri": KEYS_URL}) as verifier:
        verifier.network.documents |= {
            DISCOVERY_URL: {"issuer": ISSUER, "jwks_uri": moved},
            KEYS_URL: FetchError("gone"),
            moved: key_set(NEXT),
        }
        assert await verdict(verifier, NEXT.token(CLAIMS)) == "accepted"


METADATA = {
    "null": None,
    "a list": [],
    "an empty object": {},
    "no issuer": {"jwks_uri": KEYS_URL},
    "issuer null": {"issuer": None, "jwks_uri": KEYS_URL},
    "issuer a list": {"issuer": [ISSUER], "jwks_uri": KEYS_URL},
    "another issuer": {"issuer": "https://evil.example", "jwks_uri": KEYS_URL},
    "a slash after": {"issuer": f"{ISSUER}/", "jwks_uri": KEYS_URL},
    "another realm": {"issuer": ISSUER.replace("acme", "other"), "jwks_uri": KEYS_URL},
    "another case": {"issuer": ISSUER.upper(), "jwks_uri": KEYS_URL},
    "a template": {"issuer": ISSUER.replace("acme", "{tenantid}"), "jwks_uri": KEYS_URL},
    "no jwks_uri": {"issuer": ISSUER},
    "jwks_uri null": {"issuer": ISSUER, "jwks_uri": None},
    "jwks_uri a list": {"issuer": ISSUER, "jwks_uri": [KEYS_URL]},
    "jwks_uri empty": {"issuer": ISSUER, "jwks_uri": ""},
}
KEY_URLS = [
    "http://login.example.com/keys",
    "file:///etc/passwd",
    "ftp://login.example.com/keys",
    "data:application/json,{}",
    "//login.example.com/keys",
    "/keys",
    "keys",
    "https://",
    "https://user:password@login.example.com/keys",
    "https://login.example.com/keys#fragment",
    "https://login.example.com/ keys",
    "https://login.example.com/keys\r\nX: y",
    "https://[::1/keys",
    "https://login.example.com:port/keys",
    # on this machine
    "http://127.0.0.1/keys",
    "http://localhost/keys",
    "http://[::1]/keys",
    "https://127.0.0.1/keys",
    "https://127.8.9.10:8443/keys",
    "https://localhost/keys",
    "https://LOCALHOST./keys",
    "https://[::1]/keys",
    # the metadata services of clouds have no https
    "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.internal/",
]


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
async def test_c27_k07_metadata_that_are_not_the_issuer_s_own_are_not_used(metadata):
    async with discovering(metadata) as verifier:
        assert verifier.network.fetched == [DISCOVERY_URL]
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "issuer_unavailable"


@pytest.mark.parametrize("url", KEY_URLS)
async def test_k06_a_key_url_that_no_configuration_might_name_is_not_fetched(url):
    metadata = {"issuer": ISSUER, "jwks_uri": url}
    async with discovering(metadata, {url: key_set(SIGNER)}) as verifier:
        assert verifier.network.fetched == [DISCOVERY_URL]
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "issuer_unavailable"


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
async def test_c27_k07_metadata_that_turn_bad_leave_the_last_good_keys(metadata):
    async with discovering({"issuer": ISSUER, "jwks_uri": KEYS_URL}) as verifier:
        verifier.network.documents[DISCOVERY_URL] = metadata
        await next(iter(verifier.issuers.sources.values())).refresh()
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_a_provider_on_this_machine_may_name_keys_on_this_machine():
    here, keys = "http://127.0.0.1:8080/.well-known/openid-configuration", "http://127.0.0.1:8080/k"
    documents = {here: {"issuer": ISSUER, "jwks_uri": keys}, keys: key_set(SIGNER)}
    async with discovering(None, documents, KeysFrom(discovery_url=here)) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_issuers_that_share_a_discovery_url_are_each_checked():
    other = "https://login.example.com/realms/other"
    network = Network(
        {DISCOVERY_URL: {"issuer": ISSUER, "jwks_uri": KEYS_URL}, KEYS_URL: key_set(SIGNER)}
    )
    issuers = (settings(keys=DISCOVERY), settings(other, keys=DISCOVERY))
    async with gate(*issuers, network=network) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        theirs = SIGNER.token({**CLAIMS, "iss": other})
        assert await verdict(verifier, theirs) == "issuer_unavailable"


# Files


@pytest.fixture
def jwks_file(tmp_path):
    return tmp_path / "keys.json"


async def test_keys_come_from_a_file(jwks_file):
    jwks_file.write_text(json.dumps(key_set(SIGNER)))
    async with gate(settings(keys=KeysFrom(jwks_file=str(jwks_file)))) as verifier:
        assert verifier.ready
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        assert verifier.network.fetched == []


async def test_a_file_that_changes_is_read_again_for_an_unknown_key(jwks_file):
    jwks_file.write_text(json.dumps(key_set(SIGNER)))
    async with gate(settings(keys=KeysFrom(jwks_file=str(jwks_file)))) as verifier:
        jwks_file.write_text(json.dumps(key_set(NEXT)))
        assert await verdict(verifier, NEXT.token(CLAIMS)) == "accepted"
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "unknown_key"


FILES = {
    "empty": b"",
    "no JSON": b"<html>",
    "PEM": b"-----BEGIN PUBLIC KEY-----",
    "a name twice": b'{"keys":[],"keys":[]}',
    "no key": b'{"keys":[]}',
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(key_set(NEXT)).encode(),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
async def test_a_file_that_cannot_be_used_leaves_the_last_good_keys(jwks_file, content):
    jwks_file.write_text(json.dumps(key_set(SIGNER)))
    keys = source(Network({}), KeysFrom(jwks_file=str(jwks_file)))
    await keys.refresh()
    jwks_file.write_bytes(content)
    await keys.refresh()
    assert kids(keys.keys) == ["k1"]
    assert keys.error


async def test_a_file_that_is_missing_is_named(jwks_file):
    keys = source(Network({}), KeysFrom(jwks_file=str(jwks_file)))
    await keys.refresh()
    assert keys.keys is None
    assert str(jwks_file) in keys.error
    assert "No such file" in keys.error


async def test_what_a_server_says_is_kept_within_the_bounds_of_its_issuer():
    keys = KeysFrom(jwks_url=KEYS_URL, min_refresh=60, max_refresh=900)
    network = Network({KEYS_URL: key_set(SIGNER)})
    fetched = source(network, keys)
    for said, expected in ((0, 60), (60, 60), (300, 300), (86_400, 900)):
        network.max_age = said
        await fetched.refresh()
        assert fetched.fresh_for == expected


async def test_keys_that_must_be_fresh_are_fetched_more_often_than_the_usual_least():
    network = Network({KEYS_URL: key_set(SIGNER)}, max_age=3600)
    fetched = source(network, KeysFrom(jwks_url=KEYS_URL, max_refresh=60))
    await fetched.refresh()
    assert fetched.fresh_for == 60


async def test_c29_k01_the_cooldown_is_that_of_the_issuer():
    network, clock = Network({KEYS_URL: key_set(SIGNER)}), Clock(1000.0)
    keys = source(network, KeysFrom(jwks_url=KEYS_URL, unknown_key_cooldown=2), clock=clock)
    for now, fetches in ((1000, 1), (1001.9, 1), (1002, 2), (1003.9, 2), (1004, 3)):
        clock.now = now
        await keys.look_for(f"random-{now}")
        assert len(network.fetched) == fetches


async def test_an_issuer_may_be_asked_more_often_than_by_default():
    keys = KeysFrom(jwks_url=KEYS_URL, refresh=60)
    async with gate(settings(keys=keys)) as verifier:
        (source,) = verifier.issuers.sources.values()
        assert source.fresh_for == 60
        verifier.network.max_age = 900
        await source.refresh()
        assert source.fresh_for == 900
