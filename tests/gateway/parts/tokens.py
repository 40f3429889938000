"""Tokens of an issuer of our own, signed with real keys."""

import time

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://login.example.com/realms/test"
AUDIENCE = "llm-gateway"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
FOREIGN_KEY = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
UNKNOWN_KEY = ECKey.generate_key("P-256", {"kid": "k2", "alg": "ES256", "use": "sig"})
KEY_SET = {"keys": [KEY.as_dict(private=False)]}


def token(*roles, key=KEY, **claims):
    """A token that is good for an hour; a claim given as None is left out."""
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "john",
        "iat": now - 10,
        "exp": now + 3600,
        "roles": list(roles),
        **claims,
    }
    payload = {name: value for name, value in whole.items() if value is not None}
    header = {"alg": "ES256", "typ": "JWT", "kid": key.kid}
    return jwt.encode(header, payload, key, algorithms=["ES256"])


def signed(claims, typ, key=KEY):
    """Whatever claims, in a token of whatever type."""
    header = {"alg": "ES256", "typ": typ, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=["ES256"])
