"""LiteLLM's dialect, lowered to the native one: this is the only place that knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from rolecall.config import (
    claim_path,
    litellm_differences,
    litellm_identity,
    litellm_policy,
    litellm_windows,
    lowering,
    opaque_tokens,
    schema,
    urls,
)
from rolecall.config import issuers as native
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_keys import NamedIssuer
from rolecall.config.issuer_schema import Issuer
from rolecall.config.settings import (
    IssuerSettings,
    KeysFrom,
    ModelSettings,
    Opaque,
    Timeouts,
)
from rolecall.core import RoleMapping, Rule, Source

_USERINFO_TTL: Final = 60
_NO_ENDPOINT: Final = "needs oidc_userinfo_endpoint: the URL of the userinfo endpoint."


@dataclass(slots=True)
class Lowered:
    """What LiteLLM's sections become."""

    role_paths: tuple[claim_path.ClaimPath, ...] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    issuers: list[tuple[KeyPath, Issuer]] = field(default_factory=list)
    mappings: list[tuple[KeyPath, RoleMapping]] = field(default_factory=list)
    rules: list[tuple[KeyPath, Rule]] = field(default_factory=list)
    issuers_from_environment: bool = False
    userinfo: bool = False


def policy(file: schema.File, document: Document) -> Lowered:
    """``general_settings`` and ``role_permissions``, wherever they stand."""
    lowered = Lowered()
    general = file.general_settings
    auth = general.litellm_jwtauth
    at = litellm_identity.AT
    if general.enable_jwt_auth:
        lowered.issuers_from_environment = True
    elif auth is not None:
        document.report(
            ("general_settings", "enable_jwt_auth")
            if general.enable_jwt_auth is False
            else ("general_settings",),
            "needs enable_jwt_auth: true beside litellm_jwtauth; Rolecall admits callers by their"
            " token alone.",
        )
    if auth is not None:
        if auth.enforce_rbac is False:
            document.warn(
                (*at, "enforce_rbac"),
                "has no effect: rules are always enforced here; set it to true.",
                code="litellm-rbac-always",
            )
        lowered.claims = litellm_identity.claims(auth, document)
        lowered.role_paths = litellm_identity.role_paths(auth, document)
        lowered.mappings = litellm_identity.roles(auth, lowered.role_paths, document)
        lowered.issuers = litellm_identity.listed_issuers(auth, document, lowered.claims)
        lowered.userinfo = bool(auth.oidc_userinfo_enabled)
    given = [(path, mapping.role) for path, mapping in lowered.mappings]
    litellm_differences.note(file, given, document)
    written = litellm_policy.policy(file, [role for _, role in given], document)
    lowered.mappings += written.mappings
    lowered.rules = written.rules + litellm_windows.rules(file, document)
    return lowered


def with_userinfo(
    file: schema.File,
    document: Document,
    issuers: list[IssuerSettings],
    roles: tuple[claim_path.ClaimPath, ...] | None,
) -> list[IssuerSettings]:
    """``oidc_userinfo_*``: the one issuer has opaque tokens too, or there is one that has no other.

    Without any issuer the endpoint's origin is the issuer of the callers.
    """
    auth = file.general_settings.litellm_jwtauth
    if auth is None or not auth.oidc_userinfo_enabled:
        return issuers
    at: KeyPath = ("general_settings", "litellm_jwtauth", "oidc_userinfo_enabled")
    endpoint = auth.oidc_userinfo_endpoint
    try:
        urls.check(endpoint or "")
    except ValueError as error:
        document.report(
            at, f"needs oidc_userinfo_endpoint: a URL. It {error}." if endpoint else _NO_ENDPOINT
        )
        return issuers
    parts = urlsplit(endpoint or "")
    first = issuers[0] if issuers else _of_userinfo(f"{parts.scheme}://{parts.netloc}", roles)
    if any(issuer.keys != first.keys for issuer in issuers):
        document.report(
            at, "does not say whose opaque tokens are meant; write issuers: with userinfo at one."
        )
    opaque_tokens.warn_of_userinfo(at, document)
    opaque = Opaque(
        endpoint=endpoint or "",
        client=None,
        reach=first.keys.reach,
        ttl=_USERINFO_TTL if auth.oidc_userinfo_cache_ttl is None else auth.oidc_userinfo_cache_ttl,
    )
    return [replace(first, opaque=opaque, source=document.source(at)), *issuers[1:]]


def _of_userinfo(origin: str, roles: tuple[claim_path.ClaimPath, ...] | None) -> IssuerSettings:
    named = NamedIssuer(origin, KeysFrom())
    return native.build(Issuer.model_construct(), named, None, roles, Source("", 0))


def models(
    file: schema.File, document: Document, environ: Mapping[str, str]
) -> list[ModelSettings]:
    """``model_list``, with the deadlines of ``router_settings`` and ``litellm_settings``."""
    default = Timeouts()
    first_byte = (
        file.router_settings.timeout or file.litellm_settings.request_timeout or default.first_byte
    )
    stream = file.router_settings.stream_timeout or file.router_settings.timeout
    default = replace(default, first_byte=first_byte, stream=stream or default.stream)
    result = []
    for index, entry in enumerate(file.model_list):
        path: KeyPath = ("model_list", index)
        name = entry.model_name or entry.model
        if name is None:
            document.report(path, "needs model_name: the name that callers use.")
            continue
        if entry.model_name is None:
            document.warn(
                (*path, "model"),
                "is read as model_name; write model_name.",
                at_key=True,
                code="litellm-model-key",
            )
        elif entry.model is not None:
            document.report(
                (*path, "model"), "stands beside model_name; keep model_name.", at_key=True
            )
        model = lowering.deployment(
            entry.litellm_params,
            name=name,
            path=path,
            name_key="model_name" if entry.model_name else "model",
            timeouts=default,
            document=document,
            environ=environ,
        )
        if model is not None:
            result.append(model)
    return result
