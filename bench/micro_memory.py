"""What is remembered takes how much memory, at its bound and with the defaults.

``python -m bench.micro_memory [--only NAME]``. Each table is filled to its bound in a fresh process
with tokens of about 1 KiB, twice: once ``tracemalloc`` says what Python has allocated for it, and
once the kernel says by how much the process has grown (resident memory, with all that is lost
between objects, and what libraries allocate themselves). Rows that end in ``, worst`` hold the
worst that a sender can make of them.
"""

import argparse
import asyncio
import base64
import gc
import hashlib
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.micro_identity import ISSUER, b64, claims, ec_key, issuer, rsa_key, tokens
from bench.micro_identity import number as jwk_number
from rolecall.config import Limits, Reach
from rolecall.core import Call, Reason, Refusal, Revocation, Rule, Source
from rolecall.gateway.head import Head
from rolecall.gateway.http1.connection import MOST_REMEMBERED
from rolecall.gateway.http1.repeated import MOST_BYTES as MOST_HEAD
from rolecall.gateway.http1.repeated import RepeatedHead
from rolecall.identity import Verifier, caller_from, claim_values, fingerprint, guard, opaque
from rolecall.identity.fetch import Fetched
from rolecall.identity.keyset import MAX_KEYS, import_keys
from rolecall.identity.replays import Replays
from rolecall.identity.revocation_file import MOST as MOST_REVOCATIONS
from rolecall.identity.revocations import Revocations
from rolecall.identity.tally import Tally
from rolecall.identity.unknown_keys import UnknownKeys
from rolecall.identity.verdicts import Verdict, Verdicts
from rolecall.policy import compile_policy
from rolecall.policy.view import MOST_CELLS, MOST_VIEWS, View
from rolecall.record import Recorder
from rolecall.record.repeats import MOST as MOST_REPEATED

LIMITS: Final = Limits()
BATCH: Final = 256
MIB: Final = 1 << 20
_remember: Final = opaque._put  # noqa: SLF001 - the tables alone, without a server to ask
Filled = tuple[object, int]
"""What is to stay alive while it is measured, and how many entries it holds."""


async def _verifier() -> tuple[Verifier, Callable[[int, int], list[bytes]]]:
    jwk, sign = ec_key()
    jwk |= {"kid": "ES256", "alg": "ES256", "use": "sig"}

    async def fetch(_url: str, _reach: Reach) -> Fetched:
        return Fetched({"keys": [jwk]})

    verifier = Verifier([issuer()], limits=LIMITS, complete=lambda caller: caller, fetch=fetch)
    await verifier.start()
    return verifier, lambda first, count: tokens("ES256", sign, count, first)


def remembered(*, read: bool) -> Filled:
    """Signed tokens; ``read``: all of their claims are looked at once more."""

    async def fill() -> Filled:
        verifier, make = await _verifier()
        for first in range(0, LIMITS.remembered_tokens, BATCH):
            for token in make(first, BATCH):
                await verifier.authenticate(token)
                caller = verifier.remembered(fingerprint(token))
                if read and caller is not None:
                    caller.claims.get("sub")
        await verifier.stop()
        return verifier, verifier.memory

    return asyncio.run(fill())


def answers() -> Filled:
    """Opaque tokens, of which their issuer has said as much as a token does."""
    verdicts = Verdicts(LIMITS.remembered_tokens, LIMITS.remembered_bytes)
    settings, now = issuer(), 0.0
    for number in range(LIMITS.remembered_tokens):
        said = json.loads(json.dumps(claims(number, time.time())))
        size = len(json.dumps(said))
        verdict = Verdict(caller_from(settings, said), now + 60, size=size)
        verdicts.remember(b"opaque-%d" % number, verdict, Tally(), now)
    return verdicts, len(verdicts)


def refused() -> Filled:
    """Opaque tokens that are none."""
    table: OrderedDict[bytes, tuple[float, Refusal]] = OrderedDict()
    for number in range(LIMITS.refused_tokens):
        refusal = Refusal(Reason.REVOKED, "The token is not active; sign in again.")
        _remember(table, _digest(number), (float(number), refusal), LIMITS.refused_tokens)
    return table, len(table)


def known() -> Filled:
    """Opaque tokens that were good before."""
    table: OrderedDict[bytes, None] = OrderedDict()
    for number in range(LIMITS.remembered_tokens):
        _remember(table, _digest(number), None, LIMITS.remembered_tokens)
    return table, len(table)


