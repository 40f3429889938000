"""What the proof of a bound token costs in ``identity``, in CPU time, once the token is remembered.

``python -m bench.micro_bound [--rounds N]``. Every proof is signed beforehand; what is timed is
``Verifier.authenticate`` or ``authenticate_bound``, in one task of one event loop.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.micro_identity import Sign, b64, claims, ec_key, issuer
from rolecall.config import Limits, Reach
from rolecall.identity import Nonces, ProvenRequest, SharedReplays, Verifier
from rolecall.identity.fetch import Fetched

URL: Final = "https://llm.example.com/v1/chat/completions"
REQUESTS: Final = 2000
KEY: Final = b"the key that the workers share.."
CERTIFICATE: Final = bytes(range(256)) * 4


def signed(header: dict[str, Any], said: dict[str, Any], sign: Sign) -> bytes:
    """A JWS in compact form."""
    signing_input = b64(json.dumps(header).encode()) + b"." + b64(json.dumps(said).encode())
    return signing_input + b"." + b64(sign(signing_input))


def proofs(token: bytes, jwk: dict[str, str], sign: Sign) -> list[bytes]:
    """A proof for each request."""
    now = int(time.time())
    said = {
        "htm": "POST",
        "htu": URL,
        "iat": now,
        "ath": b64(hashlib.sha256(token).digest()).decode(),
        "nonce": Nonces(KEY).current(now),
    }
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
    return [signed(header, {**said, "jti": f"{now}-{n}"}, sign) for n in range(REQUESTS)]


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638."""
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return b64(hashlib.sha256(text.encode()).digest()).decode()


def shown() -> str:
    """The certificate of a request, as a proxy tells of it (RFC 9440)."""
    der = base64.b64decode(_TOLD[1:-1], validate=True)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


_TOLD: Final = b":" + base64.b64encode(CERTIFICATE) + b":"


async def cost(
    jwk: dict[str, str], ask: Callable[[Verifier, int], Awaitable[Any]], **how: Any
) -> float:
    """CPU microseconds of a request, the first one not counted."""

    async def fetch(_url: str, _reach: Reach) -> Fetched:
        return Fetched({"keys": [jwk]})

    nonce = how.pop("nonce", False)
    settings = replace(issuer(), dpop="optional", certificate_bound="optional", dpop_nonce=nonce)
    verifier = Verifier(
        [settings],
        limits=Limits(),
        complete=lambda caller: caller,
        fetch=fetch,
        nonces=Nonces(KEY),
        **how,
    )
    await verifier.start()
    await ask(verifier, 0)
    began = time.process_time_ns()
    for number in range(1, REQUESTS):
        await ask(verifier, number)
    taken = time.process_time_ns() - began
    await verifier.stop()
    return taken / (REQUESTS - 1) / 1000


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    (jwk, sign), (public, prove) = ec_key(), ec_key()
    jwk |= {"kid": "ES256", "alg": "ES256", "use": "sig"}
    header = {"alg": "ES256", "typ": "JWT", "kid": "ES256"}
    said = claims(0, time.time())
    plain = signed(header, said, sign)
    bound = signed(header, {**said, "cnf": {"jkt": thumbprint(public)}}, sign)
    certified = signed(header, {**said, "cnf": {"x5t#S256": shown()}}, sign)
    made = [ProvenRequest("POST", URL, (one,)) for one in proofs(bound, public, prove)]

    def proven(verifier: Verifier, number: int) -> Awaitable[Any]:
        return verifier.authenticate_bound(bound, made[number])

    with TemporaryDirectory() as folder:
        numbers = iter(range(1_000_000))

        def several(*, nonce: bool) -> dict[str, Any]:
            replays = SharedReplays(Path(folder) / f"{next(numbers)}", KEY, Limits().proofs)
            return {"replays": replays, "nonce": nonce}

        rows: dict[str, Callable[[], Awaitable[float]]] = {
            "bearer": lambda: cost(jwk, lambda one, _: one.authenticate(plain)),
            "certificate": lambda: cost(jwk, lambda one, _: one.authenticate(certified, shown)),
            "proof": lambda: cost(jwk, proven),
            "proof, nonce": lambda: cost(jwk, proven, nonce=True),
            "proof, several workers": lambda: cost(jwk, proven, **several(nonce=False)),
            "both": lambda: cost(jwk, proven, **several(nonce=True)),
        }
        print(f"{'remembered token':<24}{'best':>10}{'median':>10}   µs of CPU")  # noqa: T201
        for name, row in rows.items():
            costs = [asyncio.run(_awaited(row)) for _ in range(rounds)]
            print(f"{name:<24}{min(costs):>10.1f}{statistics.median(costs):>10.1f}")  # noqa: T201


async def _awaited(row: Callable[[], Awaitable[float]]) -> float:
    return await row()


if __name__ == "__main__":
    main()
