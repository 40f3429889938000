"""``JWT_PUBLIC_KEY_URL``, ``JWT_ISSUER`` and ``JWT_AUDIENCE`` become issuers."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from rolecall.config import issuers as native
from rolecall.config import urls
from rolecall.config.claim_path import ClaimPath
from rolecall.config.document import Document, KeyPath
from rolecall.config.environment import UNSET, MissingVariable, variable
from rolecall.config.issuer_keys import NamedIssuer
from rolecall.config.issuer_schema import Issuer
from rolecall.config.settings import IssuerSettings, KeysFrom, Profile, Reach

_AT: Final[KeyPath] = ("general_settings", "enable_jwt_auth")
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_KEYCLOAK: Final = re.compile(
    rf"(?P<issuer>https?://.+/realms/[^/?]+)(?:/protocol/openid-connect/certs|{_WELL_KNOWN})"
)
_ENTRA: Final = re.compile(
    r"https://login\.microsoftonline\.com/(?P<tenant>[0-9A-Za-z.-]+)"
    rf"(?:(?:/discovery/v2\.0/keys)(?:\?appid=[0-9A-Za-z-]+)?|/v2\.0{_WELL_KNOWN})"
)
_SHARED_TENANTS: Final = frozenset({"common", "organizations", "consumers"})


def issuers(
    document: Document,
    environ: Mapping[str, str],
    roles: tuple[ClaimPath, ...] | None,
    defaults: Mapping[str, Any],
    *,
    offline: bool,
) -> list[IssuerSettings]:
    """One issuer or more for each key URL; every fault is reported at ``enable_jwt_auth``.

    Several URLs are separated by commas, and so are their issuers, in the same order; an issuer
    that the URL tells (Keycloak, Entra ID) may be left out. ``roles`` and ``defaults`` are the
    claims that LiteLLM's sections name. ``offline`` stands one issuer in for variables that are not
    set.
    """
    try:
        key_urls = _list(variable("JWT_PUBLIC_KEY_URL", environ))
        named = _list(variable("JWT_ISSUER", environ))
        audiences = [value for value in _list(variable("JWT_AUDIENCE", environ)) if value]
        reach = _reach(variable("JWT_PRIVATE_NETWORK", environ), document)
    except MissingVariable as error:
        document.report(_AT, f"{error}.")
        return []
    if offline:
        named = named or ([] if key_urls else [UNSET])
        key_urls = key_urls or [f"{UNSET}/keys"] * len(named)
        audiences = audiences or [UNSET]
    if not key_urls:
        document.report(
            _AT,
            "needs the environment variable JWT_PUBLIC_KEY_URL: the key set URL of your identity"
            " provider, https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys for Entra ID"
            " or {keycloak}/realms/{realm}/protocol/openid-connect/certs for Keycloak (or write"
            " issuers: in the file).",
        )
    if not audiences:
        document.report(
            _AT,
            "needs the environment variable JWT_AUDIENCE: the aud that your identity provider"
            " writes into tokens for this gateway (its client ID or application ID URI; several"
            " with commas). JWT_AUDIENCE=any accepts a token issued for any application.",
        )
    if not key_urls or not audiences:
        return []
    audience = native.audience(audiences, _AT, document)
    if named and len(named) != len(key_urls):
        document.report(
            _AT,
            f"JWT_ISSUER names {len(named)} and JWT_PUBLIC_KEY_URL {len(key_urls)}: name one issuer"
            " for each URL, in the same order, separated by commas.",
        )
        return []
    result: list[IssuerSettings] = []
    for index, url in enumerate(key_urls):
        try:
            urls.check(url)
        except ValueError as error:
            # not quoted: it may hold a password
            which = f"JWT_PUBLIC_KEY_URL (number {index + 1})" if index else "JWT_PUBLIC_KEY_URL"
            document.report(_AT, f"{which} {error}.")
            continue
        profile, inferred = infer(url)
        issuer_names = (named[index],) if named and named[index] else inferred
        if not issuer_names:
            document.report(
                _AT,
                "needs the environment variable JWT_ISSUER: the iss of the tokens whose keys are"
                f" at {url.partition('?')[0]}; it cannot be told from this URL.",
            )
            continue
        is_metadata = url.endswith(_WELL_KNOWN)
        section = Issuer.model_construct(**{**defaults, "profile": profile})
        keys = KeysFrom(
            jwks_url=None if is_metadata else url,
            discovery_url=url if is_metadata else None,
            reach=reach,
            max_stale=section.max_stale,
            refresh=section.refresh,
        )
        result.extend(
            native.build(section, NamedIssuer(issuer, keys), audience, roles, document.source(_AT))
            for issuer in issuer_names
        )
    _report_twins(result, document)
    return result


def _reach(private: str | None, document: Document) -> Reach:
    if private not in {None, "true", "false"}:
        document.report(_AT, "reads JWT_PRIVATE_NETWORK, which is neither true nor false.")
    return Reach(private_network=private == "true")


def _report_twins(found: list[IssuerSettings], document: Document) -> None:
    for name, times in Counter(issuer.issuer for issuer in found).items():
        if times > 1:
            document.report(
                _AT, f"JWT_PUBLIC_KEY_URL names the keys of {name} twice; keep one URL for it."
            )


def is_set(environ: Mapping[str, str]) -> bool:
    """Whether the environment names key URLs, if only in a file."""
    return any(environ.get(name) for name in ("JWT_PUBLIC_KEY_URL", "JWT_PUBLIC_KEY_URL_FILE"))


def infer(url: str) -> tuple[Profile, tuple[str, ...]]:
    """The profile that a key URL tells, and the issuers that sign with its keys.

    Keycloak has one issuer a realm. Entra ID has two for a tenant, for its v2.0 and its v1.0
    tokens; a URL that all tenants share tells none.
    """
    if keycloak := _KEYCLOAK.fullmatch(url):
        return "keycloak", (keycloak["issuer"],)
    if entra := _ENTRA.fullmatch(url):
        tenant = entra["tenant"]
        if tenant in _SHARED_TENANTS:
            return "entra", ()
        v2 = f"https://login.microsoftonline.com/{tenant}/v2.0"
        if url.endswith(_WELL_KNOWN):
            # metadata speaks for one issuer alone
            return "entra", (v2,)
        return "entra", (v2, f"https://sts.windows.net/{tenant}/")
    return "generic", ()


def _list(value: str | None) -> list[str]:
    return [part.strip() for part in value.split(",")] if value else []