def _digest(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def unknown(*, worst: bool) -> Filled:
    """Key IDs."""
    keys = UnknownKeys(10.0, 300.0, LIMITS.unknown_keys)
    for number in range(LIMITS.unknown_keys):
        name = hashlib.sha256(b"%d" % number).hexdigest()[:43]
        padding = "\N{OLD PERSIAN SIGN A}" * (guard.MAX_KEY_ID - len(name)) if worst else ""
        keys.asked_in_vain(f"{name}{padding}", float(number))
    return keys, len(keys)


def proofs() -> Filled:
    """Proofs of possession in one process."""

    async def fill() -> Filled:
        replays = Replays(LIMITS.proofs)
        for number in range(LIMITS.proofs):
            await replays.admit("k" * 43, f"{number:036}", float(number) / LIMITS.proofs)
        return replays, len(replays)

    return asyncio.run(fill())


def headers(*, worst: bool) -> Filled:
    """Headers of tokens."""
    for number in range(guard.MOST_HEADERS):
        header: dict[str, Any] = {"alg": "ES256", "typ": "JWT", "kid": f"{number:043}"}
        if worst:
            header["x"] = [[] for _ in range(480)]
        text = json.dumps(header, separators=(",", ":")).encode()
        guard.open_jws(b".".join((b64(text), b"e30", b"c2ln")), LIMITS)
    return None, guard.MOST_HEADERS


def rows(*, worst: bool) -> Filled:
    """Role claims and groups that tokens share."""
    settings = issuer()
    count, length = (claim_values.MOST_SHARED_VALUES, 32) if worst else (10, 12)
    for number in range(claim_values.MOST_SHARED):
        said = [f"{number}-{value}".ljust(length, "x") for value in range(count)]
        access = {"llm-gateway": {"roles": said}}
        caller_from(settings, {**claims(number, 0), "resource_access": access, "groups": said})
    return None, 2 * claim_values.MOST_SHARED


def heads(*, worst: bool) -> Filled:
    """Heads that connections sent last, and what was found in each."""
    _, sign = ec_key()
    kept: list[object] = []
    for number, token in enumerate(tokens("ES256", sign, MOST_REMEMBERED)):
        sent = [
            (b"host", b"llm.example.com"),
            (b"authorization", b"Bearer " + token),
            (b"user-agent", b"AsyncOpenAI/Python 2.1.0"),
            (b"content-type", b"application/json"),
            *([(b"x-padding", b"%d" % number + b"x" * 6500)] if worst else []),
            (b"content-length", b"512"),
        ]
        head = b"POST /v1/chat/completions HTTP/1.1\r\n"
        head += b"".join(b"%b: %b\r\n" % line for line in sent) + b"\r\n"
        assert len(head) <= MOST_HEAD  # noqa: S101 - of this program's own
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": sent}
        repeated = RepeatedHead.of(head, scope)
        kept.append((repeated, Head(token, fingerprint(token))))
    return kept, len(kept)


def repetitions() -> Filled:
    """Refusals whose repetitions are counted for a second."""
    recorder = Recorder(lambda _seconds, _function: None)
    settings = issuer()
    for number in range(MOST_REPEATED):
        refusal = Refusal(Reason.MODEL_NOT_ALLOWED, "Your roles do not allow it.")
        caller = caller_from(settings, json.loads(json.dumps(claims(number, 0))))
        recorder.refused(f"{number:024}", refusal, caller, Call("chat", f"model-{number}"))
    return recorder, MOST_REPEATED


def views() -> Filled:
    """What a policy remembers, with names that callers choose."""
    table = compile_policy([], [Rule("allow", ("*",), ("open/*",), ("*",), Source("gw.yaml", 1))])
    viewed: list[View] = []
    for role in range(MOST_VIEWS // 256):
        view = table.view(frozenset({f"role-{role}"}))
        viewed = [one for one in (*viewed, view) if one.kept]
        for number in range(MOST_CELLS):
            table.cell(view, "chat", f"open/{number:020}")
    return (table, viewed), sum(len(view.cells) for view in viewed if view.kept)


def key_set() -> Filled:
    """The most keys that an issuer can have."""
    jwk, _ = rsa_key()
    modulus = int.from_bytes(base64.urlsafe_b64decode(jwk["n"] + "=="), "big")
    entries = [
        {**jwk, "kid": f"{n:043}", "alg": "RS256", "n": jwk_number(modulus + 2 * n, 256)}
        for n in range(MAX_KEYS)
    ]
    found = import_keys({"keys": entries})
    return found, len(found.keys)


def revoked() -> Filled:
    """The most revocations that a file can hold."""
    entries = [
        Revocation(ISSUER, jti=f"{n:036}", expires=float(n)) for n in range(MOST_REVOCATIONS)
    ]
    revocations = Revocations(entries)
    return revocations, MOST_REVOCATIONS


ROWS: Final[dict[str, Callable[[], Filled]]] = {
    "remembered tokens": partial(remembered, read=False),
    "remembered tokens, claims read": partial(remembered, read=True),
    "remembered answers": answers,
    "refused opaque tokens": refused,
    "opaque tokens that were good": known,
    "unknown key IDs": partial(unknown, worst=False),
    "unknown key IDs, worst": partial(unknown, worst=True),
    "proofs": proofs,
    "headers of tokens": partial(headers, worst=False),
    "headers of tokens, worst": partial(headers, worst=True),
    "rows of values": partial(rows, worst=False),
    "rows of values, worst": partial(rows, worst=True),
    "heads of connections": partial(heads, worst=False),
    "heads of connections, worst": partial(heads, worst=True),
    "refusals in a second": repetitions,
    "views of a policy": views,
    "keys of an issuer": key_set,
    "revocations": revoked,
}


def resident() -> int:
    """Bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure(row: str, way: str) -> None:
    """Fill one table in this process, and say how many entries and bytes it has."""
    gc.collect()
    if way == "traced":
        tracemalloc.start()
    before = resident()
    kept, entries = ROWS[row]()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] if way == "traced" else resident() - before
    sys.stdout.write(f"{entries} {grown}")
    del kept


def ask(row: str, way: str) -> tuple[int, int]:
    """Entries and bytes, measured in a process of its own."""
    told = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", "bench.micro_memory", "--only", row, "--way", way],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    entries, grown = told.split()
    return int(entries), int(grown)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=ROWS, help="one table")
    parser.add_argument("--way", choices=["traced", "resident"], help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.way:
        measure(told.only, told.way)
        return
    print(f"{'':<32}{'entries':>9}{'bytes each':>12}{'MiB traced':>12}{'MiB resident':>14}")  # noqa: T201
    for row in [told.only] if told.only else ROWS:
        (entries, traced), (_, grown) = ask(row, "traced"), ask(row, "resident")
        mib = f"{traced / MIB:>12.2f}{grown / MIB:>14.2f}"
        print(f"{row:<32}{entries:>9,}{traced / entries:>12,.0f}{mib}")  # noqa: T201


if __name__ == "__main__":
    main()
