"""``revocations:``: what is revoked, and who may revoke."""

import math
from typing import Final

from rolecall.config import schema
from rolecall.config.document import Document, KeyPath
from rolecall.config.instants import parse_instant
from rolecall.config.settings import IssuerSettings, RevocationSettings
from rolecall.core import KEYS_ISSUER, Revocation

_TIME: Final = "is neither a date (2027-01-31) nor a time with its offset (2027-01-31T12:00:00Z)."


def revocations(
    section: schema.RevocationsSection, issuers: list[IssuerSettings], document: Document
) -> RevocationSettings:
    """The section's values, with the names that their issuers have for us."""
    names = {KEYS_ISSUER: KEYS_ISSUER} | {
        name: issuer.issuer for issuer in issuers for name in (issuer.issuer, *issuer.aliases)
    }
    return RevocationSettings(
        entries=tuple(
            _entry(entry, ("revocations", "entries", index), names, document)
            for index, entry in enumerate(section.entries)
        )
    )


def _entry(
    entry: schema.RevocationEntry, path: KeyPath, names: dict[str, str], document: Document
) -> Revocation:
    if entry.issuer not in names:
        document.report((*path, "issuer"), "is not a configured issuer: nothing would be revoked.")
    if entry.model_fields_set <= {"issuer", "expires"}:
        document.report(
            path, "says of no token that it is revoked: write jti, sid, sub, client, issued_before."
        )
    return Revocation(
        names.get(entry.issuer, entry.issuer),
        entry.jti,
        entry.sid,
        entry.sub,
        entry.client,
        None
        if entry.issued_before is None
        else _instant(entry.issued_before, (*path, "issued_before"), document),
        math.inf
        if entry.expires is None
        else _instant(entry.expires, (*path, "expires"), document),
    )


def _instant(text: str, path: KeyPath, document: Document) -> float:
    try:
        return parse_instant(text)
    except ValueError:
        document.report(path, _TIME)
        return 0.0
