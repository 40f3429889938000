"""What a token costs in ``identity``, in CPU time: new ones by algorithm, and remembered ones.

``python -m bench.micro_identity [--rounds N]``. Every token is signed beforehand and differs from
the others; what is timed is ``Verifier.authenticate`` alone, in one task of one event loop.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from rolecall.config import IssuerSettings, KeysFrom, Limits, Reach
from rolecall.config.settings import ALGORITHMS
from rolecall.core import Source
from rolecall.identity import Verifier
from rolecall.identity.fetch import Fetched

ISSUER: Final = "https://sso.example.com/realms/corp"
KEYS_URL: Final = f"{ISSUER}/protocol/openid-connect/certs"
Sign = Callable[[bytes], bytes]


def b64(data: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def number(value: int, size: int) -> str:
    """A number as a JWK writes it (RFC 7518 6.2.1.2, 6.3.1)."""
    return b64(value.to_bytes(size, "big")).decode()


def rsa_key() -> tuple[dict[str, str], Sign]:
    """RS256."""
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": number(public.n, 256), "e": number(public.e, 3)}
    return jwk, lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def ec_key() -> tuple[dict[str, str], Sign]:
    """ES256."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": number(public.x, 32), "y": number(public.y, 32)}

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return jwk, sign


def ed_key() -> tuple[dict[str, str], Sign]:
    """EdDSA."""
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(public).decode()}, private.sign


KEYS: Final = {"RS256": rsa_key, "ES256": ec_key, "EdDSA": ed_key}


def claims(index: int, now: float) -> dict[str, Any]:
    """A Keycloak access token's payload of about 700 bytes."""
    return {
        "exp": int(now) + 3600,
        "iat": int(now),
        "jti": hashlib.sha256(str(index).encode()).hexdigest()[:36],
        "iss": ISSUER,
        "aud": ["llm-gateway", "account"],
        "sub": f"f:1:{index}",
        "typ": "Bearer",
        "azp": "chat-ui",
        "sid": "6f2c9a10-0000-4000-8000-000000000001",
        "acr": "1",
        "allowed-origins": ["https://chat.example.com"],
        "realm_access": {"roles": ["offline_access", "default-roles-corp", "gold"]},
        "resource_access": {"llm-gateway": {"roles": ["basic_user"]}},
        "scope": "openid profile email",
        "groups": ["/ai/gold", "/teams/data science"],
        "preferred_username": "john",
        "email": "john@example.com",
        "email_verified": True,
    }


def tokens(algorithm: str, sign: Sign, count: int, first: int = 0) -> list[bytes]:
    """That many different tokens, from a number on."""
    header = b64(json.dumps({"alg": algorithm, "typ": "JWT", "kid": algorithm}).encode())
    now = time.time()
    result = []
    for index in range(first, first + count):
        signing_input = header + b"." + b64(json.dumps(claims(index, now)).encode())
        result.append(signing_input + b"." + b64(sign(signing_input)))
    return result


def issuer() -> IssuerSettings:
    """A Keycloak realm as configurations write it."""
    return IssuerSettings(
        issuer=ISSUER,
        profile="keycloak",
        audience=("llm-gateway",),
        keys=KeysFrom(jwks_url=KEYS_URL),
        algorithms=ALGORITHMS,
        roles=(("resource_access", "llm-gateway", "roles"), ("realm_access", "roles")),
        groups=(("groups",),),
        scopes=(("scope",), ("scp",)),
        leeway=60,
        source=Source("bench.yaml", 1),
    )


async def cost(jwk: dict[str, str], batch: list[bytes]) -> float:
    """CPU microseconds of one ``authenticate``."""

    async def fetch(_url: str, _reach: Reach) -> Fetched:
        return Fetched({"keys": [jwk]})

    verifier = Verifier(
        [issuer()],
        limits=Limits(),
        complete=lambda caller: caller,
        fetch=fetch,
    )
    await verifier.start()
    began = time.process_time_ns()
    for token in batch:
        await verifier.authenticate(token)
    taken = time.process_time_ns() - began
    await verifier.stop()
    return taken / len(batch) / 1000


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"{'token':<20}{'best':>10}{'median':>10}   µs of CPU")  # noqa: T201
    for algorithm, make in KEYS.items():
        jwk, sign = make()
        jwk |= {"kid": algorithm, "alg": algorithm, "use": "sig"}
        fresh = tokens(algorithm, sign, 2000)
        for name, batch in ((f"{algorithm} new", fresh), (f"{algorithm} again", fresh[:1] * 2000)):
            costs = [asyncio.run(cost(jwk, batch)) for _ in range(rounds)]
            print(f"{name:<20}{min(costs):>10.1f}{statistics.median(costs):>10.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
