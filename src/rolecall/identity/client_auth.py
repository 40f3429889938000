"""The gateway shows an identity provider who it is (RFC 6749 2.3.1, RFC 7523, RFC 8705)."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus

from rolecall.config import Client
from rolecall.identity import base64url
from rolecall.identity.signature import sign
from rolecall.identity.token_file import token_in
from rolecall.wire import strict_json

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE: Final = 60


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is added to a request: fields of its form, and headers."""

    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def credentials(client: Client, issuer: str, now: float) -> Credentials:
    """What shows the issuer who asks.

    An assertion can be used once, so that every request needs its own.

    Args:
        client: how the issuer knows the gateway.
        issuer: the audience of an assertion, and the only one: with another server's URL in it that
            server could use it too (RFC 7523bis).
        now: seconds since the epoch.

    Raises:
        FetchError: the file cannot be read that is to hold an assertion.
    """
    match client.method:
        case "client_secret_basic":
            pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret or '')}"
            encoded = base64.b64encode(pair.encode()).decode()
            return Credentials(headers={"authorization": f"Basic {encoded}"})
        case "client_secret_post":
            return Credentials(
                form={"client_id": client.client_id, "client_secret": client.secret or ""}
            )
        case "private_key_jwt":
            return Credentials(
                form={
                    "client_id": client.client_id,
                    "client_assertion_type": _ASSERTION,
                    "client_assertion": _assertion(client, issuer, now),
                }
            )
        case "tls_client_auth":
            # the certificate itself is shown with the connection
            return Credentials(form={"client_id": client.client_id})


def _assertion(client: Client, issuer: str, now: float) -> str:
    if client.assertion_file is not None:
        return token_in(Path(client.assertion_file))
    key = client.signing_key
    assert key is not None  # noqa: S101 - the configuration has seen to it
    header = {"typ": "JWT", "alg": key.algorithm}
    if key.key_id is not None:
        header["kid"] = key.key_id
    if key.certificate is not None:
        header["x5t#S256"] = key.certificate
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": issuer,
        "jti": os.urandom(16).hex(),
        "iat": int(now),
        "exp": int(now) + _LIFE,
    }
    signing_input = b".".join(
        base64url.encode(strict_json.dumps(part)) for part in (header, claims)
    )
    return (signing_input + b"." + base64url.encode(sign(key, signing_input))).decode()
