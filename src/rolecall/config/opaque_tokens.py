"""``introspection:`` and ``userinfo:``: where an issuer says whose its opaque tokens are."""

import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rolecall.config import issuer_schema, urls
from rolecall.config.document import Document, KeyPath
from rolecall.config.settings import Client, ClientAuth, IssuerSettings, Opaque, Reach
from rolecall.core import KEY_PREFIX

if TYPE_CHECKING:
    from rolecall.config.signing_key import SigningKey

_LIKE_A_JWT: Final = re.compile("e[w-z]")
_NEEDS: Final[dict[ClientAuth, str]] = {
    "client_secret_basic": "client_secret",
    "client_secret_post": "client_secret",
    "private_key_jwt": "private_key_file",
    "tls_client_auth": "client_cert",
}


def opaque(
    section: issuer_schema.Issuer, reach: Reach, path: KeyPath, document: Document
) -> Opaque | None:
    """How an issuer's opaque tokens are looked up, or None where it has none or after a report."""
    if section.introspection is not None and section.userinfo is not None:
        document.report((*path, "userinfo"), "cannot stand beside introspection; keep one of them.")
        return None
    for name, lookup in (("introspection", section.introspection), ("userinfo", section.userinfo)):
        if lookup is not None and lookup.tokens == "all" and not section.signed_tokens:
            document.report(
                (*path, name, "tokens"),
                "cannot be all beside signed_tokens: false: the issuer is asked about a signed"
                " token once its signature is verified.",
            )
    if section.introspection is not None:
        return _introspection(section.introspection, reach, (*path, "introspection"), document)
    if section.userinfo is not None:
        warn_of_userinfo((*path, "userinfo"), document)
        return _lookup(section.userinfo, None, reach, (*path, "userinfo"), document)
    if not section.signed_tokens:
        document.report(
            (*path, "signed_tokens"),
            "is false, and there is neither introspection nor userinfo: no token could be checked.",
        )
    return None


def warn_of_userinfo(path: KeyPath, document: Document) -> None:
    """Userinfo (OpenID Connect Core 5.3) names no audience."""
    document.warn(
        path,
        "a token that was issued for another application opens this gateway too, since userinfo"
        " names no audience; prefer introspection.",
    )


def check_prefixes(issuers: Sequence[IssuerSettings], document: Document) -> None:
    """An opaque token must belong to one issuer at most, by what it begins with."""
    seen: dict[str, str] = {}
    for issuer in issuers:
        if issuer.opaque is None:
            continue
        prefix = issuer.opaque.prefix
        if prefix in seen:
            document.report(
                ("issuers",),
                f"{seen[prefix]} and {issuer.issuer} both have opaque tokens that begin with"
                f" {prefix!r}; write a prefix for each, or for all but one.",
            )
        seen[prefix] = issuer.issuer


def _introspection(
    section: issuer_schema.Introspection, reach: Reach, path: KeyPath, document: Document
) -> Opaque | None:
    client = _client(section, path, document)
    certificate = _certificate(section, path, document)
    reach = Reach(reach.ca_file, reach.private_network, *certificate)
    return _lookup(section, client, reach, path, document) if client is not None else None


def _lookup(
    section: issuer_schema.Introspection | issuer_schema.Userinfo,
    client: Client | None,
    reach: Reach,
    path: KeyPath,
    document: Document,
) -> Opaque | None:
    try:
        urls.check(section.endpoint)
    except ValueError as error:
        document.report((*path, "endpoint"), f"{error}.")
        return None
    if _LIKE_A_JWT.match(section.prefix) or section.prefix.startswith(KEY_PREFIX):
        document.report(
            (*path, "prefix"), "is what signed tokens (ey…) or static keys (rolecall_) begin with."
        )
        return None
    return Opaque(
        endpoint=section.endpoint,
        client=client,
        reach=reach,
        tokens=section.tokens,
        prefix=section.prefix,
        ttl=section.ttl,
        negative_ttl=section.negative_ttl,
        timeout=section.timeout,
    )


def _client(
    section: issuer_schema.Introspection, path: KeyPath, document: Document
) -> Client | None:
    method = section.client_auth or next(
        (method for method, needed in _NEEDS.items() if getattr(section, needed) is not None), None
    )
    if method is None:
        document.report(
            path,
            "needs client_secret, private_key_file or client_cert: introspection is for clients"
            " that show who they are (RFC 7662 2.1).",
        )
        return None
    if getattr(section, _NEEDS[method]) is None:
        document.report((*path, "client_auth"), f"needs {_NEEDS[method]} beside it.")
        return None
    if section.client_secret is not None and _NEEDS[method] != "client_secret":
        document.report((*path, "client_secret"), f"has no place beside {_NEEDS[method]}.")
    signing_key = None
    if method == "private_key_jwt":
        signing_key = _signing_key(section, path, document)
        if signing_key is None:
            return None
    return Client(method, section.client_id, section.client_secret, signing_key)


def _signing_key(
    section: issuer_schema.Introspection, path: KeyPath, document: Document
) -> "SigningKey | None":
    # few configurations name one, and the library takes 20 ms to load
    from rolecall.config.signing_key import read_signing_key  # noqa: PLC0415

    try:
        return read_signing_key(Path(section.private_key_file or ""), section.private_key_id)
    except ValueError as error:
        document.report((*path, "private_key_file"), f"{error}.")
        return None


def _certificate(
    section: issuer_schema.Introspection, path: KeyPath, document: Document
) -> tuple[str | None, str | None]:
    if section.client_cert is None:
        if section.client_key is not None:
            document.report((*path, "client_key"), "needs client_cert beside it.")
        return None, None
    try:
        # an encrypted key would ask for its password on the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            section.client_cert, section.client_key, password=""
        )
    except OSError:
        document.report(
            (*path, "client_cert"),
            "cannot be read, or is no certificate in PEM with its key (client_key).",
        )
    return section.client_cert, section.client_key
