"""One file becomes settings, or a list of everything that is wrong with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rolecall.config import (
    client_certificates,
    environment,
    gaps,
    jwt_environment,
    listener_tls,
    litellm,
    lowering,
    name_lists,
    opaque_tokens,
    plain_secrets,
    policy_lowering,
    protected_resource,
    revocations,
    schema,
    static_keys,
)
from rolecall.config import issuers as native_issuers
from rolecall.config.document import Document, KeyPath, read
from rolecall.config.including import Included, check_bounds, read_included
from rolecall.config.issuer_schema import Issuer
from rolecall.config.litellm_hints import HINTS
from rolecall.config.policy_schema import DecisionsSection
from rolecall.config.problems import ConfigurationError
from rolecall.config.reading import Loaded
from rolecall.config.settings import DecisionSettings, ExplainSettings, Settings, ShadowSettings
from rolecall.config.validation import validated
from rolecall.core import RoleMapping, Rule


def load_document(
    document: Document,
    environ: Mapping[str, str],
    *,
    allow_unknown: bool = False,
    offline: bool = False,
    trusted: Collection[str] = (),
) -> Loaded:
    """What `reading.load` gives, of a document that has been read.

    Args:
        document: as it was read.
        environ: as for `load`.
        allow_unknown: as for `load`.
        offline: as for `load`.
        trusted: issuers that another configuration trusts, beside which this one is only asked.

    Raises:
        ConfigurationError: with every problem found, each at its file, line and column.
    """
    secrets = plain_secrets.find(document)
    environment.resolve(document, environ, offline=offline)
    file = validated(document, schema.File, hints=HINTS, allow_unknown=allow_unknown)
    document.stop_on_errors()
    included = read_included(
        file.include, document, environ, allow_unknown=allow_unknown, offline=offline
    )
    settings = _lower(file, document, environ, included, offline=offline, trusted=trusted)
    if file.shadow is not None:
        settings = _with_shadow(settings, Path(document.file).parent / file.shadow, document)
    for one in included:
        document.problems.extend(one.document.problems)
    document.stop_on_errors()
    found = document.sorted_problems()
    return Loaded(
        settings,
        warnings=tuple(one for one in found if one.level == "warning"),
        secrets=tuple(secrets),
        notes=tuple(one for one in found if one.level == "note"),
    )


def _with_shadow(settings: Settings, path: Path, document: Document) -> Settings:
    """The same with a candidate's policy; of that file nothing else is used."""
    try:
        candidate = read(path)
        candidate.data.pop("shadow", None)
        candidate.data.pop("decisions", None)
        trusted = [issuer.issuer for issuer in settings.issuers]
        found = load_document(candidate, {}, offline=True, trusted=trusted).settings
    except ConfigurationError as error:
        document.report(("shadow",), f"{path} cannot be used.")
        document.problems.extend(error.problems)
        return settings
    shadow = ShadowSettings(found.file, found.roles, found.rules, found.condition_headers)
    return replace(settings, shadow=shadow, files=(*settings.files, *found.files))


def _decisions(section: DecisionsSection | None, document: Document) -> DecisionSettings | None:
    if section is None:
        return None
    path = Path(document.file).parent / section.path
    if not path.parent.is_dir():
        document.report(("decisions", "path"), "lies in a folder that is not there.")
    return DecisionSettings(
        path=path,
        include_claims=tuple(section.include_claims),
        max_bytes=section.max_bytes,
        max_age=section.max_age,
        keep=section.keep,
        on_failure=section.on_failure,
    )


