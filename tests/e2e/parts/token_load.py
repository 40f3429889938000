"""Callers that never stop asking, and what each of their requests came to."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .polling import SECONDS


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: with which token, when it began (monotonic), and the status that it got."""

    token: str
    began: float
    seconds: float
    status: int


@dataclass(slots=True)
class Load:
    """The running callers; ``tokens`` is what they send from now on, each all of them in turn."""

    tokens: list[str]
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def of(self, token: str, since: float = 0.0) -> list[int]:
        """The statuses that a token has got, of requests that began after a moment."""
        return [one.status for one in list(self.asked) if one.token == token and one.began > since]


@contextmanager
def running(url: str, tokens: list[str], callers: int = 4) -> Iterator[Load]:
    """Ask for the list of models, each caller on a connection of its own, until the block ends."""
    load = Load(tokens)
    threads = [threading.Thread(target=_call, args=(url, load)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in threads:
            thread.join(SECONDS)


def _call(url: str, load: Load) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        while not load.over.is_set():
            for token in load.tokens:
                began = time.monotonic()
                headers = {"authorization": f"Bearer {token}"}
                connection.request("GET", "/v1/models", headers=headers)
                answer = connection.getresponse()
                answer.read()
                load.asked.append(Asked(token, began, time.monotonic() - began, answer.status))
            # about a thousand a second in all: others use this machine too
            load.over.wait(0.004)
    finally:
        connection.close()
