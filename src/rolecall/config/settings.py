"""What a configuration says, in one form whatever dialect it was written in."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rolecall.config.claim_path import ClaimPath
from rolecall.core import Actor, Authentication, Revocation, RoleMapping, Rule, Source

if TYPE_CHECKING:
    from rolecall.config.signing_key import SigningKey

Profile = Literal[
    "generic",
    "keycloak",
    "entra",
    "okta",
    "auth0",
    "google",
    "cognito",
    "github-actions",
    "gitlab-ci",
    "kubernetes",
]
ProviderName = Literal["openai", "anthropic"]
CertificateForm = Literal["rfc9440", "pem", "xfcc"]
TransportName = Literal["http1", "http2"]
ClientAuth = Literal[
    "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"
]

PROVIDER_NAMES: Final[tuple[ProviderName, ...]] = ("openai", "anthropic")

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Every signature algorithm that can be allowed: asymmetric ones only (RFC 7518, 8037, 9864)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How the servers of an identity provider are reached.

    Attributes:
        ca_file: certificate authorities instead of the system's, PEM.
        private_network: whether the host that the configuration names may be at an address of a
            private network.
        certificate: a client certificate with its chain, PEM.
        key: its key, where it is not in the same file.
        bearer_file: a file that holds a bearer token for the configured host, read at each fetch
            (a service account's, for the key set of Kubernetes).
    """

    ca_file: str | None = None
    private_network: bool = False
    certificate: str | None = None
    key: str | None = None
    bearer_file: str | None = None


@dataclass(frozen=True, slots=True)
class KeysFrom:
    """Where an issuer's key set comes from: one of the first three is set, or it has none.

    Attributes:
        refresh: seconds between two fetches where the server does not say; None for an hour.
        max_stale: seconds that the last good keys serve on after they were due to be fetched
            again, while they cannot be.
        min_refresh: the shortest time between two fetches that the server can ask for, seconds;
            None for the usual one.
        max_refresh: the longest, likewise.
        unknown_key_cooldown: the shortest time between two fetches for the sake of a key ID that is
            not known, likewise.
    """

    jwks_url: str | None = None
    discovery_url: str | None = None
    jwks_file: str | None = None
    reach: Reach = Reach()
    max_stale: float = 86_400.0
    refresh: float | None = None
    min_refresh: float | None = None
    max_refresh: float | None = None
    unknown_key_cooldown: float | None = None

    @property
    def place(self) -> "KeysFrom":
        """Where it comes from alone, however often it is asked for."""
        return KeysFrom(self.jwks_url, self.discovery_url, self.jwks_file, self.reach)

    @property
    def anywhere(self) -> bool:
        """Whether there is a key set, and so signed tokens."""
        return (self.jwks_url or self.discovery_url or self.jwks_file) is not None


@dataclass(frozen=True, slots=True)
class MetadataAt:
    """Where an issuer's metadata are (OpenID Connect Discovery 1.0, RFC 8414).

    Attributes:
        refresh: seconds between two fetches where the server does not say; None for an hour.
        max_stale: seconds that the last good ones serve on after they were due to be fetched again.
    """

    url: str
    reach: Reach = Reach()
    max_stale: float = 86_400.0
    refresh: float | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """How the gateway shows an identity provider who it is (RFC 6749 2.3, RFC 7523, RFC 8705).

    Attributes:
        method: the name that OAuth has for the way.
        client_id: what the provider calls the gateway.
        secret: for the two ways with a secret.
        signing_key: for ``private_key_jwt``.
        assertion_file: for the same, a file that holds what another issuer, whom the provider
            trusts with it, has signed for the gateway.
    """

    method: ClientAuth
    client_id: str
    secret: str | None = field(default=None, repr=False)
    signing_key: "SigningKey | None" = field(default=None, repr=False)
    assertion_file: str | None = None


