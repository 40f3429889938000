"""``issuers:`` becomes settings: a closed list, each ``iss`` of it written out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rolecall.config import group_overage, issuer_demands, issuer_keys, opaque_tokens
from rolecall.config.authentication import authentication
from rolecall.config.claim_path import ClaimPath
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_keys import NamedIssuer
from rolecall.config.issuer_schema import Issuer
from rolecall.config.profiles import DEFAULTS, Defaults
from rolecall.config.settings import IssuerSettings
from rolecall.core import KEYS_ISSUER, Source

ANY: Final = "any"


def with_defaults(section: Issuer, defaults: Mapping[str, Any]) -> Issuer:
    """An entry in which what it does not say itself is as LiteLLM's sections say."""
    unsaid = {key: value for key, value in defaults.items() if key not in section.model_fields_set}
    return section.model_copy(update=unsaid)


def issuers(
    sections: list[tuple[KeyPath, Issuer]],
    document: Document,
    default_roles: tuple[ClaimPath, ...] | None,
) -> list[IssuerSettings]:
    """The entries of ``issuers:``, and where they stand.

    ``default_roles`` are the claim paths for those that name none.
    """
    result: list[IssuerSettings] = []
    for path, section in sections:
        accepted = _audience(section, path, document)
        required = issuer_demands.require(section, path, document)
        signed_in = authentication(section.authentication, (*path, "authentication"), document)
        issuer_demands.warn_of_unverified_email(section, path, document)
        issuer_demands.check_actors(section, path, document)
        opaque = opaque_tokens.opaque(section, path, document)
        client = group_overage.client(section, path, document)
        # without the text: the line may hold a client's secret
        source = replace(document.source(path), text="")
        for named in issuer_keys.named(section, path, document):
            settings = build(section, named, accepted, default_roles, source)
            settings = replace(
                settings,
                require=required,
                opaque=opaque,
                group_overage=group_overage.group_overage(
                    section, named.issuer, client, path, document
                ),
                authentication=signed_in,
            )
            if _is_known(settings, result):
                document.report((*path, "issuer"), "is configured twice; keep one entry.")
            elif KEYS_ISSUER in (settings.issuer, *settings.aliases):
                document.report(
                    (*path, "issuer"), "is the name that static keys have as their issuer."
                )
            else:
                result.append(settings)
    return result


def _is_known(settings: IssuerSettings, others: list[IssuerSettings]) -> bool:
    names = {settings.issuer, *settings.aliases}
    return any(not names.isdisjoint((other.issuer, *other.aliases)) for other in others)


def build(
    section: Issuer,
    named: NamedIssuer,
    accepted: tuple[str, ...] | None,
    default_roles: tuple[ClaimPath, ...] | None,
    source: Source,
) -> IssuerSettings:
    """One issuer, with the defaults of its profile; ``accepted`` are its audiences."""
    defaults = DEFAULTS[section.profile]
    roles = _Roles.of(section, defaults, accepted, default_roles)
    aliases = tuple(section.aliases) or (
        defaults.aliases if named.issuer == defaults.issuer else ()
    )
    return IssuerSettings(
        issuer=named.issuer,
        aliases=aliases,
        profile=section.profile,
        audience=accepted,
        clients=tuple(section.clients) if section.clients else None,
        email_domains=_domains(section),
        keys=named.keys,
        algorithms=tuple(section.algorithms or defaults.algorithms),
        subject=section.subject,
        roles=roles.lists,
        role_words=roles.words,
        role_values=roles.values,
        groups=tuple(defaults.groups if section.groups is None else section.groups),
        scopes=tuple(defaults.scopes if section.scopes is None else section.scopes),
        teams=tuple(section.teams),
        email=section.email or ("email",),
        organization=section.organization,
        end_user=section.end_user,
        leeway=section.leeway,
        max_lifetime=section.max_lifetime or defaults.max_lifetime,
        max_claim_values=section.max_claim_values,
        rfc9068=section.rfc9068,
        dpop=section.dpop,
        dpop_nonce=section.dpop_nonce,
        certificate_bound=section.certificate_bound,
        actor=section.actor,
        actors=issuer_demands.actors(section, named.issuer, aliases),
        source=source,
        banned_keys=frozenset(section.banned_keys),
        required=section.required,
        signed_tokens=section.signed_tokens,
        logout_audience=tuple(section.logout_audience or ()),
        event_audience=tuple(section.event_audience or ()),
    )


@dataclass(frozen=True, slots=True)
class _Roles:
    lists: tuple[ClaimPath, ...]
    words: tuple[ClaimPath, ...]
    values: tuple[ClaimPath, ...]

    @classmethod
    def of(
        cls,
        section: Issuer,
        defaults: Defaults,
        accepted: tuple[str, ...] | None,
        default_roles: tuple[ClaimPath, ...] | None,
    ) -> "_Roles":
        """Where roles are: as written, else as LiteLLM's sections say, else by profile."""
        if section.roles is not None:
            lists, words, values = (
                tuple(role.path for role in section.roles if role.form == form)
                for form in ("list", "words", "value")
            )
            return cls(lists, words, values)
        if default_roles is not None:
            return cls(default_roles, (), ())
        lists = defaults.roles
        if section.profile == "keycloak":
            # an audience of Keycloak is the client that has the roles
            lists += tuple(("resource_access", client, "roles") for client in accepted or ())
        return cls(lists, (), defaults.role_values)


def _domains(section: Issuer) -> tuple[str, ...] | None:
    # domains know no case (RFC 4343)
    return tuple(map(str.lower, section.email_domains)) if section.email_domains else None


def _audience(section: Issuer, path: KeyPath, document: Document) -> tuple[str, ...] | None:
    at: KeyPath = (*path, "audience")
    if section.audience is None:
        if section.profile != "cognito":
            document.report(at, "is missing.")
        elif section.clients is None:
            document.report(
                (*path, "clients"),
                "is missing: Cognito's access tokens have no aud, and name the app client that"
                " they were issued to; list those that may call this gateway.",
            )
        return ()
    accepted = audience(section.audience, at, document)
    if section.profile == "entra" and accepted is not None:
        # v1.0 tokens repeat the application ID URI as the client wrote it
        accepted += tuple(
            uri.removesuffix("/") if uri.endswith("/") else f"{uri}/"
            for uri in accepted
            if "://" in uri
        )
    return accepted


def audience(values: list[str], path: KeyPath, document: Document) -> tuple[str, ...] | None:
    """The accepted audiences; ``any`` alone waives the check, with a warning."""
    if values == [ANY]:
        document.warn(
            path,
            "every audience is accepted: a token that was issued for another application opens"
            " this gateway too. Name the audience of this gateway.",
        )
        return None
    if ANY in values:
        document.report(path, "mixes 'any' with audiences; write one or the other.")
    return tuple(values)
