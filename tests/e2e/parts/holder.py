"""A client that holds a key, and binds its tokens to it (DPoP, RFC 9449)."""

import base64
import hashlib
import time
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey


class Holder:
    """Signs a proof for each request."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")

    def proof(
        self, method: str, url: str, token: str | None = None, nonce: str | None = None
    ) -> str:
        """A proof for one request.

        Args:
            method: the request's.
            url: the request's.
            token: what it is sent with, if there is one yet.
            nonce: what the server has said last, if anything.
        """
        claims = {"jti": str(uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if nonce is not None:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])
