"""The gateway under its own server, in a thread."""

import asyncio
import json
import threading
from contextlib import contextmanager

import uvicorn
import yaml

from rolecall.config import load
from rolecall.gateway import Gateway, compile_snapshot, server_config
from rolecall.record import Recorder
from tests.parts.clock import Asyncio

from .http import connected, exchange, message
from .polling import SECONDS, wait_until
from .tokens import AUDIENCE, ISSUER, KEY_SET, token

ROLES = ("basic_user",)
HASTE = 30
"""Seconds that a hasty model's upstream has for each step; nobody waits for them."""


def configuration(folder, upstream_url, **sections):
    """A configuration as people write it, with every model behind one upstream."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KEY_SET))
    vendors = {
        "openai": {"provider": "openai", "api_base": upstream_url, "api_key": "sk-openai-company"},
        "anthropic": {
            "provider": "anthropic",
            "api_base": upstream_url,
            "api_key": "sk-ant-company",
        },
    }
    hasty = {"timeout": HASTE, "idle_timeout": HASTE, "connect_timeout": HASTE}
    return {
        "issuers": [{"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": str(keys)}],
        "roles": [{"role": "internal_user", "any_of": ["basic_user"]}, {"role": "guest"}],
        "rules": [
            {"allow": ["internal_user"], "models": ["gpt", "claude", "hasty-*", "team/*", "ghost"]},
            {"allow": ["internal_user"], "models": ["chat-only"], "endpoints": ["chat"]},
            {"deny": ["internal_user"], "models": ["team/forbidden"]},
        ],
        "models": [
            {"name": "gpt", "model": "upstream-gpt", **vendors["openai"]},
            {"name": "claude", "model": "upstream-claude", **vendors["anthropic"]},
            {"name": "hasty-gpt", "model": "upstream-gpt", **vendors["openai"], **hasty},
            {"name": "hasty-claude", "model": "upstream-claude", **vendors["anthropic"], **hasty},
            {"name": "team/gpt", "model": "upstream-gpt", **vendors["openai"]},
            {"name": "team/forbidden", "model": "upstream-gpt", **vendors["openai"]},
            {"name": "chat-only", "model": "upstream-claude", **vendors["anthropic"]},
            {"name": "secret", "model": "upstream-secret", **vendors["openai"]},
        ],
        "limits": {"body_bytes": 64 * 1024},
        **sections,
    }


def settings_of(folder, sections):
    file = folder / "rolecall.yaml"
    file.write_text(yaml.safe_dump(sections))
    return load(file, {}).settings


class Serving:
    """A gateway that listens on ``port``."""

    def __init__(self, app, tls=None, new_loop=Asyncio):
        self.app = app
        self._new_loop = new_loop
        self.token = token(*ROLES)
        config = server_config(app, tls, port=0, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        self.loop = self._new_loop()
        self.loop.run_until_complete(self._server.serve())
        self.loop.close()

    @property
    def port(self):
        return self._server.servers[0].sockets[0].getsockname()[1]

    def start(self):
        self._thread.start()
        wait_until(lambda: self._server.started, "the gateway listens")

    def stop(self):
        self._server.should_exit = True
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def await_in_loop(self, coroutine):
        """Run a coroutine where the gateway runs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    def forward(self, seconds):
        """Let so many seconds pass by the gateway's clock."""
        self.await_in_loop(self.loop.forward(seconds))

    @property
    def busy(self):
        """Whether a call is under way."""
        return bool(self._server.server_state.tasks)

    def raw(self, data, method="POST"):
        """Send bytes as they are."""
        return exchange(self.port, data, method)

    def get(self, target, *headers, method="GET", authorised=True):
        credentials = [("Authorization", f"Bearer {self.token}")] if authorised else []
        return self.raw(message(method, target, [*credentials, *headers]), method)

    def post(self, target, body, *headers, authorised=True, content_type="application/json"):
        """POST a body: bytes as they are, anything else as JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        added = [("Content-Type", content_type)] if content_type else []
        if authorised:
            added.append(("Authorization", f"Bearer {self.token}"))
        return self.raw(message("POST", target, [*added, *headers], body))

    def post_too_late(self, target, body, stalled):
        """POST JSON, and let the upstream's time pass when it has stalled."""
        headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {self.token}")]
        with connected(self.port) as connection:
            connection.send(message("POST", target, headers, json.dumps(body).encode()))
            wait_until(stalled, "the upstream has stalled")
            self.pass_over(HASTE)
            return connection.reply()

    def pass_over(self, seconds):
        """Let a deadline pass, for which the last that was on its way may have come meanwhile."""
        for _ in range(2):
            self.forward(seconds + 1)


@contextmanager
def running(folder, sections, new_loop=Asyncio):
    """Start a gateway with a configuration, in a loop of one kind or another, and stop it."""
    # every refusal is a line: tests that share a gateway would count as repetitions
    settings = settings_of(folder, sections)
    serving = Serving(
        Gateway(compile_snapshot(settings), recorder=Recorder()), settings.listener_tls, new_loop
    )
    serving.start()
    try:
        yield serving
    finally:
        serving.stop()
