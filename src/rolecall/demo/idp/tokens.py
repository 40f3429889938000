"""Signing and verifying: claims in, tokens out."""

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from joserfc import jwt
from joserfc.errors import JoseError

from rolecall.demo.idp.directory import Client, SignIn
from rolecall.demo.idp.keys import KeyRing, SigningKey, kid_of
from rolecall.demo.idp.lifetimes import Lifetimes
from rolecall.demo.idp.shape import Shape, Stamp

Kind: TypeAlias = Literal["valid", "expired", "forged"]

_LONG_AGO: Final = 3600
"""Seconds by which an expired token is over: more than any leeway that a verifier may allow."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one issuer. ``clock`` returns Unix time in seconds."""

    issuer: str
    shape: Shape
    keys: KeyRing
    lifetimes: Lifetimes
    clock: Callable[[], float]

    def access(self, client: Client, sign_in: SignIn | None, scope: str) -> str:
        """Sign an access token for a person, or for the client itself where there is none."""
        stamp = self._stamp(self.lifetimes.access_token)
        if sign_in is None:
            return self._sign(self.shape.workload(stamp, client, scope), self.keys.active)
        return self._sign(self.shape.person(stamp, client, sign_in, scope), self.keys.active)

    def identity(self, client: Client, sign_in: SignIn, access_token: str, nonce: str) -> str:
        """Sign an ID token that keeps the nonce (OpenID Connect Core 1.0, 2 and 3.1.3.6)."""
        claims = self.shape.identity(self._stamp(self.lifetimes.id_token), client, sign_in)
        claims["at_hash"] = _half_hash(access_token)
        if nonce:
            claims["nonce"] = nonce
        return self._sign(claims, self.keys.active)

    def mint(
        self, kind: Kind, client: Client, sign_in: SignIn, claims: Mapping[str, object]
    ) -> str:
        """Sign a person's access token of a given kind, with claims of it replaced."""
        age = self.lifetimes.access_token + _LONG_AGO if kind == "expired" else 0
        stamp = self._stamp(self.lifetimes.access_token, age)
        scope = self.shape.person_scope(frozenset({"openid"}))
        key = self.keys.foreign if kind == "forged" else self.keys.active
        return self._sign(self.shape.person(stamp, client, sign_in, scope) | dict(claims), key)

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of an access token of ours that has not expired."""
        claims = self.read(token)
        return claims if claims is not None and self.shape.is_access_token(claims) else None

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of any token of ours that has not expired."""
        try:
            claims = jwt.decode(token, self.keys.verifying, [self.keys.algorithm]).claims
        except (JoseError, ValueError):
            return None
        if claims.get("iss") != self.issuer:
            return None
        return claims if claims["exp"] > self.clock() else None

    def _stamp(self, lifetime: int, age: int = 0) -> Stamp:
        now = int(self.clock()) - age
        return Stamp(self.issuer, str(uuid.uuid4()), now, now + lifetime)

    def _sign(self, claims: dict[str, Any], key: SigningKey) -> str:
        """Sign under the ID of the active key, whichever key it is: a forger would too."""
        algorithm = self.keys.algorithm
        header = {"alg": algorithm, "typ": "JWT", "kid": kid_of(self.keys.active)}
        return jwt.encode(header, claims, key, [algorithm])


def _half_hash(access_token: str) -> str:
    """Hash as RS256 and ES256 do, and keep the left half."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()
