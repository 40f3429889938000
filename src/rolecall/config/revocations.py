"""``revocations:``: what is revoked, and who may revoke."""

import math
from pathlib import Path
from typing import Final

from rolecall.config import schema
from rolecall.config.document import Document, KeyPath
from rolecall.config.instants import parse_instant
from rolecall.config.settings import IssuerSettings, RevocationSettings
from rolecall.core import KEYS_ISSUER, Revocation

_FILE: Final[KeyPath] = ("revocations", "file")
_TIME: Final = "is neither a date (2027-01-31) nor a time with its offset (2027-01-31T12:00:00Z)."


def revocations(
    section: schema.RevocationsSection, issuers: list[IssuerSettings], document: Document
) -> RevocationSettings:
    """The section's values, with the names that their issuers have for us."""
    names = {KEYS_ISSUER: KEYS_ISSUER} | {
        name: issuer.issuer for issuer in issuers for name in (issuer.issuer, *issuer.aliases)
    }
    _check_file(section, issuers, document)
    return RevocationSettings(
        administrators=frozenset(section.administrators),
        file=section.file,
        end_streams=section.end_streams,
        entries=tuple(
            _entry(entry, ("revocations", "entries", index), names, document)
            for index, entry in enumerate(section.entries)
        ),
    )


def _check_file(
    section: schema.RevocationsSection, issuers: list[IssuerSettings], document: Document
) -> None:
    if section.file is not None:
        if not Path(section.file).absolute().parent.is_dir():
            document.report(_FILE, "is in a folder that does not exist.")
        return
    if section.administrators:
        document.report(_FILE, "is missing: what administrators revoke is kept there.")
    if any(issuer.logout_audience or issuer.event_audience for issuer in issuers):
        document.report(
            _FILE,
            "is missing: what an issuer revokes (logout_audience, event_audience) is kept there.",
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
