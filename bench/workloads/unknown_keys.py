"""Latency at half load beside a flood of tokens whose keys nobody has."""

import base64
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from bench import calls
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import wrk
from bench.load.asking import Asking
from bench.load.wrk import Callers, Load
from bench.peers import Peer, Setting
from bench.tokens import MANY
from bench.workloads.answers import ask
from bench.workloads.half_load import SHARE, bears, paced
from bench.workloads.workload import Field

RATE: Final = 1000
"""Tokens of unknown keys a second."""

_SLICES: Final = 5
_SLICE: Final = 2
"""Seconds at least: ten of flood in all."""


@dataclass(frozen=True, slots=True)
class KeyFlood:
    """Callers with remembered tokens go on while others make key IDs up.

    A gateway that asks the key server for each of them floods it; one that never asks refuses the
    first token of a new key. The callers go on alone, beside others whose token is known, and
    beside the flood, again and again in slices: what else the machine does for a moment falls into
    a few of them, and each figure is the median of all.
    """

    name: str
    title: str

    def takes(self, peer: Peer) -> bool:
        """Those that check tokens, and ask for keys that they do not know."""
        return peer.name == "rolecall"

    def setting(self, field: Field) -> Setting:
        """The key set is fetched from the key server."""
        return replace(field.plain, keys_url=f"http://127.0.0.1:{field.keys.port}/jwks")

    def measure(self, gateway: Gateway, cores: Cores, field: Field) -> Mapping[str, float]:
        """The p99 alone and beside others, the flood's rate, and fetches of keys meanwhile."""
        sent = ask(gateway, calls.CHAT, field)
        good = paced(bears(sent, cores) * SHARE)
        others = paced(RATE)
        forged = gateway.folder / "forged.tokens"
        forge(field.token, forged)
        slices = Slices(sent, good, max(field.seconds, _SLICE), cores)
        calm, known, flooded, floods, fetches = [], [], [], [], 0
        for _ in range(_SLICES):
            calm.append(slices.alone().p99 / 1e3)
            known.append(slices.beside(others, calls.CHAT.status)[0].p99 / 1e3)
            asked = field.keys.asked
            load, flood = slices.beside(replace(others, tokens=forged), 401)
            fetches += field.keys.asked - asked
            flooded.append(load.p99 / 1e3)
            floods.append(flood.rps)
        return {
            "calm_p99_ms": median(calm),
            "known_p99_ms": median(known),
            "flooded_p99_ms": median(flooded),
            "unknown_rps": median(floods),
            "fetches": fetches,
        }


@dataclass(frozen=True, slots=True)
class Slices:
    """The load of those whose token is remembered, a few seconds of it at a time."""

    sent: Asking
    callers: Callers
    seconds: int
    cores: Cores

    def alone(self) -> Load:
        """Nobody else calls."""
        load = wrk.run(self.sent, self.callers, self.seconds, self.cores.load)
        wrk.check(load, calls.CHAT.status)
        return load

    def beside(self, others: Callers, status: int) -> tuple[Load, Load]:
        """Others call too, from a process of their own, and are answered with this status."""
        with ThreadPoolExecutor(1) as aside:
            other = aside.submit(wrk.run, self.sent, others, self.seconds, self.cores.load)
            load = self.alone()
        wrk.check(other.result(), status)
        return load, other.result()


def forge(token: str, file: Path) -> None:
    """Write tokens that are the given one but for their key ID, which nobody has."""
    _, _, rest = token.partition(".")
    with file.open("w", encoding="ascii") as lines:
        for _ in range(MANY):
            header = {"alg": "RS256", "kid": os.urandom(16).hex(), "typ": "JWT"}
            segment = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=")
            lines.write(f"{segment.decode()}.{rest}\n")
