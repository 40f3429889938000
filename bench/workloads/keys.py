"""Latency at half load while the issuer's keys change, and while its key server hangs."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from bench import calls
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import wrk
from bench.load.asking import Asking
from bench.load.wrk import Callers
from bench.peers import Peer, Setting
from bench.tokens import Key, key_set, new_key, sign
from bench.workloads.answers import ask
from bench.workloads.half_load import SHARE, bears, paced
from bench.workloads.workload import Field

_EVERY: Final = 0.05
"""Seconds between two calls of those who bring a token of another key."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Callers with remembered tokens go on while others bring tokens of a key that is new.

    In the first phase nothing happens. In the second the issuer adds a key and signs with it. In
    the third the key server takes connections and answers none, and tokens come whose key nobody
    knows.
    """

    name: str
    title: str

    def takes(self, peer: Peer) -> bool:
        """Those that check tokens."""
        return peer.guards

    def setting(self, field: Field) -> Setting:
        """The key set is fetched from the key server."""
        url = f"http://127.0.0.1:{field.keys.port}/jwks"
        return replace(field.plain, keys_url=url)

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """The p99 of each phase, and seconds until a token of the new key was let in."""
        sent = ask(gateway, calls.CHAT, field)
        known = (field.tokens.rs256, field.tokens.es256)
        added, unknown = new_key("ES256"), new_key("ES256")
        callers = paced(bears(sent, cores) * SHARE)
        phase = Phase(gateway, sent, callers, cores, field.seconds * 2)
        try:
            steady, _ = phase.p99_while(lambda _: None)
            field.keys.publish(key_set(*known, added))
            rotating, taken = phase.p99_while(lambda until: _try(gateway, added, until))
            field.keys.hang()
            down, _ = phase.p99_while(lambda until: _try(gateway, unknown, until))
        finally:
            field.keys.publish(key_set(*known))
        figures = {"steady_p99_ms": steady, "rotating_p99_ms": rotating, "down_p99_ms": down}
        return figures if taken is None else {**figures, "taken_s": taken}


@dataclass(frozen=True, slots=True)
class Phase:
    """The load that goes on in all phases."""

    gateway: Gateway
    sent: Asking
    callers: Callers
    cores: Cores
    seconds: int

    def p99_while(self, happens: Callable[[float], float | None]) -> tuple[float, float | None]:
        """The load's p99 in milliseconds while something happens, and what came of that."""
        until = time.monotonic() + self.seconds
        with ThreadPoolExecutor(1) as aside:
            other = aside.submit(happens, until)
            load = wrk.run(self.sent, self.callers, self.seconds, self.cores.load)
        wrk.check(load, calls.CHAT.status)
        return load.p99 / 1e3, other.result()


def _try(gateway: Gateway, key: Key, until: float) -> float | None:
    """Bring tokens of this key; seconds until the first is let in, if one is."""
    began = time.monotonic()
    number = 0
    while time.monotonic() < until:
        number += 1
        try:
            if gateway.ask(calls.CHAT, sign(key, number, time.time())).status == 200:
                return time.monotonic() - began
        except OSError:  # it lets this caller wait too long
            continue
        time.sleep(_EVERY)
    return None
