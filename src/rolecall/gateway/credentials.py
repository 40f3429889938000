"""Where the token comes from: four headers, and never two different credentials; and its proof."""

from functools import partial
from typing import Final
from urllib.parse import quote, urlsplit

from rolecall.core import Caller, Reason, Refusal
from rolecall.gateway.client_certificate import shown_certificate
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.snapshot import Snapshot
from rolecall.identity import ProvenRequest, fingerprint
from rolecall.upstream import Headers

_KEY_HEADERS: Final = (b"x-api-key", b"api-key", b"x-goog-api-key")
# what must come with a proof keeps its scheme: a bearer token has no space
_DPOP: Final = b"DPoP "
_NONCE: Final = b"dpop-nonce"
_ALL: Final = frozenset({b"authorization", *_KEY_HEADERS})


async def authenticated(token: bytes, exchange: Exchange, snapshot: Snapshot) -> Caller:
    """Who holds a token, as `find_token` found it in a request.

    Raises:
        Refusal: nobody, or nobody who is trusted.
    """
    key = fingerprint(token)
    return snapshot.verifier.remembered(key) or await verified(token, key, exchange, snapshot)


async def verified(token: bytes, key: bytes, exchange: Exchange, snapshot: Snapshot) -> Caller:
    """What `authenticated` gives for a token that is not remembered, and its fingerprint.

    The answer gets a ``DPoP-Nonce`` where the client needs another one (RFC 9449 8.2, 9).

    Raises:
        Refusal: nobody, or nobody who is trusted.
    """
    scope, settings = exchange.scope, snapshot.settings
    shown = None
    if snapshot.verifier.takes_certificates:
        shown = partial(shown_certificate, scope, settings.certificate_header)
    if not token.startswith(_DPOP):
        return await snapshot.verifier.verify(token, key, shown)
    resource = settings.resource
    if resource is None or not snapshot.verifier.takes_proofs:
        raise _malformed()
    request = ProvenRequest(
        method=scope["method"],
        url=external_url(resource.url, scope["path"]),
        proofs=tuple(value for name, value in scope["headers"] if name == b"dpop"),
    )
    try:
        caller, nonce = await snapshot.verifier.authenticate_bound(
            token.removeprefix(_DPOP), request, shown
        )
    except Refusal as refusal:
        if refusal.reason is Reason.USE_DPOP_NONCE:
            exchange.added.append((_NONCE, snapshot.verifier.fresh_nonce().encode()))
        raise
    if nonce is not None:
        exchange.added.append((_NONCE, nonce.encode()))
    return caller


def external_url(gateway: str, path: str) -> str:
    """The URL that a client has asked for (RFC 9449 4.3).

    Args:
        gateway: the URL that clients reach the gateway at. Where the path that arrives does not
            begin with the path of it, what stands in front has taken that off.
        path: of the request, as it arrived, decoded.
    """
    parts = urlsplit(gateway)
    prefix = parts.path.rstrip("/")
    if path == prefix or path.startswith(f"{prefix}/"):
        prefix = ""
    return f"{parts.scheme}://{parts.netloc}{prefix}{quote(path)}"


def find_token(headers: Headers) -> bytes:
    """The token of a request, with its scheme where that is DPoP.

    Raises:
        Refusal: ``missing_token``, ``malformed_token``, or ``conflicting_credentials`` for two
            different credentials and for a header that is sent twice.
    """
    found = [header for header in headers if header[0] in _ALL and header[1]]
    if len(found) == 1:
        return _token(*found[0])
    if not found:
        raise Refusal(
            Reason.MISSING_TOKEN,
            "No token was sent; send the access token of your identity provider as"
            " Authorization: Bearer, or as your client's API key.",
        )
    tokens = {name: _token(name, value) for name, value in found}
    names = [name.decode() for name, _ in found]
    if len(tokens) != len(found):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(
            Reason.CONFLICTING_CREDENTIALS, f"The header {twice} was sent more than once."
        )
    if len(set(tokens.values())) > 1:
        raise Refusal(
            Reason.CONFLICTING_CREDENTIALS,
            f"The headers {' and '.join(names)} hold different credentials; unset one of them"
            " (Anthropic's SDK sends both when ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are set:"
            " keep the one that holds your token).",
        )
    return tokens.popitem()[1]


def _token(name: bytes, value: bytes) -> bytes:
    if name == b"authorization":
        # RFC 6750 2.1, RFC 9110 11.4: one scheme, one space, one token
        if value[:7].lower() != b"bearer ":
            return _bound(value)
        value = value[7:]
    # whatever else may not stand in a token, no verified token has
    if b" " in value or b"\t" in value or not value:
        raise _malformed()
    return value


def _bound(value: bytes) -> bytes:
    # RFC 9449 7.1
    token = value[5:]
    if value[:5].lower() != b"dpop " or b" " in token or b"\t" in token or not token:
        raise _malformed()
    return _DPOP + token


def _malformed() -> Refusal:
    return Refusal(
        Reason.MALFORMED_TOKEN, "The Authorization header must be: Bearer, a space, the token."
    )