@dataclass(frozen=True, slots=True)
class Opaque:
    """How an issuer's opaque tokens are known, and where it says whose they and others are.

    Attributes:
        endpoint: the introspection endpoint, or the userinfo endpoint; or the metadata that name
            it.
        client: who asks for introspection; None where userinfo is asked for, with the token itself.
        reach: how the endpoint is reached.
        tokens: whether it is asked about signed tokens too, once their signature is verified.
        prefix: what the tokens begin with; empty for all that belong to no other issuer.
        ttl: seconds that a good answer is remembered, never beyond ``exp``.
        negative_ttl: seconds that a bad answer is remembered.
        timeout: seconds for an answer.
        signed_response: whether answers must be signed with a key of the issuer (RFC 9701).
    """

    endpoint: str | MetadataAt
    client: Client | None
    reach: Reach = Reach()
    tokens: Literal["opaque", "all"] = "opaque"
    prefix: str = ""
    ttl: float = 60.0
    negative_ttl: float = 5.0
    timeout: float = 5.0
    signed_response: bool = False


@dataclass(frozen=True, slots=True)
class GroupOverage:
    """How the groups are had for which a token of Entra ID has no room.

    Attributes:
        tenant: whose directory is asked, and whose tokens it is asked about.
        token_endpoint: where the gateway gets its own token for the directory.
        endpoint: Microsoft Graph, without a path.
        client: who asks.
        reach: how both are reached.
        security_groups_only: whether groups that are for mail alone are left out.
        ttl: seconds that an account's groups are remembered.
        timeout: seconds for an answer.
    """

    tenant: str
    token_endpoint: str
    endpoint: str
    client: Client
    reach: Reach = Reach()
    security_groups_only: bool = True
    ttl: float = 300.0
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """One trusted OIDC provider.

    Attributes:
        issuer: compared with ``iss`` character by character.
        profile: which provider's habits to expect.
        audience: at least one of these must stand in ``aud``; None waives the check.
        keys: where its keys come from.
        algorithms: signature algorithms that its tokens may use.
        roles: claim paths of lists of roles; all values are united.
        groups: claim paths of groups.
        scopes: claim paths of scopes.
        leeway: seconds that clocks may differ.
        banned_keys: key IDs and thumbprints (RFC 7638) of keys that are not to be believed,
            whatever the issuer publishes.
        required: whether the gateway is ready only when this issuer's keys are there.
        max_lifetime: seconds from ``iat`` (from now, where there is none) to ``exp`` at most; None
            for no bound.
        max_claim_values: values that one claim of roles, groups, scopes or teams may hold.
        rfc9068: whether tokens must keep to RFC 9068 to the letter.
        clients: the OAuth clients whose tokens are accepted; None for all.
        signed_tokens: whether tokens that its keys sign are accepted.
        opaque: None where all tokens are signed.
        aliases: other values of ``iss`` that mean this issuer.
        require: claims that must have one of the values beside them.
        email_domains: what must stand behind the @ of a verified e-mail address; None for
            anything.
        subject: the claim that names the caller; None for the profile's.
        role_words: claim paths of roles in one string, separated by spaces.
        role_values: claim paths of claims that are one role each.
        teams: claim paths of teams, one or a list.
        email: the claim path of the e-mail address.
        organization: the claim path of the organization.
        end_user: the claim path of the person on whose behalf a program calls.
        logout_audience: the clients of whom its logout tokens may be; none of them is accepted
            where this is empty.
        event_audience: the same for its security event tokens.
        dpop: whether its tokens may or must be bound to their holder's key (RFC 9449); None where
            bound ones are refused.
        dpop_nonce: whether proofs must hold a nonce of the gateway (RFC 9449 9).
        certificate_bound: whether its tokens may or must be bound to a client certificate (RFC
            8705 3); None where those that are bound to one are refused.
        actor: whether somebody may, must or must not act with its tokens (``act``, RFC 8693 4.1).
        actors: who may; of each, what is set must be so. None for all.
        group_overage: how the groups are had that a token leaves out; None where it is refused.
        authentication: how and how recently people must have signed in, whatever they call; None
            for anyhow.
    """

    issuer: str
    profile: Profile
    audience: tuple[str, ...] | None
    keys: KeysFrom
    algorithms: tuple[str, ...]
    roles: tuple[ClaimPath, ...]
    groups: tuple[ClaimPath, ...]
    scopes: tuple[ClaimPath, ...]
    leeway: int
    source: Source
    max_lifetime: int | None = None
    max_claim_values: int = 1000
    rfc9068: bool = False
    clients: tuple[str, ...] | None = None
    aliases: tuple[str, ...] = ()
    require: tuple[tuple[ClaimPath, tuple[str, ...]], ...] = ()
    email_domains: tuple[str, ...] | None = None
    subject: ClaimPath | None = None
    role_words: tuple[ClaimPath, ...] = ()
    role_values: tuple[ClaimPath, ...] = ()
    teams: tuple[ClaimPath, ...] = ()
    email: ClaimPath = ("email",)
    organization: ClaimPath | None = None
    end_user: ClaimPath | None = None
    banned_keys: frozenset[str] = frozenset()
    required: bool = True
    signed_tokens: bool = True
    opaque: Opaque | None = None
    logout_audience: tuple[str, ...] = ()
    event_audience: tuple[str, ...] = ()
    dpop: Literal["optional", "required"] | None = None
    dpop_nonce: bool = False
    certificate_bound: Literal["optional", "required"] | None = None
    actor: Literal["optional", "required", "forbidden"] = "optional"
    actors: tuple[Actor, ...] | None = None
    group_overage: GroupOverage | None = None
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True)
class StaticKey:
    """A key of a machine that has no identity provider.

    Attributes:
        digest: SHA-256 of the key; the key itself is nowhere.
        subject: who holds it.
        roles: roles of the configuration.
        expires: seconds since the epoch; infinity for never.
    """

    digest: bytes = field(repr=False)
    subject: str
    roles: frozenset[str]
    expires: float
    source: Source


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines towards an upstream, in seconds.

    Attributes:
        connect: until the connection stands.
        first_byte: until the answer begins, for a call that is not streamed.
        stream: until the answer begins, for a streamed call.
        idle: between two pieces of an answer.
        total: until the whole answer is there; None for no such bound.
    """

    connect: float = 10.0
    first_byte: float = 600.0
    stream: float = 120.0
    idle: float = 120.0
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """How an upstream is verified, and how we show ourselves to it; files in PEM.

    Attributes:
        ca_file: certificate authorities instead of the system's.
        certificate: a client certificate with its chain.
        key: its key, where it is not in the same file.
    """

    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """One deployment: an upstream that serves a model name.

    Attributes:
        name: the name that callers use and rules speak of.
        provider: the vendor's wire format.
        model: the name that the upstream knows.
        api_base: the upstream's URL, with or without ``/v1``.
        api_key: the company's key; never shown.
        timeouts: deadlines.
        tls: None for the system's certificate authorities and no client certificate.
        transport: the version of HTTP that the upstream speaks.
    """

    name: str
    provider: ProviderName
    model: str
    api_base: str
    api_key: str | None = field(repr=False)
    timeouts: Timeouts
    tls: Tls | None
    source: Source
    transport: TransportName = "http1"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read, and how much is remembered by each process.

    Attributes:
        body: bytes of a request's body.
        token: bytes of a token.
        token_header: bytes of a token's header, decoded.
        token_depth: levels of arrays and objects in a token's header and payload.
        remembered_tokens: verified credentials.
        remembered_bytes: what those were read out of, all together.
        refused_tokens: opaque tokens of one issuer that are none.
        unknown_keys: key IDs of one issuer that were asked for in vain.
        proofs: proofs of possession that may come within two minutes; for processes that share a
            port, all together.
    """

    body: int = 32 * 1024 * 1024
    token: int = 16 * 1024
    token_header: int = 4096
    token_depth: int = 64
    remembered_tokens: int = 8192
    remembered_bytes: int = 16 * 1024 * 1024
    refused_tokens: int = 8192
    unknown_keys: int = 1024
    proofs: int = 131_072


