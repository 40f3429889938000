"""A configuration is replaced whole, or not at all."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest
import yaml

from rolecall.config import file_state, load
from rolecall.gateway import Gateway, compile_snapshot, follow

from .parts import serving
from .parts.doors import CHAT, ENDPOINTS, WAYS
from .parts.http import connected, exchange, message
from .parts.polling import SECONDS, wait_until
from .parts.tokens import KEY, token

JSON = ("Content-Type", "application/json")


def replaced(gateway, folder, sections):
    snapshot = compile_snapshot(serving.settings_of(folder, sections))
    gateway.await_in_loop(gateway.app.replace(snapshot))


@pytest.fixture
def own_gateway(tmp_path, upstream):
    sections = serving.configuration(tmp_path, upstream.url)
    with serving.running(tmp_path, sections) as gateway:
        yield gateway


def test_a_new_snapshot_decides_from_now_on(own_gateway, upstream, tmp_path):
    for door in ENDPOINTS:
        assert own_gateway.post(door.path, door.body()).status == 200
    rules = [{"allow": ["guest"], "models": ["*"]}]
    replaced(own_gateway, tmp_path, serving.configuration(tmp_path, upstream.url, rules=rules))
    for door in ENDPOINTS:
        reply = own_gateway.post(door.path, door.body())
        door.refused(reply, "model_not_allowed")
        guest = ("x-api-key", token("guest"))
        assert own_gateway.post(door.path, door.body(), guest, authorised=False).status == 200


def test_a_new_snapshot_keeps_the_keys_that_it_cannot_fetch_anew(own_gateway, upstream, tmp_path):
    sections = serving.configuration(tmp_path, upstream.url)
    (tmp_path / "keys.json").unlink()
    replaced(own_gateway, tmp_path, sections | {"limits": {"body_bytes": 2048}})
    replaced(own_gateway, tmp_path, sections)
    assert own_gateway.get("/readyz").status == 200
    fresh = ("x-api-key", token("basic_user", jti="fresh"))
    assert own_gateway.post(CHAT.path, CHAT.body(), fresh, authorised=False).status == 200


def test_how_much_is_remembered_is_what_the_new_configuration_says(own_gateway, upstream, tmp_path):
    def call(number):
        fresh = ("x-api-key", token("basic_user", jti=f"{number}"))
        reply = own_gateway.post(CHAT.path, CHAT.body(), fresh, authorised=False)
        assert reply.status == 200
        return own_gateway.app._snapshot.verifier.memory

    assert [call(number) for number in range(80)][-1] == 80
    small = {"limits": {"remembered_tokens": 64}}
    replaced(own_gateway, tmp_path, serving.configuration(tmp_path, upstream.url) | small)
    assert max(call(number) for number in range(80)) == 64
    replaced(own_gateway, tmp_path, serving.configuration(tmp_path, upstream.url))
    assert [call(number) for number in range(80)][-1] == 80


def test_a_key_that_is_banned_ends_its_tokens_with_the_new_snapshot(
    own_gateway, upstream, tmp_path
):
    assert own_gateway.post(CHAT.path, CHAT.body()).status == 200
    sections = serving.configuration(tmp_path, upstream.url)
    sections["issuers"][0]["banned_keys"] = [KEY.kid]
    replaced(own_gateway, tmp_path, sections)
    CHAT.refused(own_gateway.post(CHAT.path, CHAT.body()), "revoked")


@pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)
def test_a_request_under_way_keeps_its_snapshot(own_gateway, upstream, tmp_path, door):
    body = json.dumps(door.body(stream=True)).encode()
    headers = [JSON, ("x-api-key", own_gateway.token), ("Content-Length", str(len(body)))]
    gate = upstream.gate()

    async def answer(received, wire):
        await wire.events(*door.events[:3])
        await gate.wait()
        for event in door.events[3:]:
            await wire.chunk(event)
        await wire.write(b"0\r\n\r\n")

    upstream.answer = answer
    with connected(own_gateway.port) as streaming, connected(own_gateway.port) as sending:
        streaming.send(message("POST", door.path, headers, body))
        assert streaming.head().status == 200
        sending.send(message("POST", door.path, [*headers, ("Expect", "100-continue")]))
        assert b"100 Continue" in sending.socket.recv(65536)

        nothing = serving.configuration(tmp_path, upstream.url, rules=[], models=[])
        replaced(own_gateway, tmp_path, nothing)
        door.refused(own_gateway.post(door.path, door.body()), "model_not_allowed")

        gate.open()
        sending.send(body)
        assert sending.head().status == 200
        received = b""
        while piece := streaming.piece():
            received += piece
        assert (b"[DONE]" if door.form == "openai" else b"message_stop") in received


class Process:
    """``rolecall serve`` as people start it."""

    def __init__(self, file, *options):
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [sys.executable, "-m", "rolecall", "serve", "--config", str(file), "--port", "0"]
        self._popen = subprocess.Popen(
            [*command, *options], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self._popen.stderr:
            self.log += line.decode()

    def await_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.log), f"{pattern} in the log")

    def hang_up(self):
        self._popen.send_signal(signal.SIGHUP)

    def end(self):
        """Ask it to end, and see that it does so in order."""
        self._popen.terminate()
        try:
            status = self._popen.wait(SECONDS)
        finally:
            self._popen.kill()
            self._popen.wait()
            self._reader.join()
            self._popen.stderr.close()
        assert status == 0, self.log


@contextmanager
def served(file, *options):
    process = Process(file, *options)
    try:
        process.port = int(process.await_log(r"listening on http://127\.0\.0\.1:(\d+)")[1])
        wait_until(lambda: is_alive(process.port), "the gateway answers")
        yield process
    finally:
        process.end()


def is_alive(port):
    try:
        return exchange(port, message("GET", "/livez"), "GET").status == 200
    except ConnectionRefusedError:
        return False


def replace(file, text):
    """Write a file in one step, or half of it might be read."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def asked(process, model, credential):
    body = json.dumps(CHAT.body(model=model)).encode()
    return exchange(process.port, message("POST", CHAT.path, [JSON, credential], body))


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
def test_a_served_file_is_followed(tmp_path, upstream):
    sections = serving.configuration(tmp_path, upstream.url)
    keys = tmp_path / "keys.json"
    file = tmp_path / "rolecall.yaml"

    def write(**changes):
        replace(file, yaml.safe_dump(sections | changes))

    def status(model):
        return asked(process, model, ("x-api-key", token("basic_user"))).status

    open_rules = [{"allow": ["internal_user"], "models": ["*"]}]
    write()
    with served(file, "--log-format", "json") as process:
        wait_until(lambda: status("gpt") == 200, "the gateway is up")
        assert status("secret") == 403

        write(rules=open_rules)
        wait_until(lambda: status("secret") == 200, "the change has taken effect")
        process.await_log("the configuration was reloaded")

        write(rules=[{"allow": ["internal_user"], "modles": ["gpt"]}])
        process.await_log("unknown key: did you mean models")
        process.await_log("the former one serves on")
        assert status("secret") == 200
        file.unlink()
        process.await_log("cannot be read")
        assert status("secret") == 200

        write()
        wait_until(lambda: status("secret") == 403, "the file is back")

        # nothing of the file changes, so that only the signal can be the reason
        keys.write_text(keys.read_text().replace('"k1"', '"k9"'))

        def reloads(number):
            return process.log.count("the configuration was reloaded") == number

        wait_until(lambda: reloads(2), "the log tells of both changes")
        process.hang_up()
        wait_until(lambda: reloads(3), "SIGHUP is heard")
        wait_until(lambda: status("gpt") == 401, "the keys are read again")

        credential = token("basic_user", sub="line\nfeed\x1b[31m")
        asked(process, 'secret\r\n{"level":"error"}', ("Authorization", f"Bearer {credential}"))
        in_the_query = message("GET", f"/v1/models?access_token={credential}")
        assert exchange(process.port, in_the_query, "GET").status == 401
    lines = [json.loads(line) for line in process.log.splitlines()]
    refusals = [line for line in lines if line["message"] == "refused"]
    assert all(
        {"time", "level", "request_id", "reason", "status"} <= set(line) for line in refusals
    )
    assert {line["reason"] for line in refusals} == {
        "model_not_allowed",
        "unknown_key",
        "missing_token",
    }
    assert "eyJ" not in process.log
    assert "Traceback" not in process.log


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_sighup_that_comes_before_anybody_listens_for_it_is_heard_later(
    tmp_path, upstream, workers
):
    file = tmp_path / "rolecall.yaml"
    file.write_text(yaml.safe_dump(serving.configuration(tmp_path, upstream.url)))
    process = Process(file, "--workers", str(workers))
    try:
        process.await_log("listening on")
        process.hang_up()
        heard = "the configuration was reloaded"
        wait_until(lambda: process.log.count(heard) == workers, "each has heard it")
    finally:
        process.end()


