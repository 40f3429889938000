"""While a client waits for an answer, somebody watches whether it is still there."""

import asyncio
from types import TracebackType
from typing import Final, Self

from rolecall.gateway.body import ClientGone
from rolecall.gateway.exchange import Exchange

_UNWATCHED: Final = 0.25
"""Seconds before the watch begins: most answers need none, and it costs a task."""


class WhileClientWaits:
    """A block that is cancelled, and left with `ClientGone`, when the client goes away."""

    __slots__ = ("_begin", "_exchange", "_task", "_watch")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._watch: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task to cancel")
        self._task = task
        self._begin = task.get_loop().call_later(_UNWATCHED, self._start)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._begin.cancel()
        if self._watch is not None:
            self._watch.cancel()
        # a cancellation of somebody else (the server stops) must go on as one
        if (
            self._exchange.client_gone
            and self._task.uncancel() == 0
            and kind is asyncio.CancelledError
        ):
            raise ClientGone from None

    def _start(self) -> None:
        self._watch = self._task.get_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
        self._exchange.client_gone = True
        self._task.cancel()