@dataclass(frozen=True, slots=True)
class Metrics:
    """Who may read the metrics: callers with one of these roles; None for everybody."""

    roles: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """Where decisions are written down.

    Attributes:
        path: a file of JSON lines.
        include_claims: paths of claims that are written too.
        max_bytes: the size at which the file is turned over.
        max_age: seconds after its first entry at which it is turned over.
        keep: former files that are kept.
        on_failure: whether calls go on while decisions cannot be written.
    """

    path: Path
    include_claims: tuple[ClaimPath, ...]
    max_bytes: int
    max_age: int
    keep: int
    on_failure: Literal["continue", "stop"]


@dataclass(frozen=True, slots=True)
class ShadowSettings:
    """A candidate policy that is asked beside the live one."""

    file: str
    roles: tuple[RoleMapping, ...]
    rules: tuple[Rule, ...]
    condition_headers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Resource:
    """What the gateway is to its clients: a protected resource (RFC 9728).

    Attributes:
        url: its resource identifier, the URL that clients reach it at.
        authorization_servers: issuers whose tokens clients may ask for.
        scopes: OAuth scopes that are of use here.
    """

    url: str
    authorization_servers: tuple[str, ...]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """Who is told why.

    Attributes:
        administrators: roles that may ask about any claims.
        header: whether answers carry ``x-rolecall-decision``.
    """

    administrators: frozenset[str] = frozenset()
    header: bool = False


