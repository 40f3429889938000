"""``WWW-Authenticate``: what a client that is refused may try (RFC 6750 3, RFC 9728 5.1)."""

from collections.abc import Mapping
from typing import Final

from rolecall.core import STATUS, Reason
from rolecall.upstream import Headers

Challenges = Mapping[Reason, Headers]

_REALM: Final = b'Bearer realm="rolecall"'


def compile_challenges(metadata_url: str | None) -> Challenges:
    """The headers of every refusal that has a challenge.

    ``metadata_url`` is where clients find what they may do for a token, if that is configured.
    """
    metadata = f', resource_metadata="{metadata_url}"'.encode("ascii") if metadata_url else b""
    return {
        reason: [(b"www-authenticate", _REALM + _error(reason) + metadata)]
        for reason, status in STATUS.items()
        if status in {401, 403}
    }


def _error(reason: Reason) -> bytes:
    if reason is Reason.MISSING_TOKEN:
        # RFC 6750 3: no error code where no credentials were sent
        return b""
    error = b"invalid_token" if STATUS[reason] == 401 else b"insufficient_scope"
    return b', error="' + error + b'", error_description="' + reason.encode() + b'"'
