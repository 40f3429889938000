"""``issuers[].group_overage``: where the groups are asked for that Entra ID's tokens leave out."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rolecall.config import issuer_keys, issuer_schema, urls
from rolecall.config.document import Document, KeyPath
from rolecall.config.settings import Client, GroupOverage, Reach

_GROUPS: Final = ("groups",)
_WAYS: Final = ("client_secret", "client_cert", "client_assertion_file")
_GRAPH: Final = "https://graph.microsoft.com"
_ISSUER_PATH: Final = re.compile(rf"/({issuer_schema.GUID.pattern})/(?:v2\.0)?")


def client(section: issuer_schema.Issuer, path: KeyPath, document: Document) -> Client | None:
    """Who asks on behalf of the gateway; None where nobody does, or after a report."""
    asked = section.group_overage
    at: KeyPath = (*path, "group_overage")
    if asked is None or not _fits(section, at, document):
        return None
    if sum(getattr(asked, way) is not None for way in _WAYS) != 1:
        document.report(at, f"needs one of {', '.join(_WAYS)}.", at_key=True)
        return None
    if not _urls_are_good(asked, section, at, document):
        return None
    if asked.client_cert is not None:
        return _certified(asked.client_id, asked.client_cert, asked.client_key, at, document)
    if asked.client_key is not None:
        document.report((*at, "client_key"), "needs client_cert beside it.")
    if asked.client_secret is not None:
        return Client("client_secret_post", asked.client_id, asked.client_secret)
    # what is in the file need not be there yet
    file = asked.client_assertion_file
    return Client("private_key_jwt", asked.client_id, assertion_file=file)


def _fits(section: issuer_schema.Issuer, at: KeyPath, document: Document) -> bool:
    """Whether an issuer's tokens can leave groups out that somebody reads; reports why not."""
    if section.profile != "entra":
        document.report(at, "is Entra ID's; write profile: entra beside it.", at_key=True)
        return False
    for other in ("introspection", "userinfo"):
        if getattr(section, other) is not None:
            document.report(at, f"cannot stand beside {other}.", at_key=True)
            return False
    if not _reads_groups(section):
        document.warn(
            at,
            "is of no use: neither groups nor roles of this issuer are read from the claim groups.",
            at_key=True,
        )
    return True


def group_overage(
    section: issuer_schema.Issuer,
    issuer: str,
    who: Client | None,
    path: KeyPath,
    document: Document,
) -> GroupOverage | None:
    """How the groups of one issuer's callers are had; None where nobody asks, or after a report.

    Args:
        section: the entry of ``issuers:``.
        issuer: one ``iss`` that it stands for.
        who: what `client` gives.
        path: where the entry stands.
        document: what it stands in.
    """
    asked = section.group_overage
    if asked is None or who is None:
        return None
    at: KeyPath = (*path, "group_overage")
    parts = urlsplit(issuer)
    found = _ISSUER_PATH.fullmatch(parts.path)
    if found is None:
        document.report(
            at,
            "needs an issuer whose path is that of a tenant, /GUID/v2.0 or /GUID/; name the tenant"
            " by its ID.",
            at_key=True,
        )
        return None
    tenant = found[1]
    endpoints = _endpoints(asked, issuer, tenant, at, document)
    if endpoints is None:
        return None
    endpoint, token_endpoint = endpoints
    return GroupOverage(
        tenant=tenant,
        token_endpoint=token_endpoint,
        endpoint=endpoint.rstrip("/"),
        client=who,
        reach=Reach(section.ca_file, section.private_network),
        security_groups_only=asked.security_groups_only,
        ttl=asked.ttl,
        timeout=asked.timeout,
    )


def _endpoints(
    asked: issuer_schema.GroupOverage, issuer: str, tenant: str, at: KeyPath, document: Document
) -> tuple[str, str] | None:
    """Microsoft Graph, and where tokens for it are issued; None after a report."""
    token_endpoint = asked.token_endpoint or _token_endpoint(issuer, tenant)
    if token_endpoint is None:
        document.report(
            at, "needs token_endpoint: v1.0 issuers of this cloud do not say it.", at_key=True
        )
        return None
    endpoint = asked.endpoint
    if endpoint is None and token_endpoint.startswith(f"{issuer_keys.ENTRA}/"):
        endpoint = _GRAPH
    if endpoint is None:
        document.report(
            at,
            "needs endpoint, the Microsoft Graph of the issuer's cloud, such as"
            " https://graph.microsoft.us.",
            at_key=True,
        )
        return None
    if asked.token_endpoint is None:
        try:
            urls.check(token_endpoint)
        except ValueError as error:
            document.report(at, f"needs token_endpoint: {token_endpoint} {error}.", at_key=True)
            return None
    return endpoint, token_endpoint


def _urls_are_good(
    asked: issuer_schema.GroupOverage,
    section: issuer_schema.Issuer,
    at: KeyPath,
    document: Document,
) -> bool:
    """Whether the URLs that are written can be used; reports why not."""
    for key in ("endpoint", "token_endpoint"):
        url = getattr(asked, key)
        if url is None:
            continue
        try:
            urls.check(url, query=False)
        except ValueError as error:
            document.report((*at, key), f"{error}.")
            return False
    if asked.endpoint is not None and urlsplit(asked.endpoint).path.strip("/"):
        document.report((*at, "endpoint"), "must have no path; write https://host.")
        return False
    if asked.token_endpoint is not None and len(section.tenant or ()) > 1:
        document.report(
            (*at, "token_endpoint"), "cannot stand beside several tenants: each has its own."
        )
        return False
    return True


def _reads_groups(section: issuer_schema.Issuer) -> bool:
    roles = [role.path for role in section.roles or ()]
    return section.groups is None or _GROUPS in (*section.groups, *roles)


def _token_endpoint(issuer: str, tenant: str) -> str | None:
    """Where a tenant's tokens are issued: beside its v2.0 issuer, in the global cloud for v1.0."""
    if issuer == issuer_keys.entra_v1(tenant):
        return f"{issuer_keys.ENTRA}/{tenant}/oauth2/v2.0/token"
    origin, _, rest = issuer.partition(f"/{tenant}/")
    return f"{origin}/{tenant}/oauth2/v2.0/token" if rest else None


def _certified(
    client_id: str, certificate: str, key: str | None, path: KeyPath, document: Document
) -> Client | None:
    # few configurations name one, and the library takes 20 ms to load
    from rolecall.config.signing_key import read_certified_key  # noqa: PLC0415

    try:
        signing_key = read_certified_key(Path(certificate), Path(key) if key is not None else None)
    except ValueError as error:
        document.report((*path, "client_cert"), f"{error}.")
        return None
    return Client("private_key_jwt", client_id, signing_key=signing_key)
