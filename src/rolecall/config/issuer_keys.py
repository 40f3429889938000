"""Which ``iss`` values an entry of ``issuers:`` stands for, and where the keys of each are."""

import math
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from rolecall.config import urls
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_schema import Issuer
from rolecall.config.profiles import DEFAULTS
from rolecall.config.settings import KeysFrom, Reach

ENTRA: Final = "https://login.microsoftonline.com"
"""Where the tenants of the global cloud sign in."""

_ENTRA_V1: Final = "https://sts.windows.net"


@dataclass(frozen=True, slots=True)
class NamedIssuer:
    """One ``iss``, and where its keys are; a tenant of Entra ID has two."""

    issuer: str
    keys: KeysFrom


def named(section: Issuer, path: KeyPath, document: Document) -> list[NamedIssuer]:
    """What an entry stands for; nothing after reporting why not."""
    if (section.max_refresh or math.inf) < (section.min_refresh or 0):
        document.report((*path, "max_refresh"), "is shorter than min_refresh.")
    if section.tenant is not None:
        return _tenants(section, section.tenant, path, document)
    issuer = name_of(section)
    if issuer is None:
        hint = " (or tenant, the ID of your tenant)" if section.profile == "entra" else ""
        document.report((*path, "issuer"), f"is missing{hint}.")
        return []
    if section.profile == "okta" and not urlsplit(issuer).path.strip("/"):
        document.report(
            (*path, "issuer"),
            "is Okta's org authorization server, whose access tokens only Okta itself can read;"
            f" name a custom one, {issuer.rstrip('/')}/oauth2/default.",
        )
        return []
    keys = _keys(section, issuer, path, document)
    return [] if keys is None else [NamedIssuer(issuer, keys)]


def name_of(section: Issuer) -> str | None:
    """The ``iss`` of an entry without tenants, if it says one."""
    return section.issuer or DEFAULTS[section.profile].issuer


def _tenants(
    section: Issuer, tenants: list[str], path: KeyPath, document: Document
) -> list[NamedIssuer]:
    """The issuers of tenants: v2.0 and v1.0 tokens, each with its version's keys.

    Several tenants share the keys of the endpoint that serves all, each of which says for which
    tenants it is.
    """
    for key in ("issuer", "jwks_url", "discovery_url", "jwks_file", "introspection", "userinfo"):
        if getattr(section, key) is not None:
            document.report((*path, key), "cannot stand beside tenant.")
            return []
    if section.profile != "entra":
        document.report((*path, "tenant"), "is Entra ID's; write profile: entra beside it.")
        return []
    place = tenants[0] if len(tenants) == 1 else "common"
    v2, v1 = (
        _paced(
            KeysFrom(jwks_url=f"{ENTRA}/{place}/discovery/{version}keys", reach=reach(section)),
            section,
        )
        for version in ("v2.0/", "")
    )
    return [
        issuer
        for tenant in tenants
        for issuer in (
            NamedIssuer(f"{ENTRA}/{tenant}/v2.0", v2),
            NamedIssuer(entra_v1(tenant), v1),
        )
    ]


def entra_v1(tenant: str) -> str:
    """The issuer of a tenant's v1.0 tokens in the global cloud."""
    return f"{_ENTRA_V1}/{tenant}/"


def reach(section: Issuer) -> Reach:
    """The way to the servers of an issuer."""
    return Reach(section.ca_file, section.private_network, bearer_file=section.bearer_file)


def _keys(section: Issuer, issuer: str, path: KeyPath, document: Document) -> KeysFrom | None:
    given = [
        name
        for name in ("jwks_url", "discovery_url", "jwks_file")
        if getattr(section, name) is not None
    ]
    if len(given) > 1:
        document.report(
            (*path, given[1]), f"cannot stand beside {given[0]}: name one source of keys."
        )
        return None
    if not section.signed_tokens and not _signs_answers(section):
        # the metadata may still be of use: they name the endpoint
        if given and not (given == ["discovery_url"] and _is_discovered(section)):
            document.report((*path, given[0]), "has no place beside signed_tokens: false.")
        return KeysFrom()
    if section.jwks_file is not None:
        return _paced(KeysFrom(jwks_file=section.jwks_file), section)
    name = given[0] if given else "issuer"
    url = section.jwks_url or section.discovery_url or well_known(issuer)
    try:
        urls.check(url)
    except ValueError as error:
        hint = " (or name jwks_url, discovery_url or jwks_file)" if name == "issuer" else ""
        document.report((*path, name), f"{error}{hint}.")
        return None
    place = KeysFrom(
        jwks_url=url if section.jwks_url is not None else None,
        discovery_url=url if section.jwks_url is None else None,
        reach=reach(section),
    )
    return _paced(place, section)


def _paced(place: KeysFrom, section: Issuer) -> KeysFrom:
    return replace(
        place,
        max_stale=section.max_stale,
        refresh=section.refresh,
        min_refresh=section.min_refresh,
        max_refresh=section.max_refresh,
        unknown_key_cooldown=section.unknown_key_cooldown,
    )


def _is_discovered(section: Issuer) -> bool:
    lookup = section.introspection or section.userinfo
    return lookup is not None and lookup.endpoint is None


def _signs_answers(section: Issuer) -> bool:
    return section.introspection is not None and section.introspection.signed_response


def well_known(issuer: str) -> str:
    """The discovery URL of an issuer (OpenID Connect Discovery 1.0, section 4)."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
