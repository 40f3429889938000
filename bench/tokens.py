"""Keys and bearer tokens like those that Keycloak issues."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

Algorithm = Literal["RS256", "ES256"]

ISSUER: Final = "https://login.example.com/realms/acme"
AUDIENCE: Final = "llm-gateway"
CLAIM: Final = "roles"
ROLE: Final = "basic_user"
MANY: Final = 10_000
"""More than any gateway here remembers, so that a token that comes round again is new to it."""

_LIFE: Final = 86_400 - 60
_RENEW: Final = 12 * 3600
_SHAPE: Final = 3
"""Count this up when the claims change: older files are then written anew."""


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key."""

    algorithm: Algorithm
    jwk: RSAKey | ECKey

    @property
    def kid(self) -> str:
        """Its ID: the thumbprint (RFC 7638)."""
        return self.jwk.thumbprint()


def new_key(algorithm: Algorithm) -> Key:
    """Make a key: RSA with 2048 bits, or P-256."""
    if algorithm == "RS256":
        return Key(algorithm, RSAKey.generate_key(2048))
    return Key(algorithm, ECKey.generate_key("P-256"))


def key_set(*keys: Key) -> str:
    """The public halves as a JSON Web Key Set (RFC 7517)."""
    shown = []
    for key in keys:
        public = key.jwk.as_dict(private=False)
        shown.append({**public, "kid": key.kid, "alg": key.algorithm, "use": "sig"})
    return json.dumps({"keys": shown})


def sign(key: Key, number: int, now: float) -> str:
    """The token of caller ``number``, valid for a day."""
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims(number, int(now)), key.jwk, algorithms=[key.algorithm])


def claims(number: int, now: int) -> dict[str, Any]:
    """What the token of caller ``number`` says; about 360 bytes of JSON."""
    return {
        "exp": now + _LIFE,
        "iat": now - 10,
        "jti": f"7f0c1d2e-4b5a-4c6d-8e9f-{number:012x}",
        "iss": ISSUER,
        "aud": [AUDIENCE, "account"],
        "sub": f"0a1b2c3d-1111-4222-8333-{number:012x}",
        "typ": "Bearer",
        "azp": "chat-frontend",
        "scope": "openid profile email",
        "preferred_username": f"user{number}",
        CLAIM: ["offline_access", ROLE, "uma_authorization"],
    }


@dataclass(frozen=True, slots=True)
class Tokens:
    """One key of each algorithm, and the files with many tokens, one a line."""

    rs256: Key
    es256: Key
    rs256_file: Path
    es256_file: Path

    @property
    def key_set(self) -> str:
        """What the gateways trust."""
        return key_set(self.rs256, self.es256)

    def file(self, algorithm: Algorithm) -> Path:
        """The tokens that were signed with this algorithm."""
        return self.rs256_file if algorithm == "RS256" else self.es256_file

    def first(self) -> str:
        """One token (RS256)."""
        with self.rs256_file.open(encoding="ascii") as lines:
            return lines.readline().strip()


def prepare(folder: Path) -> Tokens:
    """Make keys and tokens, or take those of an earlier run: signing them takes a while."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "made.json"
    now = time.time()
    if not _fresh(made, now):
        made.unlink(missing_ok=True)
        for algorithm in ("rs256", "es256"):
            key = new_key("RS256" if algorithm == "rs256" else "ES256")
            private = folder / f"{algorithm}.jwk"
            private.touch(mode=0o600)
            private.write_text(json.dumps(key.jwk.as_dict(private=True)), encoding="ascii")
            lines = (sign(key, number, now) for number in range(MANY))
            (folder / f"{algorithm}.tokens").write_text("\n".join(lines) + "\n", encoding="ascii")
        made.write_text(json.dumps({"shape": _SHAPE, "at": now}), encoding="ascii")
    return Tokens(
        rs256=Key("RS256", RSAKey.import_key(_read(folder / "rs256.jwk"))),
        es256=Key("ES256", ECKey.import_key(_read(folder / "es256.jwk"))),
        rs256_file=folder / "rs256.tokens",
        es256_file=folder / "es256.tokens",
    )


def _fresh(made: Path, now: float) -> bool:
    try:
        known = json.loads(made.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    return bool(known.get("shape") == _SHAPE and now - known.get("at", 0) < _RENEW)


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    return value
