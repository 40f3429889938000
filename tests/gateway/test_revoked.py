"""What was revoked stays revoked: through a reload, a restart, and in every process."""

import json
from contextlib import ExitStack

import pytest

from rolecall.gateway import compile_snapshot
from rolecall.identity import StoreError

from .parts import revoking, serving
from .parts.doors import CHAT, WAYS, code_of
from .parts.http import connected, message
from .parts.polling import wait_until
from .parts.revoking import listed, revoke, take_back
from .parts.tokens import token

HERS = token("basic_user", sub="jane")


def status(gateway):
    reply = gateway.post(CHAT.path, CHAT.body(), ("x-api-key", HERS), authorised=False)
    return reply.status


def test_a_reload_and_a_restart_forget_nothing(tmp_path, upstream):
    sections = revoking.configuration(tmp_path, upstream.url)
    with serving.running(tmp_path, sections) as gateway:
        assert revoke(gateway, sub="jane").status == 201
        snapshot = compile_snapshot(serving.settings_of(tmp_path, sections))
        gateway.await_in_loop(gateway.app.replace(snapshot))
        assert status(gateway) == 401
    with serving.running(tmp_path, sections) as gateway:
        assert status(gateway) == 401
        (entry,) = listed(gateway)["revocations"]
        assert take_back(gateway, entry["id"]).status == 200
        assert status(gateway) == 200


def reload(gateway, folder, sections):
    snapshot = compile_snapshot(serving.settings_of(folder, sections))
    gateway.await_in_loop(gateway.app.replace(snapshot))


def test_a_reload_that_names_another_file_forgets_nothing(tmp_path, upstream):
    sections = revoking.configuration(tmp_path, upstream.url)
    moved = revoking.configuration(tmp_path, upstream.url, file=str(tmp_path / "other.db"))
    with serving.running(tmp_path, sections) as gateway:
        assert revoke(gateway, sub="jane").status == 201
        (entry,) = listed(gateway)["revocations"]
        reload(gateway, tmp_path, moved)
        assert status(gateway) == 401
        assert listed(gateway)["revocations"] == [entry]
        assert revoke(gateway, sub="john").status == 201
    with serving.running(tmp_path, moved) as gateway:
        assert status(gateway) == 401
        assert len(listed(gateway)["revocations"]) == 2
        assert take_back(gateway, entry["id"]).status == 200
        assert status(gateway) == 200


def test_a_reload_may_name_the_first_file(tmp_path, upstream):
    with serving.running(tmp_path, serving.configuration(tmp_path, upstream.url)) as gateway:
        reload(gateway, tmp_path, revoking.configuration(tmp_path, upstream.url))
        assert revoke(gateway, sub="jane").status == 201
        assert status(gateway) == 401


@pytest.mark.parametrize("file", [None, "folder"])
def test_a_reload_whose_file_cannot_be_kept_to_changes_nothing(tmp_path, upstream, file):
    sections = revoking.configuration(tmp_path, upstream.url)
    (tmp_path / "folder").mkdir()
    with serving.running(tmp_path, sections) as gateway:
        assert revoke(gateway, sub="jane").status == 201
        candidate = serving.configuration(tmp_path, upstream.url, rules=[])
        if file is not None:
            candidate["revocations"] = {"file": str(tmp_path / file)}
        with pytest.raises(StoreError):
            reload(gateway, tmp_path, candidate)
        assert status(gateway) == 401
        assert gateway.get("/v1/models").status == 200
        assert gateway.get("/v1/models").json["data"]


def test_every_process_knows_within_a_second_or_two(tmp_path, upstream):
    sections = revoking.configuration(tmp_path, upstream.url)
    with ExitStack() as stack:
        one, other = (stack.enter_context(serving.running(tmp_path, sections)) for _ in range(2))
        assert status(other) == 200
        number = revoke(one, sub="jane").json["id"]
        wait_until(lambda: status(other) == 401, "the other process knows")
        assert take_back(other, number).status == 200
        wait_until(lambda: status(one) == 200, "the first one knows too")


def test_the_file_is_for_its_owner_alone(tmp_path, upstream):
    with serving.running(tmp_path, revoking.configuration(tmp_path, upstream.url)):
        for file in tmp_path.glob("revocations.db*"):
            assert file.stat().st_mode & 0o077 == 0, file


