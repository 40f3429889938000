"""``GET /metrics``: for whoever is admitted, and about nobody."""

import asyncio
import json
import re
import tempfile
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rolecall.gateway.workers import Workers
from rolecall.record import Figures
from tests.parts.clock import when_due

from .parts import serving
from .parts.doors import CHAT, refused
from .parts.tokens import FOREIGN_KEY, ISSUER, token

KEY = "rolecall_" + "b2" * 32
ENTRY = {
    "hash": f"sha256:{sha256(KEY.encode()).hexdigest()}",
    "subject": "prometheus",
    "roles": ["scraper"],
    "expires": "never",
}
SCRAPER = ("Authorization", f"Bearer {KEY}")


@pytest.fixture
def start(tmp_path, upstream):
    def start(**sections):
        return serving.running(tmp_path, serving.configuration(tmp_path, upstream.url, **sections))

    return start


def samples(reply):
    assert reply.status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


def test_without_a_configuration_there_are_no_metrics(gateway):
    sentence = refused(gateway.get("/metrics"), "not_found", "openai")
    assert "metrics:" in sentence


def test_metrics_may_be_for_everybody(start):
    with start(metrics={"roles": "any"}) as gateway:
        reply = gateway.get("/metrics", authorised=False)
        assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert reply.headers["cache-control"] == "no-store"
        found = samples(reply)
        assert found["rolecall_issuer_ready", ISSUER] == 1
        assert found["rolecall_key_set_keys", ISSUER] == 1


def test_metrics_are_for_callers_with_a_role_where_it_is_named(start):
    with start(metrics={"roles": ["scraper"]}, keys=[ENTRY]) as gateway:
        refused(gateway.get("/metrics", authorised=False), "missing_token", "openai")
        forged = ("x-api-key", token("scraper", key=FOREIGN_KEY))
        refused(gateway.get("/metrics", forged, authorised=False), "bad_signature", "openai")
        sentence = refused(gateway.get("/metrics"), "endpoint_not_allowed", "openai")
        assert sentence == "Your roles (internal_user) may not read the metrics."
        nobody = ("x-api-key", token())
        sentence = refused(
            gateway.get("/metrics", nobody, authorised=False), "endpoint_not_allowed", "openai"
        )
        assert sentence == "Your roles (none) may not read the metrics."
        assert samples(gateway.get("/metrics", SCRAPER, authorised=False))


def test_what_happened_is_counted(start):
    with start(metrics={"roles": "any"}) as gateway:
        for _ in range(3):
            assert gateway.post(CHAT.path, CHAT.body()).status == 200
        for _ in range(2):
            forged = ("x-api-key", token("basic_user", key=FOREIGN_KEY))
            gateway.post(CHAT.path, CHAT.body(), forged, authorised=False)
        gateway.get("/v1/models", ("x-api-key", "junk"), authorised=False)
        found = samples(gateway.get("/metrics", authorised=False))
        assert found["rolecall_verdicts_total", ISSUER, "accepted"] == 1
        assert found["rolecall_verdicts_remembered_total", ISSUER] == 2
        assert found["rolecall_verdicts_total", ISSUER, "bad_signature"] == 2
        assert found["rolecall_verdicts_total", "", "malformed_token"] == 1
        assert found["rolecall_verdict_cache_entries",] == 1
        assert found["rolecall_reloads_total", "applied"] == 0


def test_metrics_are_about_nobody(start):
    who = {"sub": "SENTINEL-sub", "email": "SENTINEL@example.com", "client_id": "SENTINEL-client"}
    with start(metrics={"roles": ["scraper"]}, keys=[ENTRY]) as gateway:
        for claims in (who, {**who, "exp": 1}, {**who, "iss": "https://SENTINEL.example"}):
            gateway.get(
                "/v1/models", ("x-api-key", token("basic_user", **claims)), authorised=False
            )
        body = gateway.get("/metrics", SCRAPER, authorised=False).body.decode()
        assert "SENTINEL" not in body
        assert "prometheus" not in body
        assert not re.search(r"[0-9a-f]{32}", body)


def test_other_methods_are_told_what_is_right(gateway):
    assert "GET" in refused(gateway.post("/metrics", {}), "not_found", "openai")


# Several processes


def figures(number):
    return Figures(issuers=[], verdicts=number, reloads={"applied": number})


@pytest.fixture
def folder():
    # a Unix socket's path is short: pytest's own folders are too deep for it
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def worker(folder, number):
    worker = Workers(folder, lambda: figures(number))
    worker._name = str(number)
    return worker


async def test_the_only_process_speaks_for_itself():
    alone = Workers(None, lambda: figures(1))
    await alone.start()
    assert await alone.figures() == {"": figures(1)}
    await alone.stop()


async def test_each_process_speaks_for_all(folder):
    workers = [worker(folder, number) for number in (11, 12, 13)]
    async with AsyncExitStack() as running:
        for one in workers:
            await one.start()
            running.push_async_callback(one.stop)
        for one in workers:
            assert await one.figures() == {str(n): figures(n) for n in (11, 12, 13)}
        assert next(iter(await workers[1].figures())) == "12"
    assert list(folder.iterdir()) == []


async def test_a_process_that_died_is_forgotten(folder):
    living, dead = worker(folder, 1), worker(folder, 2)
    await living.start()
    await dead.start()
    dead._server.close()
    assert (folder / "2").exists()
    assert await living.figures() == {"1": figures(1)}
    assert not (folder / "2").exists()
    await living.stop()


async def test_a_process_that_hangs_or_talks_nonsense_keeps_nobody_waiting(folder, monkeypatch):
    monkeypatch.setattr("rolecall.gateway.workers._PATIENCE", 600)
    asked, over, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hang(_, writer):
        asked.set()
        await over.wait()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async def talk(_, writer):
        writer.write(json.dumps({"issuers": "?"}).encode())
        writer.close()

    one = worker(folder, 1)
    await one.start()
    hanging = await asyncio.start_unix_server(hang, folder / "2")
    talking = await asyncio.start_unix_server(talk, folder / "3")
    asking = asyncio.create_task(one.figures())
    await asked.wait()
    assert await when_due(600, asking) == {"1": figures(1)}
    over.set()
    await gone.wait()
    for server in (hanging, talking):
        server.close()
    await one.stop()
