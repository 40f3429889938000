"""The shape of ``issuers[]``."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from rolecall.config import claim_path
from rolecall.config.authentication import AuthenticationSection
from rolecall.config.settings import ALGORITHMS, ClientAuth, Profile
from rolecall.config.shapes import Names, OneOrMore, Section, Text

GUID: Final = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""An ID of Entra ID as it stands in tokens and answers, which are compared exactly."""

_FORMS: Final = ("words", "value")


def _claim_path(spelling: Any) -> Any:
    if isinstance(spelling, str) or (
        isinstance(spelling, list) and all(isinstance(key, str) for key in spelling)
    ):
        return claim_path.parse(spelling)
    raise ValueError("a claim path is a list of keys, a JSON pointer (/a/b) or a dotted path (a.b)")


Path = Annotated[
    tuple[str, ...], BeforeValidator(_claim_path, json_schema_input_type=str | list[str])
]


@dataclass(frozen=True, slots=True)
class RoleClaimPath:
    """Where roles are: a list of them, words separated by spaces, or one value."""

    path: claim_path.ClaimPath
    form: Literal["list", "words", "value"] = "list"


_RoleSpelling = str | list[str] | dict[Literal["words", "value"], str | list[str]]


def _role_claim_path(spelling: Any) -> Any:
    if isinstance(spelling, dict):
        for form in _FORMS:
            if spelling.keys() == {form}:
                return RoleClaimPath(_claim_path(spelling[form]), form)
        raise ValueError("is a claim path, or one under words: or value:")
    return RoleClaimPath(_claim_path(spelling))


def _known_algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise ValueError(f"{name} is not accepted; choose among {', '.join(ALGORITHMS)}")
    return name


def _tenant(tenant: str) -> str:
    if not GUID.fullmatch(tenant):
        raise ValueError(
            "is no tenant ID; write the GUID that stands in the tokens' tid, in lower case"
        )
    return tenant


class _OpaqueTokens(Section):
    endpoint: Text | None = None
    tokens: Literal["opaque", "all"] = "opaque"
    prefix: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._~+/-]*$")] = ""
    ttl: Annotated[int, Field(ge=0, le=3600)] = 60
    negative_ttl: Annotated[int, Field(ge=0, le=60)] = 5
    timeout: Annotated[float, Field(gt=0, le=60)] = 5.0


class Introspection(_OpaqueTokens):
    """``issuers[].introspection``."""

    client_id: Text
    client_auth: ClientAuth | None = None
    client_secret: Text | None = Field(default=None, repr=False)
    private_key_file: Text | None = None
    private_key_id: Text | None = None
    client_cert: Text | None = None
    client_key: Text | None = None
    signed_response: bool = False


class Userinfo(_OpaqueTokens):
    """``issuers[].userinfo``."""


class AcceptedActor(Section):
    """``issuers[].actors[]``."""

    subject: Text | None = None
    client: Text | None = None
    issuer: Text | None = None


class GroupOverage(Section):
    """``issuers[].group_overage``."""

    client_id: Text
    client_secret: Text | None = Field(default=None, repr=False)
    client_cert: Text | None = None
    client_key: Text | None = None
    client_assertion_file: Text | None = None
    endpoint: Text | None = None
    token_endpoint: Text | None = None
    security_groups_only: bool = True
    ttl: Annotated[int, Field(ge=0, le=3600)] = 300
    timeout: Annotated[float, Field(gt=0, le=60)] = 5.0


class Issuer(Section):
    """``issuers[]``."""

    issuer: Text | None = None
    tenant: (
        Annotated[
            list[Annotated[Text, AfterValidator(_tenant)]],
            Field(min_length=1, max_length=1000),
            BeforeValidator(
                lambda value: [value] if isinstance(value, str) else value,
                json_schema_input_type=str | list[str],
            ),
        ]
        | None
    ) = None
    aliases: list[Text] = []
    profile: Profile = "generic"
    audience: OneOrMore | None = None
    clients: Names | None = None
    require: dict[Text, OneOrMore] = {}
    email_domains: Names | None = None
    actor: Literal["optional", "required", "forbidden"] = "optional"
    actors: (
        Annotated[
            list[
                Annotated[
                    AcceptedActor,
                    BeforeValidator(
                        lambda value: {"subject": value} if isinstance(value, str) else value,
                        json_schema_input_type=str | AcceptedActor,
                    ),
                ]
            ],
            Field(min_length=1),
        ]
        | None
    ) = None
    jwks_url: Text | None = None
    discovery_url: Text | None = None
    jwks_file: Text | None = None
    algorithms: (
        Annotated[list[Annotated[str, AfterValidator(_known_algorithm)]], Field(min_length=1)]
        | None
    ) = None
    subject: Path | None = None
    roles: (
        Annotated[
            list[
                Annotated[
                    RoleClaimPath,
                    BeforeValidator(_role_claim_path, json_schema_input_type=_RoleSpelling),
                ]
            ],
            Field(min_length=1),
        ]
        | None
    ) = None
    groups: list[Path] | None = None
    scopes: list[Path] | None = None
    teams: list[Path] = []
    email: Path | None = None
    organization: Path | None = None
    end_user: Path | None = None
    leeway: Annotated[int, Field(ge=0, le=300)] = 60
    max_lifetime: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    max_claim_values: Annotated[int, Field(ge=1, le=10_000)] = 1000
    rfc9068: bool = False
    authentication: AuthenticationSection | None = None
    dpop: Literal["optional", "required"] | None = None
    dpop_nonce: bool = False
    certificate_bound: Literal["optional", "required"] | None = None
    ca_file: Text | None = None
    bearer_file: Text | None = None
    private_network: bool = False
    refresh: Annotated[int, Field(ge=10, le=86_400)] | None = None
    min_refresh: Annotated[int, Field(ge=10, le=86_400)] | None = None
    max_refresh: Annotated[int, Field(ge=10, le=86_400)] | None = None
    max_stale: Annotated[int, Field(ge=0, le=604_800)] = 86_400
    unknown_key_cooldown: Annotated[int, Field(ge=1, le=300)] | None = None
    banned_keys: list[Text] = []
    required: bool = True
    logout_audience: OneOrMore | None = None
    event_audience: OneOrMore | None = None
    signed_tokens: bool = True
    introspection: Introspection | None = None
    userinfo: Userinfo | None = None
    group_overage: GroupOverage | None = None