async def test_included_files_are_followed_too(tmp_path):
    team, more = tmp_path / "team.yaml", tmp_path / "more.yaml"
    team.write_text("rules: []")
    more.write_text("rules: []")
    include = [{"file": "team.yaml"}]
    sections = serving.configuration(tmp_path, "http://127.0.0.1:1", include=include)
    gateway = Gateway(compile_snapshot(serving.settings_of(tmp_path, sections)))
    file = tmp_path / "rolecall.yaml"
    following = asyncio.create_task(follow(gateway, file, lambda: load(file, {}), every=0.01))

    async def followed(changed, text, *files):
        def reached():
            # written again and again, since nobody tells when the first look was taken
            replace(changed, text)
            return gateway.files == tuple(map(str, files))

        await asyncio.to_thread(wait_until, reached, f"{files} are followed")

    await followed(team, "include: [{file: more.yaml}]", file, team, more)
    replace(more, "include: [{file: absent.yaml}]")
    await followed(team, "rules: []", file, team)
    following.cancel()


async def test_a_change_between_reading_and_following_is_not_missed(tmp_path):
    """While a gateway starts, keys are fetched, which may take seconds."""
    sections = serving.configuration(tmp_path, "http://127.0.0.1:1")
    gateway = Gateway(compile_snapshot(serving.settings_of(tmp_path, sections)))
    file = tmp_path / "rolecall.yaml"
    seen = file_state(file)
    file.write_text(yaml.safe_dump(sections | {"rules": []}))
    following = asyncio.create_task(
        follow(gateway, file, lambda: load(file, {}), seen=seen, every=0.01)
    )
    await asyncio.to_thread(wait_until, lambda: gateway.reloads["applied"], "it is read anew")
    following.cancel()