@dataclass(frozen=True, slots=True)
class RevocationSettings:
    """What is revoked.

    Attributes:
        entries: those that stand in the configuration.
        administrators: roles that may read and change those of the file.
        file: where all others are kept; None where there are none.
        end_streams: whether answers that are under way are ended too.
    """

    entries: tuple[Revocation, ...] = ()
    administrators: frozenset[str] = frozenset()
    file: str | None = None
    end_streams: bool = False


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """How the gateway's own port ends TLS; files in PEM.

    Attributes:
        certificate: with its chain.
        key: its key, where it is not in the same file.
        client_ca: the authorities that sign clients' certificates; None where none are asked for.
        require: whether every client must show one.
    """

    certificate: str
    key: str | None = None
    client_ca: str | None = None
    require: bool = False


@dataclass(frozen=True, slots=True)
class CertificateHeader:
    """How a proxy that ends TLS tells of its clients' certificates.

    Attributes:
        name: of the header, in lower case.
        form: of its value.
        proxies: whose word counts.
    """

    name: str
    form: CertificateForm
    proxies: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration.

    ``condition_headers`` are the request headers, in lower case, that conditions may read;
    ``files`` is every file that was read; ``nonce_key`` is the key of the nonces for proofs of
    possession, where several gateways share it; ``certificate_header`` is where client
    certificates are told of; ``listener_tls`` counts when the gateway starts.
    """

    file: str
    issuers: tuple[IssuerSettings, ...]
    roles: tuple[RoleMapping, ...]
    rules: tuple[Rule, ...]
    models: tuple[ModelSettings, ...]
    limits: Limits = field(default_factory=Limits)
    keys: tuple[StaticKey, ...] = ()
    metrics: Metrics | None = None
    resource: Resource | None = None
    condition_headers: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    decisions: DecisionSettings | None = None
    shadow: ShadowSettings | None = None
    explain: ExplainSettings = field(default_factory=ExplainSettings)
    revocations: RevocationSettings = field(default_factory=RevocationSettings)
    nonce_key: bytes | None = field(default=None, repr=False)
    certificate_header: CertificateHeader | None = None
    listener_tls: ListenerTls | None = None
