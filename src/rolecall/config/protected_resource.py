"""``resource:``, what the gateway says of itself to clients (RFC 9728)."""

from collections.abc import Iterable

from rolecall.config import schema, urls
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_schema import Issuer
from rolecall.config.settings import IssuerSettings, Resource


def resource(
    section: schema.ResourceSection | None, issuers: Iterable[IssuerSettings], document: Document
) -> Resource | None:
    """``resource:``; where it names no authorization servers, the issuers are."""
    if section is None:
        return None
    try:
        urls.check(section.url, query=False)
    except ValueError as error:
        document.report(("resource", "url"), f"{error}.")
        return None
    if not section.url.isascii() or any(character in section.url for character in '"\\'):
        document.report(
            ("resource", "url"), "holds characters that a URL does not; write them as %XX."
        )
    for index, server in enumerate(section.authorization_servers or ()):
        try:
            urls.check(server, query=False)
        except ValueError as error:
            document.report(("resource", "authorization_servers", index), f"{error}.")
    named = section.authorization_servers or [issuer.issuer for issuer in issuers]
    return Resource(section.url, tuple(dict.fromkeys(named)), tuple(section.scopes))


def check_proofs(issuers: Iterable[Issuer], resource: Resource | None, document: Document) -> None:
    """Report issuers whose tokens come with proofs that could not be checked."""
    for index, issuer in enumerate(issuers):
        path: KeyPath = ("issuers", index, "dpop")
        if issuer.dpop_nonce and issuer.dpop is None:
            document.report(
                ("issuers", index, "dpop_nonce"),
                "needs dpop beside it: optional, or required.",
            )
        if issuer.dpop is not None and resource is None:
            document.report(
                path,
                "needs resource.url: a proof is of the URL that the client asked for, which Host"
                " does not tell.",
            )
        if issuer.dpop is not None and issuer.userinfo is not None:
            document.report(
                path,
                "does not go with userinfo, which does not say whose key a token is bound to; use"
                " introspection.",
            )