def _lower(  # noqa: PLR0913 - what was read, and for what it is read
    file: schema.File,
    document: Document,
    environ: Mapping[str, str],
    included: list[Included],
    *,
    offline: bool,
    trusted: Collection[str],
) -> Settings:
    lowered = litellm.policy(file, document)
    keys = static_keys.keys(file, document)
    sections: list[tuple[KeyPath, Issuer]] = [
        *(
            (("issuers", index), native_issuers.with_defaults(section, lowered.claims))
            for index, section in enumerate(file.issuers)
        ),
        *lowered.issuers,
    ]
    issuers = native_issuers.issuers(sections, document, lowered.role_paths)
    if lowered.issuers_from_environment and (
        jwt_environment.is_set(environ) or not (sections or lowered.userinfo)
    ):
        taken = {issuer.issuer for issuer in issuers}
        issuers += [
            issuer
            for issuer in jwt_environment.issuers(
                document, environ, lowered.role_paths, lowered.claims, offline=offline
            )
            if issuer.issuer not in taken
        ]
    elif not (sections or keys or lowered.userinfo or trusted):
        document.report(
            (),
            "trusts no issuer: write issuers: (or general_settings.enable_jwt_auth: true with"
            " JWT_PUBLIC_KEY_URL and JWT_AUDIENCE in the environment), or keys:.",
        )
    issuers = litellm.with_userinfo(file, document, issuers, lowered.role_paths)
    opaque_tokens.check_prefixes(issuers, document)
    written = _policy(
        file, document, {issuer.issuer for issuer in issuers} | set(trusted), included
    )
    models = lowering.models(file.models, document, environ)
    models += litellm.models(file, document, environ)
    mappings = [*((document, *placed) for placed in lowered.mappings), *written.mappings]
    rules = [*((document, *placed) for placed in lowered.rules), *written.rules]
    policy_lowering.check_includes(mappings)
    resource = protected_resource.resource(file.resource, issuers, document)
    protected_resource.check_proofs(file.issuers, resource, document)
    client_certificates.check(file.issuers, file.server, document)
    metrics = lowering.metrics(file.metrics, document)
    gaps.warn(
        document,
        given=[(where, path, mapping.role) for where, path, mapping in mappings]
        + [(document, path, role) for path, key in keys for role in sorted(key.roles)],
        rules=rules,
        readers={
            role: path
            for path, roles in (
                (("metrics", "roles"), (metrics and metrics.roles) or ()),
                (("revocations", "administrators"), file.revocations.administrators),
                (("explain", "administrators"), file.explain.administrators),
            )
            for role in roles
        },
        model_names={model.name for model in models},
    )
    return Settings(
        file=document.file,
        issuers=tuple(issuers),
        roles=tuple(mapping for _, _, mapping in mappings),
        rules=tuple(rule for _, _, rule in rules),
        models=tuple(models),
        limits=lowering.limits(file.limits),
        keys=tuple(key for _, key in keys),
        metrics=metrics,
        resource=resource,
        listener_tls=listener_tls.listener_tls(file.server.tls, document),
        certificate_header=client_certificates.header(file.server.client_certificate, document),
        nonce_key=file.dpop.nonce_key.encode() if file.dpop.nonce_key is not None else None,
        explain=ExplainSettings(frozenset(file.explain.administrators), file.explain.header),
        revocations=revocations.revocations(file.revocations, issuers, document),
        condition_headers=frozenset(name.lower() for name in file.conditions.headers),
        decisions=_decisions(file.decisions, document),
        files=(document.file, *(one.document.file for one in included)),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    mappings: list[tuple[Document, KeyPath, RoleMapping]]
    rules: list[tuple[Document, KeyPath, Rule]]


def _policy(
    file: schema.File, document: Document, issuers: set[str], included: list[Included]
) -> _Written:
    """The native roles and rules of all files."""
    shared = name_lists.resolve(file.lists, document)
    headers = document.data.get("conditions", {})
    mappings = policy_lowering.roles(file.roles, document, issuers, shared)
    rules = policy_lowering.rules(file.rules, document, shared)
    written = _Written(
        [(document, *placed) for placed in mappings], [(document, *placed) for placed in rules]
    )
    for one in included:
        one.document.data["conditions"] = headers
        lists = name_lists.resolve(one.file.lists, one.document, shared)
        mappings = policy_lowering.roles(one.file.roles, one.document, issuers, lists)
        rules = policy_lowering.rules(one.file.rules, one.document, lists)
        check_bounds(one, mappings, rules)
        written.mappings.extend((one.document, *placed) for placed in mappings)
        written.rules.extend((one.document, *placed) for placed in rules)
    return written
