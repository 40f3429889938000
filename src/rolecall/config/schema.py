"""The shapes of the file, section by section: pydantic models of what people write.

Types are strict and unknown keys are errors; `lowering` gives the values their meaning.
"""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from rolecall.config.issuer_schema import Issuer
from rolecall.config.policy_schema import (
    ConditionsSection,
    DecisionsSection,
    ExplainSection,
    IncludeEntry,
    Role,
    RuleEntry,
    Terms,
)
from rolecall.config.settings import CertificateForm, ProviderName, TransportName
from rolecall.config.shapes import Names, OneOrMore, Seconds, Text
from rolecall.config.shapes import Section as _Section

_SHA256: Final = re.compile("sha256:[0-9a-fA-F]{64}")


def _digest(text: str) -> str:
    if not _SHA256.fullmatch(text):
        # not quoted: the key itself may have been written
        raise ValueError("is not sha256: and 64 hexadecimal digits; rolecall key new makes one")
    return text


class Key(_Section):
    """``keys[]``."""

    hash: Annotated[Text, AfterValidator(_digest)]
    subject: Text
    roles: Names
    expires: Text


class Model(_Section):
    """``models[]``."""

    name: Text
    provider: ProviderName | None = None
    model: Text
    api_base: Text | None = None
    api_key: Text | None = Field(default=None, repr=False)
    timeout: Seconds | None = None
    stream_timeout: Seconds | None = None
    connect_timeout: Seconds | None = None
    idle_timeout: Seconds | None = None
    total_timeout: Seconds | None = None
    ca_file: Text | None = None
    client_cert: Text | None = None
    client_key: Text | None = None
    transport: TransportName = "http1"


class LimitsSection(_Section):
    """``limits``."""

    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] | None = None
    token_bytes: Annotated[int, Field(ge=512, le=1 << 20)] | None = None
    token_header_bytes: Annotated[int, Field(ge=64, le=1 << 16)] | None = None
    token_depth: Annotated[int, Field(ge=2, le=64)] | None = None
    remembered_tokens: Annotated[int, Field(ge=64, le=1 << 20)] | None = None
    # the longest token has room in the least of it
    remembered_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 30)] | None = None
    refused_tokens: Annotated[int, Field(ge=64, le=1 << 20)] | None = None
    unknown_keys: Annotated[int, Field(ge=16, le=1 << 16)] | None = None
    proofs: Annotated[int, Field(ge=1024, le=1 << 22)] | None = None


class MetricsSection(_Section):
    """``metrics``."""

    roles: OneOrMore


class ScopeMapping(_Section):
    """LiteLLM's ``litellm_jwtauth.scope_mappings[]``."""

    scope: Text
    models: list[Text] | None = None
    routes: list[Text] | None = None


class AccessGroupRule(_Section):
    """LiteLLM's ``general_settings.access_group_rules[]``."""

    attribute: Text
    contains: Text | None = None
    equals: Text | None = None
    access_group: Text


class AccessWindow(_Section):
    """LiteLLM's ``model_list[].model_info.access_windows[]``."""

    start: Text
    end: Text
    timezone: Text
    team_ids: Names


class ModelInfo(_Section):
    """LiteLLM's ``model_list[].model_info``."""

    access_groups: list[Text] = []
    access_windows: list[AccessWindow] = []


class RevocationEntry(_Section):
    """``revocations.entries[]``."""

    issuer: Text
    jti: Text | None = None
    sid: Text | None = None
    sub: Text | None = None
    client: Text | None = None
    issued_before: Text | None = None
    expires: Text | None = None


class RevocationsSection(_Section):
    """``revocations``."""

    entries: list[RevocationEntry] = []
    administrators: list[Text] = []
    file: Text | None = None
    end_streams: bool = False


class ResourceSection(_Section):
    """``resource``."""

    url: Text
    authorization_servers: Names | None = None
    scopes: list[Text] = []


class ClientCertificateSection(_Section):
    """``server.client_certificate``."""

    proxies: OneOrMore
    form: CertificateForm = "rfc9440"
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=64)] | None = None


class ListenerTlsSection(_Section):
    """``server.tls``."""

    certificate: Text
    key: Text | None = None
    client_ca: Text | None = None
    client_certificates: Literal["request", "require"] | None = None


class ServerSection(_Section):
    """``server``."""

    tls: ListenerTlsSection | None = None
    client_certificate: ClientCertificateSection | None = None


class DpopSection(_Section):
    """``dpop``."""

    nonce_key: str | None = Field(default=None, min_length=32, max_length=2048, repr=False)