async def test_a_reload_that_would_believe_again_what_was_revoked_is_rejected(tmp_path, caplog):
    caplog.set_level("INFO")
    kept = {"revocations": {"file": str(tmp_path / "revocations.db")}}
    sections = serving.configuration(tmp_path, "http://127.0.0.1:1", **kept)
    gateway = Gateway(compile_snapshot(serving.settings_of(tmp_path, sections)))
    file = tmp_path / "rolecall.yaml"
    seen = file_state(file)
    file.write_text(yaml.safe_dump(serving.configuration(tmp_path, "http://127.0.0.1:1")))
    async with lived(gateway):
        following = asyncio.create_task(
            follow(gateway, file, lambda: load(file, {}), seen=seen, every=0.01)
        )
        await asyncio.to_thread(wait_until, lambda: gateway.reloads["rejected"], "it is read")
        following.cancel()
    assert "revocations.file is gone from the configuration" in caplog.text
    assert gateway.reloads["applied"] == 0


@asynccontextmanager
async def lived(gateway):
    """An application between its startup and its shutdown, as ASGI servers tell it."""
    told, heard = asyncio.Queue(), asyncio.Queue()
    await told.put({"type": "lifespan.startup"})
    life = asyncio.create_task(gateway({"type": "lifespan"}, told.get, heard.put))
    assert (await heard.get())["type"] == "lifespan.startup.complete"
    yield
    await told.put({"type": "lifespan.shutdown"})
    await life


def test_a_text_log_escapes_what_callers_send(tmp_path, upstream):
    sections = serving.configuration(tmp_path, upstream.url)
    file = tmp_path / "rolecall.yaml"
    file.write_text(yaml.safe_dump(sections))
    credential = ("x-api-key", token("basic_user", sub="john\n00:00:00 ERROR \x1b[31mforged"))
    with served(file) as process:
        wait_until(lambda: asked(process, "gpt", credential).status == 200, "the gateway is up")
        reply = asked(process, "gpt\r\n00:00:00 ERROR forged\x1b[2J\x00\u2028", credential)
        assert reply.status == 403
        process.await_log("reason=model_not_allowed")
    (line,) = [line for line in process.log.splitlines() if "reason=" in line]
    assert f"request_id={reply.headers['x-request-id']}" in line
    assert r"subject=john\n00:00:00 ERROR \x1b[31mforged" in line
    assert r"model=gpt\r\n00:00:00 ERROR forged\x1b[2J\x00\u2028" in line
    assert "eyJ" not in process.log
    assert all(
        re.match(r"\d\d:\d\d:\d\d (INFO|WARNING) ", line) for line in process.log.splitlines()
    )
