"""The ASGI application: it starts and stops what a snapshot needs, and answers every request."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from random import getrandbits
from typing import Any

from rolecall.core import Reason, Refusal
from rolecall.gateway.answer import STOPPING, send_json, send_refusal
from rolecall.gateway.asgi import Receive, Scope, Send
from rolecall.gateway.body import ClientGone
from rolecall.gateway.endpoints import Route, form_of, route
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.explaining import answer_explain
from rolecall.gateway.figures import figures
from rolecall.gateway.metrics import admit, send_metrics
from rolecall.gateway.resource import send_metadata
from rolecall.gateway.revoked import Revoked
from rolecall.gateway.snapshot import Snapshot
from rolecall.gateway.way import call_model, list_models
from rolecall.gateway.whoami import answer_whoami
from rolecall.gateway.workers import Workers
from rolecall.record import Recorder, in_this_loop
from rolecall.upstream import Transport, Transports
from rolecall.wire import Format

log = logging.getLogger("rolecall.gateway")

_FAULT = Refusal(Reason.INTERNAL_ERROR, "The gateway failed; its log has the request ID.")


class Gateway:
    """The application.

    Args:
        snapshot: the generation to begin with.
        make_transport: called once the loop runs.
        recorder: where refusals are written down.
        background: runs beside the requests until the application stops.
        siblings: the folder where the processes of one port meet; None for the only one.

    Attributes:
        reloads: of the configuration, by what came of them.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        make_transport: Callable[[], Transport] = Transports,
        recorder: Recorder | None = None,
        background: Callable[[], Coroutine[Any, Any, None]] | None = None,
        siblings: Path | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._make_transport = make_transport
        self._recorder = recorder or Recorder(in_this_loop)
        self._background = background
        self._transport: Transport | None = None
        self._revoked = Revoked()
        self.reloads = {"applied": 0, "rejected": 0}
        self._workers = Workers(
            siblings, lambda: self._revoked.figures(figures(self._snapshot, self.reloads))
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one connection scope (ASGI 3)."""
        if scope["type"] == "http":
            return self._answer(Exchange(f"{getrandbits(96):024x}", scope, receive, send))
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return _no_websocket(receive, send)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the present generation was read from."""
        return self._snapshot.settings.files

    async def replace(self, snapshot: Snapshot) -> None:
        """Put a new generation in the old one's place; requests that have begun keep theirs.

        Raises:
            StoreError: its file of revocations cannot be used; the old one serves on.
        """
        await self._revoked.keep_to(snapshot)
        former = self._snapshot
        snapshot.verifier.adopt(former.verifier)
        unused = snapshot.watch.adopt(former.watch)
        await snapshot.verifier.start()
        self._revoked.serve(snapshot)
        self._snapshot = snapshot
        former.verifier.retire()
        if unused is not None:
            await asyncio.to_thread(unused.close)
        if snapshot.settings.listener_tls != former.settings.listener_tls:
            log.warning("server.tls has changed: that takes effect when the gateway restarts")
        self.reloads["applied"] += 1
        _log_facts(snapshot)

    async def _answer(self, exchange: Exchange) -> None:
        form: Format = "openai"
        # the snapshot that a request begins with is the one it ends with
        snapshot = self._snapshot
        try:
            place = route(exchange.scope)
            form = place.form
            if place.endpoint.kind == "call":
                transport = self._transport or self._new_transport()
                if self._revoked.ends_answers:
                    await self._revoked.watch(exchange)
                await call_model(exchange, place, snapshot, transport, self._recorder)
            else:
                await self._tell(exchange, place, snapshot)
        except Refusal as refusal:
            if refusal.reason is Reason.NOT_FOUND:
                form = form_of(exchange.scope["headers"])
            self._recorder.refused(exchange.request_id, refusal, exchange.caller, exchange.call)
            await send_refusal(exchange, form, refusal, snapshot.challenges)
        except ClientGone:
            return
        except asyncio.CancelledError:
            # the server stops, and its patience with requests under way has ended; or the client
            # is gone, and nothing is sent any more
            if not exchange.started:
                why = exchange.ended or STOPPING
                await send_refusal(exchange, form, why, snapshot.challenges)
        except Exception as error:  # noqa: BLE001 - the one place for what nobody foresaw
            self._recorder.crashed(exchange.request_id, error)
            if not exchange.started:
                await send_refusal(exchange, form, _FAULT, snapshot.challenges)

    async def _tell(self, exchange: Exchange, place: Route, snapshot: Snapshot) -> None:
        """Answer what calls no model, in a task, which deadlines want, and so in no hurry."""
        await asyncio.sleep(0)
        match place.endpoint.kind:
            case "models" | "model":
                await list_models(exchange, place, snapshot)
            case "metrics":
                await admit(exchange, snapshot)
                await send_metrics(exchange, await self._workers.figures())
            case "explain":
                await answer_explain(exchange, snapshot)
            case "whoami":
                await answer_whoami(exchange, snapshot)
            case "resource":
                await send_metadata(exchange, snapshot.resource)
            case "live":
                await send_json(exchange, 200, b'{"status":"alive"}')
            case "ready":
                if snapshot.verifier.ready:
                    await send_json(exchange, 200, b'{"status":"ready"}')
                else:
                    await send_json(exchange, 503, b'{"status":"waiting for an issuer"}')
            case _:
                await self._revoked.answer(exchange, place, snapshot, self._recorder)

    def _new_transport(self) -> Transport:
        self._transport = self._make_transport()
        return self._transport

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._revoked.start(self._snapshot)
            await self._snapshot.verifier.start()
        except Exception:
            log.exception("the gateway cannot start")
            await send({"type": "lifespan.startup.failed"})
            return
        _log_facts(self._snapshot)
        await self._workers.start()
        background = asyncio.create_task(self._background()) if self._background else None
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if background is not None:
            background.cancel()
        await self._workers.stop()
        if self._snapshot.watch.log is not None:
            await asyncio.to_thread(self._snapshot.watch.log.close)
        await self._revoked.stop()
        await self._snapshot.verifier.stop()
        if self._transport is not None:
            await self._transport.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _no_websocket(receive: Receive, send: Send) -> None:
    # a close before accepting is a 403
    await receive()
    await send({"type": "websocket.close", "code": 1000})


def _log_facts(snapshot: Snapshot) -> None:
    for issuer in snapshot.verifier.state():
        if issuer.keys:
            log.info("issuer %s: keys: %d", issuer.issuer, issuer.keys)
        elif issuer.keys is not None:
            log.info("issuer %s: no keys yet: %s", issuer.issuer, issuer.error or "waiting")
        if issuer.looked_up_at is not None:
            log.info(
                "issuer %s: opaque tokens are looked up at %s", issuer.issuer, issuer.looked_up_at
            )
    names = list(snapshot.catalogue.doors)
    log.info("models: %s", ", ".join(names) or "none")
    log.info("rules: %d", len(snapshot.table.rules))
