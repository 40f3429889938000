"""Keys turn, are replaced and cannot be had, while callers never stop asking.

No good token is ever refused, and none is accepted whose key is gone.
"""

import re
import time

import pytest

from .parts import token_load
from .parts.native import native
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

# `Pace.cooldown`: one fetch for an unknown key in so many seconds
COOLDOWN = 10


@pytest.fixture(autouse=True)
def a_healthy_key_server(oidc_provider):
    yield
    oidc_provider.key_server()


def served(callers, token, times=20):
    """Wait until a token was answered so often, and give what it got."""
    wait_until(lambda: len(callers.of(token)) >= times, what="requests")
    return set(callers.of(token))


def test_rotation_outage_and_emergency_under_load(start_gateway, oidc_provider, upstream, note):
    gateway = start_gateway(**native(oidc_provider, upstream))
    first = oidc_provider.token()
    with token_load.running(gateway.url, [first]) as callers:
        assert served(callers, first) == {200}

        # a new key, published with the first token that it signs; the old one stays
        oidc_provider.rotate()
        second = oidc_provider.token()
        callers.tokens = [first, second]
        assert served(callers, second, 200) == {200}
        rotated = time.monotonic()

        # a dead key server, and then one that never ends
        fetches = oidc_provider.key_set_fetches()
        oidc_provider.key_server(down=True)
        third = oidc_provider.token()
        callers.tokens = [first, second, third]
        assert served(callers, third, 200) == {200}
        oidc_provider.key_server(delay_ms=60_000)
        assert served(callers, third, 400) == {200}
        assert oidc_provider.key_set_fetches() == fetches
        oidc_provider.key_server()

        # an emergency: the old keys are gone at once
        wait_until(lambda: time.monotonic() > rotated + COOLDOWN, what="cooldown")
        emergency = time.monotonic()
        oidc_provider.replace_keys()
        fourth = oidc_provider.token()
        callers.tokens = [fourth, first, second, third]
        assert served(callers, fourth) == {200}
        gone = time.monotonic()
        served(callers, fourth, 200)
    good = [
        one for one in callers.asked if one.token == fourth or one.began + one.seconds < emergency
    ]
    assert {one.status for one in good} == {200}
    for token in (first, second, third):
        after = callers.of(token, since=gone)
        assert len(after) >= 20
        assert set(after) == {401}
    note(f"rotation, outage and emergency under load: {summary(callers, gateway)}")


def test_a_flood_of_made_up_keys_under_load(start_gateway, oidc_provider, upstream, forge, note):
    gateway = start_gateway(**native(oidc_provider, upstream))
    good = oidc_provider.token()
    fetches = oidc_provider.key_set_fetches()
    forged = [forge(oidc_provider.issuer, f"nobody-{number}") for number in range(500)]
    began = time.monotonic()
    with (
        token_load.running(gateway.url, forged) as flood,
        token_load.running(gateway.url, [good], 2) as calm,
    ):
        wait_until(lambda: len(flood.asked) >= 3000, what="a flood")
        assert served(calm, good, 100) == {200}
    assert {one.status for one in flood.asked} == {401}
    allowed = 1 + (time.monotonic() - began) // COOLDOWN
    assert 1 <= oidc_provider.key_set_fetches() - fetches <= allowed
    note(f"beside a flood of made-up keys: {summary(calm, gateway)}")


def summary(callers, gateway):
    taken = sorted(one.seconds for one in callers.asked)
    p99 = taken[int(len(taken) * 0.99)] * 1000
    metrics = ask(f"{gateway.url}/metrics").body.decode()
    fetches = re.search(r"^rolecall_key_set_fetches_total.* (\S+)$", metrics, re.MULTILINE)[1]
    return f"{len(taken)} requests, p99 {p99:.1f} ms, {float(fetches):.0f} fetches of keys"
