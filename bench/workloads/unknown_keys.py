"""Latency at half load beside a flood of tokens whose keys nobody has."""

import base64
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench import calls
from bench.cores import Cores
from bench.gateways import Gateway
from bench.load import wrk
from bench.peers import Peer, Setting
from bench.tokens import MANY
from bench.workloads.answers import ask
from bench.workloads.half_load import SHARE, bears, paced
from bench.workloads.workload import Field

RATE: Final = 1000
"""Tokens of unknown keys a second."""


@dataclass(frozen=True, slots=True)
class KeyFlood:
    """Callers with remembered tokens go on while others make key IDs up.

    A gateway that asks the key server for each of them floods it; one that never asks refuses the
    first token of a new key.
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
        """The p99 without and with the flood, the flood's rate, and fetches of keys meanwhile."""
        sent = ask(gateway, calls.CHAT, field)
        callers = paced(bears(sent, cores) * SHARE)
        seconds = field.seconds * 2
        calm = wrk.run(sent, callers, seconds, cores.load)
        wrk.check(calm, calls.CHAT.status)
        forged = gateway.folder / "forged.tokens"
        forge(field.token, forged)
        fetched = field.keys.asked
        with ThreadPoolExecutor(1) as aside:
            flooding = replace(paced(RATE), tokens=forged)
            flood = aside.submit(wrk.run, sent, flooding, seconds, cores.load)
            beside = wrk.run(sent, callers, seconds, cores.load)
        wrk.check(beside, calls.CHAT.status)
        wrk.check(flood.result(), 401)
        return {
            "calm_p99_ms": calm.p99 / 1e3,
            "flooded_p99_ms": beside.p99 / 1e3,
            "unknown_rps": flood.result().rps,
            "fetches": field.keys.asked - fetched,
        }


def forge(token: str, file: Path) -> None:
    """Write tokens that are the given one but for their key ID, which nobody has."""
    _, _, rest = token.partition(".")
    with file.open("w", encoding="ascii") as lines:
        for _ in range(MANY):
            header = {"alg": "RS256", "kid": os.urandom(16).hex(), "typ": "JWT"}
            segment = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=")
            lines.write(f"{segment.decode()}.{rest}\n")