def begin(gateway, connection, door, **fields):
    body = json.dumps(door.body(**fields)).encode()
    headers = [("Content-Type", "application/json"), ("x-api-key", HERS)]
    connection.send(message("POST", door.path, headers, body))


@pytest.fixture
def held_back(upstream):
    """An upstream that begins its stream, and goes on when the gate is opened."""
    gate = upstream.gate()

    async def answer(received, wire):
        await wire.events(*held_back.events[:-1])
        await gate.wait()
        await wire.chunk(held_back.events[-1])
        await wire.write(b"0\r\n\r\n")

    def held_back(door):
        held_back.events = door.events
        upstream.answer = answer
        return gate

    yield held_back
    gate.open()


@pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)
def test_a_stream_ends_with_an_error_event_when_its_caller_is_revoked(
    tmp_path, upstream, held_back, door
):
    held_back(door)
    sections = revoking.configuration(tmp_path, upstream.url, end_streams=True)
    with serving.running(tmp_path, sections) as gateway, connected(gateway.port) as connection:
        begin(gateway, connection, door, stream=True)
        head = connection.head()
        assert head.status == 200
        received = connection.piece()
        assert revoke(gateway, sub="john").status == 201
        assert revoke(gateway, sub="jane").status == 201
        while piece := connection.piece():
            received += piece
        event = received.rstrip().split(b"\n\n")[-1]
        assert event.startswith(b"event: error\n") is (door.form == "anthropic")
        error = json.loads(event.partition(b"data: ")[2])
        assert code_of(error, door.form, head.headers["x-request-id"]) == "revoked"
        assert b"[DONE]" not in received
        assert b"message_stop" not in received


def test_an_answer_that_has_not_begun_is_the_refusal(tmp_path, upstream):
    gate = upstream.gate()

    async def answer(received, wire):
        await gate.wait()

    upstream.answer = answer
    sections = revoking.configuration(tmp_path, upstream.url, end_streams=True)
    with serving.running(tmp_path, sections) as gateway, connected(gateway.port) as connection:
        begin(gateway, connection, CHAT)
        wait_until(lambda: upstream.received, "the upstream is asked")
        assert revoke(gateway, sub="jane").status == 201
        CHAT.refused(connection.reply(), "revoked")
        gate.open()


def test_a_reload_ends_answers_too(tmp_path, upstream, held_back):
    held_back(CHAT)
    sections = revoking.configuration(tmp_path, upstream.url, end_streams=True)
    with serving.running(tmp_path, sections) as gateway, connected(gateway.port) as connection:
        begin(gateway, connection, CHAT, stream=True)
        assert connection.head().status == 200
        entry = {"issuer": sections["issuers"][0]["issuer"], "sub": "jane"}
        sections["revocations"]["entries"] = [entry]
        snapshot = compile_snapshot(serving.settings_of(tmp_path, sections))
        gateway.await_in_loop(gateway.app.replace(snapshot))
        received = b""
        while piece := connection.piece():
            received += piece
        assert b'"revoked"' in received


def test_where_it_is_not_asked_for_a_stream_goes_on(tmp_path, upstream, held_back):
    gate = held_back(CHAT)
    sections = revoking.configuration(tmp_path, upstream.url)
    with serving.running(tmp_path, sections) as gateway, connected(gateway.port) as connection:
        begin(gateway, connection, CHAT, stream=True)
        assert connection.head().status == 200
        assert revoke(gateway, sub="jane").status == 201
        gate.open()
        received = b""
        while piece := connection.piece():
            received += piece
        assert received.endswith(b"data: [DONE]\n\n")


def test_the_metrics_tell_of_revocations(tmp_path, upstream, held_back):
    held_back(CHAT)
    sections = revoking.configuration(tmp_path, upstream.url, end_streams=True)
    sections["metrics"] = {"roles": "any"}
    with serving.running(tmp_path, sections) as gateway, connected(gateway.port) as connection:
        begin(gateway, connection, CHAT, stream=True)
        assert connection.head().status == 200
        assert revoke(gateway, sub="jane").status == 201
        while connection.piece():
            pass
        told = gateway.get("/metrics", authorised=False).body.decode().splitlines()
        assert "rolecall_revocations 1.0" in told
        assert 'rolecall_revoked_total{cause="administrator"} 1.0' in told
        assert 'rolecall_revoked_total{cause="logout"} 0.0' in told
        assert "rolecall_answers_ended_total 1.0" in told
