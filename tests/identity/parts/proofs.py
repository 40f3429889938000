"""Proofs of possession as a client makes them (RFC 9449 4.2)."""

import hashlib
import json
from itertools import count

from .signing import Signer, b64

HOLDER = Signer("holder", "ES256")
GATEWAY = "https://gateway.example"
URL = f"{GATEWAY}/v1/chat/completions"
MISSING = object()
_NUMBERS = count()


def public(signer, **members):
    """The bare public key of a proof's header."""
    return signer.jwk(kid=None, alg=None, use=None, **members)


def thumbprint(signer):
    """RFC 7638."""
    text = json.dumps(public(signer), sort_keys=True, separators=(",", ":"))
    return b64(hashlib.sha256(text.encode()).digest()).decode()


def bound(signer=HOLDER):
    """The ``cnf`` of a token that is bound to a key."""
    return {"jkt": thumbprint(signer)}


def proof(token, now, *, signer=HOLDER, header=None, algorithm=None, **changes):
    """A proof that is right but for the changes; a value of `MISSING` is left out."""
    claims = {
        "jti": f"proof-{next(_NUMBERS)}",
        "htm": "POST",
        "htu": URL,
        "iat": now,
        "ath": b64(hashlib.sha256(token).digest()).decode(),
        **changes,
    }
    if not isinstance(header, bytes):
        header = {"typ": "dpop+jwt", "jwk": public(signer), "kid": None, **(header or {})}
    claims = {name: value for name, value in claims.items() if value is not MISSING}
    return signer.token(claims, header, algorithm=algorithm)
