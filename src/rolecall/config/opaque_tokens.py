"""``introspection:`` and ``userinfo:``: where an issuer says whose its opaque tokens are."""

import re
from collections.abc import Sequence
from typing import Final

from rolecall.config import client_auth, issuer_keys, issuer_schema, urls
from rolecall.config.document import Document, KeyPath
from rolecall.config.settings import Client, IssuerSettings, MetadataAt, Opaque, Reach
from rolecall.core import KEY_PREFIX

LookUp = issuer_schema.Introspection | issuer_schema.Userinfo

_LIKE_A_JWT: Final = re.compile("e[w-z]")


def opaque(section: issuer_schema.Issuer, path: KeyPath, document: Document) -> Opaque | None:
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
        at: KeyPath = (*path, "introspection")
        client = client_auth.client(section.introspection, at, document)
        certificate = client_auth.certificate(section.introspection, at, document)
        endpoint = _endpoint(section, section.introspection, at, document)
        if client is None or endpoint is None or not _usable(section.introspection, at, document):
            return None
        shown = Reach(section.ca_file, section.private_network, *certificate)
        return _asked(section.introspection, endpoint, client, shown)
    if section.userinfo is not None:
        at = (*path, "userinfo")
        warn_of_userinfo(at, document)
        endpoint = _endpoint(section, section.userinfo, at, document)
        if endpoint is None or not _usable(section.userinfo, at, document):
            return None
        return _asked(section.userinfo, endpoint, None, issuer_keys.reach(section))
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


def _endpoint(
    section: issuer_schema.Issuer, lookup: LookUp, path: KeyPath, document: Document
) -> str | MetadataAt | None:
    """The endpoint that is written, or the metadata that name it; None after a report."""
    issuer = issuer_keys.name_of(section)
    if issuer is None:
        # that is told where it is missing
        return None
    metadata = section.discovery_url or issuer_keys.well_known(issuer)
    try:
        urls.check(lookup.endpoint or metadata)
    except ValueError as error:
        if lookup.endpoint is None:
            where = "issuer" if section.discovery_url is None else "discovery_url"
            error = ValueError(f"is missing, and no metadata can name it: {where} {error}")
        document.report((*path, "endpoint"), f"{error}.")
        return None
    if lookup.endpoint is not None:
        return lookup.endpoint
    reach = issuer_keys.reach(section)
    return MetadataAt(metadata, reach, section.max_stale, section.refresh)


def _usable(lookup: LookUp, path: KeyPath, document: Document) -> bool:
    if _LIKE_A_JWT.match(lookup.prefix) or lookup.prefix.startswith(KEY_PREFIX):
        document.report(
            (*path, "prefix"), "is what signed tokens (ey…) or static keys (rolecall_) begin with."
        )
        return False
    return True


def _asked(
    lookup: LookUp, endpoint: str | MetadataAt, client: Client | None, reach: Reach
) -> Opaque:
    return Opaque(
        endpoint=endpoint,
        client=client,
        reach=reach,
        tokens=lookup.tokens,
        prefix=lookup.prefix,
        ttl=lookup.ttl,
        negative_ttl=lookup.negative_ttl,
        timeout=lookup.timeout,
        signed_response=isinstance(lookup, issuer_schema.Introspection) and lookup.signed_response,
    )