class RolePermission(_Section):
    """LiteLLM's ``role_permissions[]``."""

    role: Text
    models: list[Text] | None = None
    routes: list[Text] | None = None


class LiteLLMRoleMapping(_Section):
    """LiteLLM's ``litellm_jwtauth.role_mappings[]``."""

    role: Text
    internal_role: Text


class LiteLLMIssuer(_Section):
    """LiteLLM's ``litellm_jwtauth.issuers[]``."""

    issuer: Text
    audience: OneOrMore | None = None
    disable_audience_validation: bool = False
    jwks_url: Text | None = None
    user_id_jwt_field: Text | None = None
    user_email_jwt_field: Text | None = None
    end_user_id_jwt_field: Text | None = None
    org_id_jwt_field: Text | None = None
    team_id_jwt_field: Text | None = None
    team_ids_jwt_field: Text | None = None


class LiteLLMAuth(_Section):
    """LiteLLM's ``general_settings.litellm_jwtauth``."""

    issuers: list[LiteLLMIssuer] = []
    public_key_ttl: Annotated[int, Field(ge=10, le=86_400)] | None = None
    public_key_stale_ttl: Annotated[int, Field(ge=0, le=604_800)] | None = None
    user_id_jwt_field: Text | None = None
    user_email_jwt_field: Text | None = None
    end_user_id_jwt_field: Text | None = None
    org_id_jwt_field: Text | None = None
    team_id_jwt_field: Text | None = None
    team_ids_jwt_field: Text | None = None
    object_id_jwt_field: Text | None = None
    user_allowed_email_domain: Text | None = None
    admin_jwt_scope: Text | None = None
    roles_jwt_field: Text | None = None
    role_mappings: list[LiteLLMRoleMapping] = []
    user_roles_jwt_field: Text | None = None
    user_allowed_roles: Names | None = None
    enforce_rbac: bool | None = None
    oidc_userinfo_enabled: bool | None = None
    oidc_userinfo_endpoint: Text | None = None
    oidc_userinfo_cache_ttl: Annotated[int, Field(ge=0, le=3600)] | None = None
    role_permissions: list[RolePermission] = []
    enforce_scope_based_access: bool | None = None
    scope_mappings: list[ScopeMapping] = []
    admin_allowed_routes: list[Text] | None = None
    team_allowed_routes: list[Text] | None = None


class GeneralSettings(_Section):
    """LiteLLM's ``general_settings``."""

    enable_jwt_auth: bool | None = None
    master_key: Text | None = Field(default=None, repr=False)
    litellm_jwtauth: LiteLLMAuth | None = None
    role_permissions: list[RolePermission] = []
    access_group_rules: list[AccessGroupRule] = []


class LiteLLMParams(_Section):
    """LiteLLM's ``model_list[].litellm_params``."""

    model: Text
    custom_llm_provider: ProviderName | None = None
    api_base: Text | None = None
    api_key: Text | None = Field(default=None, repr=False)
    timeout: Seconds | None = None
    stream_timeout: Seconds | None = None


class LiteLLMModel(_Section):
    """LiteLLM's ``model_list[]``."""

    model_name: Text | None = None
    model: Text | None = None
    litellm_params: LiteLLMParams
    model_info: ModelInfo = ModelInfo()


class RouterSettings(_Section):
    """LiteLLM's ``router_settings``."""

    timeout: Seconds | None = None
    stream_timeout: Seconds | None = None


class LiteLLMSettings(_Section):
    """LiteLLM's ``litellm_settings``."""

    request_timeout: Seconds | None = None


class File(_Section):
    """The whole file; both dialects may stand in it."""

    issuers: list[Issuer] = []
    keys: list[Key] = []
    include: list[IncludeEntry] = []
    roles: list[Role] = []
    rules: list[RuleEntry] = []
    lists: dict[Text, Terms] = {}
    conditions: ConditionsSection = ConditionsSection()
    explain: ExplainSection = ExplainSection()
    decisions: DecisionsSection | None = None
    shadow: Text | None = None
    models: list[Model] = []
    limits: LimitsSection = LimitsSection()
    metrics: MetricsSection | None = None
    revocations: RevocationsSection = RevocationsSection()
    resource: ResourceSection | None = None
    dpop: DpopSection = DpopSection()
    server: ServerSection = ServerSection()
    general_settings: GeneralSettings = GeneralSettings()
    role_permissions: list[RolePermission] = []
    model_list: list[LiteLLMModel] = []
    router_settings: RouterSettings = RouterSettings()
    litellm_settings: LiteLLMSettings = LiteLLMSettings()
