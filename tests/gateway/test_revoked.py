"""What was revoked stays revoked: through a reload, a restart, and in every process."""

from contextlib import ExitStack

from rolecall.gateway import compile_snapshot

from .parts import revoking, serving
from .parts.doors import CHAT
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
