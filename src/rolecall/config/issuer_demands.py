"""Which claims an issuer's tokens must have, who may act with them, and what that means."""

from typing import Final

from rolecall.config import claim_path
from rolecall.config.claim_path import ClaimPath
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_schema import Issuer
from rolecall.config.profiles import DEFAULTS
from rolecall.core import Actor

# for the names that another owner may get when the first gives them up
_BY_ID: Final = {
    "repository": "repository_id",
    "repository_owner": "repository_owner_id",
    "enterprise": "enterprise_id",
    "project_path": "project_id",
    "namespace_path": "namespace_id",
}


def require(
    section: Issuer, path: KeyPath, document: Document
) -> tuple[tuple[ClaimPath, tuple[str, ...]], ...]:
    """``require:``; a provider whose tokens anybody can have for this audience needs it."""
    at: KeyPath = (*path, "require")
    result: list[tuple[ClaimPath, tuple[str, ...]]] = []
    for spelling, values in section.require.items():
        try:
            result.append((claim_path.parse(spelling), tuple(values)))
        except ValueError as error:
            document.report((*at, spelling), f"{error}.", at_key=True)
        if section.profile in {"github-actions", "gitlab-ci"}:
            _warn_of_names(spelling, (*at, spelling), document)
    discriminating = DEFAULTS[section.profile].discriminating
    if discriminating and not any(spelling in discriminating for spelling in section.require):
        document.report(
            at if section.require else path,
            f"needs require: with one of {', '.join(discriminating)}; without it every"
            f" token of {section.profile} would be let in, since its holder chooses the audience.",
        )
    return tuple(result)


def _warn_of_names(claim: str, path: KeyPath, document: Document) -> None:
    if claim in _BY_ID:
        document.warn(
            path,
            f"is a name, which another owner may get when it is given up; {_BY_ID[claim]} stays.",
            at_key=True,
        )
    if claim == "sub":
        document.warn(
            path,
            "is made of names and can be composed otherwise (GitHub: since 15 July 2026 with IDs);"
            " the IDs in claims of their own stay.",
            at_key=True,
        )


def warn_of_unverified_email(section: Issuer, path: KeyPath, document: Document) -> None:
    """Say so where a domain decides that nobody has verified."""
    if section.profile == "entra" and section.email_domains is not None:
        document.warn(
            (*path, "email_domains"),
            "is decided by a claim that Entra ID does not verify: whoever administers a tenant can"
            " write any e-mail address; the tenant's ID is checked, and roles decide.",
        )


def check_actors(section: Issuer, path: KeyPath, document: Document) -> None:
    """Report what ``actors:`` cannot mean."""
    if section.actors is None:
        return
    if section.actor == "forbidden":
        document.report(
            (*path, "actors"),
            "names those who may act, and actor: forbidden accepts nobody; write one or the other.",
        )
    for number, one in enumerate(section.actors):
        if one.subject is None and one.client is None:
            document.report(
                (*path, "actors", number),
                "names nobody; write subject:, client:, or both.",
            )


def actors(section: Issuer, issuer: str, aliases: tuple[str, ...]) -> tuple[Actor, ...] | None:
    """Who may act with an issuer's tokens, each under the name that its own issuer has here."""
    if section.actors is None:
        return None
    return tuple(
        Actor(
            issuer if one.issuer is None or one.issuer in aliases else one.issuer,
            one.subject,
            one.client,
        )
        for one in section.actors
    )
