"""The words of Rolecall as values: caller, call, rule, decision, and the reasons for a refusal.

Nothing here imports anything else of the project, does I/O or reads a clock.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal


class Reason(StrEnum):
    """Why a request was refused. The values are part of the interface and never change meaning."""

    # 400: the request itself
    INVALID_REQUEST = "invalid_request"
    DUPLICATE_KEY = "duplicate_key"
    CONFLICTING_CREDENTIALS = "conflicting_credentials"
    MODEL_MISSING = "model_missing"
    # 401: the token
    MISSING_TOKEN = "missing_token"  # noqa: S105 - a reason code, not a secret
    MALFORMED_TOKEN = "malformed_token"  # noqa: S105
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    ALGORITHM_NOT_ALLOWED = "algorithm_not_allowed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_TOKEN_KIND = "wrong_token_kind"  # noqa: S105
    INVALID_CLAIM = "invalid_claim"
    REVOKED = "revoked"
    SENDER_MISMATCH = "sender_mismatch"
    INVALID_CLIENT_CERTIFICATE = "invalid_client_certificate"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    USE_DPOP_NONCE = "use_dpop_nonce"
    INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
    # 403: the policy
    NO_ROLE = "no_role"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    ENDPOINT_NOT_ALLOWED = "endpoint_not_allowed"
    DENIED_BY_RULE = "denied_by_rule"
    CEILING_EXCEEDED = "ceiling_exceeded"
    CONDITION_ERROR = "condition_error"
    # the rest
    MODEL_NOT_FOUND = "model_not_found"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    BUDGET_EXCEEDED = "budget_exceeded"
    INTERNAL_ERROR = "internal_error"
    UPSTREAM_ERROR = "upstream_error"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_TIMEOUT = "upstream_timeout"


STATUS: Final[Mapping[Reason, int]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                Reason.INVALID_REQUEST,
                Reason.DUPLICATE_KEY,
                Reason.CONFLICTING_CREDENTIALS,
                Reason.MODEL_MISSING,
            ),
            400,
        ),
        **dict.fromkeys(
            (
                Reason.MISSING_TOKEN,
                Reason.MALFORMED_TOKEN,
                Reason.UNKNOWN_ISSUER,
                Reason.UNKNOWN_KEY,
                Reason.BAD_SIGNATURE,
                Reason.ALGORITHM_NOT_ALLOWED,
                Reason.EXPIRED,
                Reason.NOT_YET_VALID,
                Reason.WRONG_AUDIENCE,
                Reason.WRONG_TOKEN_KIND,
                Reason.INVALID_CLAIM,
                Reason.REVOKED,
                Reason.SENDER_MISMATCH,
                Reason.INVALID_CLIENT_CERTIFICATE,
                Reason.INVALID_DPOP_PROOF,
                Reason.USE_DPOP_NONCE,
                Reason.INSUFFICIENT_USER_AUTHENTICATION,
            ),
            401,
        ),
        **dict.fromkeys(
            (
                Reason.NO_ROLE,
                Reason.MODEL_NOT_ALLOWED,
                Reason.ENDPOINT_NOT_ALLOWED,
                Reason.DENIED_BY_RULE,
                Reason.CEILING_EXCEEDED,
                Reason.CONDITION_ERROR,
            ),
            403,
        ),
        Reason.MODEL_NOT_FOUND: 404,
        Reason.NOT_FOUND: 404,
        Reason.TOO_LARGE: 413,
        Reason.UNSUPPORTED_MEDIA_TYPE: 415,
        Reason.RATE_LIMIT_EXCEEDED: 429,
        Reason.BUDGET_EXCEEDED: 429,
        Reason.INTERNAL_ERROR: 500,
        Reason.UPSTREAM_ERROR: 502,
        Reason.ISSUER_UNAVAILABLE: 503,
        Reason.UPSTREAM_UNAVAILABLE: 503,
        Reason.UPSTREAM_TIMEOUT: 504,
    }
)
"""The HTTP status of each reason."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How and when a person has signed in, as the issuer says.

    Attributes:
        acr: the class of the authentication (``acr``, OpenID Connect Core 2); None where it is not
            said.
        at: seconds since the epoch (``auth_time``); None likewise.
        leeway: seconds that the issuer's clock may be ahead.
    """

    acr: str | None = None
    at: float | None = None
    leeway: int = 0


UNSAID: Final = SignIn()
"""Of whom it is not said how and when they have signed in: programs, static keys."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """How and how recently a person must have signed in (RFC 9470); one of them is set at least.

    Attributes:
        acr_values: the classes of authentication of which one must be the caller's, compared
            exactly, the preferred one first; empty for any.
        max_age: seconds since then at most; None for any time.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    def met_by(self, sign_in: SignIn, now: float | None) -> bool:
        """Whether somebody has signed in so; what is not said, or not known, is not met.

        Args:
            sign_in: what the issuer says of it.
            now: seconds since the epoch.
        """
        if self.acr_values and sign_in.acr not in self.acr_values:
            return False
        if self.max_age is None:
            return True
        if sign_in.at is None or now is None:
            return False
        # a clock that is ahead must not make a new sign-in one of the future; it makes none younger
        return -sign_in.leeway <= now - sign_in.at <= self.max_age

    @property
    def said(self) -> str:
        """What it demands of a sign-in, in words."""
        asked = []
        if self.acr_values:
            asked.append(f"with acr {' or '.join(self.acr_values)}")
        if self.max_age is not None:
            asked.append(f"at most {self.max_age} s ago")
        return ", ".join(asked)


class Refusal(Exception):
    """A request is refused: a reason code and a sentence that a person can act on.

    Args:
        reason: the stable code.
        message: one sentence, safe to show to the caller: no token, no secret.
        param: the field of the request that is at fault, if one is.
        retry_after: seconds after which the same request may be answered, where that is known.
        authentication: the sign-in that would do.
        scopes: the OAuth scopes that would, all of them together.
    """

    def __init__(  # noqa: PLR0913 - what an answer may say
        self,
        reason: Reason,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        authentication: Authentication | None = None,
        scopes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.authentication = authentication
        self.scopes = scopes

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        return STATUS[self.reason]


def step_up(authentication: Authentication, whose: str, *, param: str | None = None) -> Refusal:
    """The refusal that sends a person to sign in again (RFC 9470 3).

    Args:
        authentication: what is demanded.
        whose: who demands it, as the sentence begins.
        param: the field of the request for whose sake.
    """
    asked = []
    if authentication.acr_values:
        asked.append(f'acr_values="{" ".join(authentication.acr_values)}"')
    if authentication.max_age is not None:
        asked.append(f"max_age={authentication.max_age}")
    return Refusal(
        Reason.INSUFFICIENT_USER_AUTHENTICATION,
        f"{whose} needs a sign-in {authentication.said}, which your token does not show; sign in"
        f" again, with {' and '.join(asked)} in the request to your identity provider, and send"
        " the new token.",
        param=param,
        authentication=authentication,
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is written: file, line (from 1), and the text of that line."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class RoleClaim:
    """One value found in an issuer's role claims, and the claim that it was found in."""

    path: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts for a caller, with a token that is about the caller (``act``, RFC 8693 4.1).

    Attributes:
        issuer: the one that names it: the ``iss`` of ``act``, else the token's.
        subject: its ``sub``, if that is said.
        client: its ``client_id``, if that is said; never compared with a subject (RFC 9700 4.15).
    """

    issuer: str
    subject: str | None = None
    client: str | None = None

    @property
    def members(self) -> dict[str, str | None]:
        """As it is written down, the name first."""
        return {"subject": self.subject, "client": self.client, "issuer": self.issuer}

    @property
    def named(self) -> str:
        """What it is called, in words."""
        client = "" if self.client is None else f"client {self.client!r}"
        if self.subject is None:
            return f"{client} of {self.issuer}"
        return f"{self.subject!r}{client and f' ({client})'} of {self.issuer}"


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Caller:
    """A verified identity.

    Attributes:
        issuer: the ``iss`` that vouches for it.
        subject: ``sub``, unique within the issuer.
        client: the OAuth client that the token was issued to (``azp``, ``client_id`` …), if named.
        kind: a person, or a workload that signed in by itself.
        role_claims: the values of the issuer's role claims, as sent.
        roles: the roles of the configuration that those values lead to, united.
        scopes: OAuth scopes.
        groups: values of the issuer's group claims.
        claims: the whole verified payload.
        expires: seconds since the epoch.
        doubtful_roles: roles whose condition could not be evaluated; only deny rules see them.
        email: the e-mail address, as sent.
        organization: the value of the issuer's organization claim.
        teams: values of the issuer's team claims.
        end_user: the person on whose behalf a program calls, as the issuer says.
        notes: what is to be said of its role claims and groups, such as that one gave nothing
            because of its type, in a sentence each.
        actors: who acts for it now, and behind it who did before; none where the caller acts.
        sign_in: how and when the person has signed in.
    """

    issuer: str
    subject: str
    client: str | None = None
    kind: Literal["person", "workload"] = "person"
    role_claims: tuple[RoleClaim, ...] = ()
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires: float = 0.0
    doubtful_roles: frozenset[str] = frozenset()
    email: str | None = None
    organization: str | None = None
    teams: frozenset[str] = frozenset()
    end_user: str | None = None
    notes: tuple[str, ...] = ()
    actors: tuple[Actor, ...] = ()
    sign_in: SignIn = UNSAID

    def with_roles(self, roles: frozenset[str], doubtful: frozenset[str] = frozenset()) -> "Caller":
        """The same caller, holding these roles; `dataclasses.replace` takes three times as long."""
        return Caller(
            self.issuer,
            self.subject,
            self.client,
            self.kind,
            self.role_claims,
            roles,
            self.scopes,
            self.groups,
            self.claims,
            self.expires,
            doubtful,
            self.email,
            self.organization,
            self.teams,
            self.end_user,
            self.notes,
            self.actors,
            self.sign_in,
        )

    @property
    def identity(self) -> tuple[str, str, str]:
        """Who it is: issuer, kind, subject. A client's ID is never a person's (RFC 9700 4.15)."""
        return self.issuer, self.kind, self.subject

    @property
    def actor(self) -> Actor | None:
        """Who acts for it now: the only one of its actors who may matter (RFC 8693 4.1)."""
        return self.actors[0] if self.actors else None

    @property
    def acting(self) -> str:
        """Who acts for it, and who did before, in words; nothing where it acts itself."""
        if not self.actors:
            return ""
        now, *before = [actor.named for actor in self.actors]
        return f"{now} acts for it{''.join(f', before that {name}' for name in before)}"


@dataclass(frozen=True, slots=True)
class Revocation:
    """Tokens that are not believed any more: an issuer's, of which all holds that is set here.

    Attributes:
        issuer: its name; `KEYS_ISSUER` for static keys.
        jti: the token's ID.
        sid: the session that it was issued in. Where ``sub`` is set too, a token that does not say
            its session is of this one.
        sub: whom it is about, or who acts with it.
        client: the OAuth client that it was issued to, or that acts with it.
        issued_before: seconds since the epoch; a token that does not say when it was issued was
            issued before.
        expires: seconds since the epoch from which on this does not count any more.
    """

    issuer: str
    jti: str | None = None
    sid: str | None = None
    sub: str | None = None
    client: str | None = None
    issued_before: float | None = None
    expires: float = math.inf


EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Values of ``reasoning_effort``, from the least on."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a body asks for, as far as policy may bound it; one value for all of its spellings.

    Attributes:
        max_tokens: tokens of the answer; None where the body leaves it to the upstream.
        n: answers to one question.
        reasoning_effort: one of `EFFORTS`; None where the body leaves it to the upstream.
        thinking_budget: tokens; infinite where thinking is asked for without a budget.
        tools: the names of functions, and the types of tools that the upstream runs itself.
        inputs: kinds of content besides text: ``image``, ``audio``, ``video``, ``file``, or the
            type of a part that is not known here.
        web_search: whether the upstream is asked to search the web.
        service_tier: as sent.
        temperature: as sent.
        size: bytes of the body.
    """

    max_tokens: int | None = None
    n: int = 1
    reasoning_effort: str | None = None
    thinking_budget: float | None = None
    tools: tuple[str, ...] = ()
    inputs: frozenset[str] = frozenset()
    web_search: bool = False
    service_tier: str | None = None
    temperature: float | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: the endpoint's name (``chat``, ``messages``), the model, stream or not.

    ``parameters`` are read only where a rule looks at them. Rules that do refuse a call without.
    """

    endpoint: str
    model: str
    stream: bool = False
    parameters: Parameters | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a call.

    Attributes:
        now: seconds since the epoch.
        source_ip: the client's address; None where it is not known.
        headers: request headers that the configuration lists, names in lower case.
    """

    now: float
    source_ip: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression (https://cel.dev), and where it is written.

    Attributes:
        meaning: what it says in words, where another key was lowered to it.
    """

    text: str
    source: Source
    meaning: str = ""

    @property
    def said(self) -> str:
        """What it says, in words if there are any."""
        return self.meaning or self.text


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """What makes a caller hold a role: all of what is set must hold.

    Attributes:
        role: the role that is given.
        any_of: values of role claims, one of which is enough; compared exactly.
        issuers: the issuers whose word counts; empty means every configured issuer.
        all_of: values of role claims that must all be there.
        none_of: values of role claims none of which may be there.
        groups: groups, one of which is enough.
        scopes: OAuth scopes, one of which is enough.
        clients: OAuth clients, one of which is enough.
        when: a condition over the caller and its claims.
        includes: roles that whoever holds this one holds too.
        claims: the role claims whose values count; empty means all of the issuer's.
    """

    role: str
    any_of: tuple[str, ...]
    issuers: tuple[str, ...]
    source: Source
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    when: Condition | None = None
    includes: tuple[str, ...] = ()
    claims: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Ceilings:
    """How much a call may ask for; None, or True, where it is not bounded.

    Attributes:
        max_tokens: tokens of the answer. A call that does not say asks for any number of them.
        n: answers to one question.
        reasoning_effort: the highest of `EFFORTS`.
        thinking_budget: tokens; 0 for no thinking.
        tools: names of tools that may be used; ``*`` is any run of characters.
        inputs: kinds of content that may be sent besides text.
        web_search: whether the upstream may search the web.
        service_tier: the tiers that may be asked for, the preferred one first.
        temperature: from, to.
        input_bytes: bytes of the body.
        stream: the answer must be a stream, or must never be one.
    """

    max_tokens: int | None = None
    n: int | None = None
    reasoning_effort: str | None = None
    thinking_budget: int | None = None
    tools: tuple[str, ...] | None = None
    inputs: frozenset[str] | None = None
    web_search: bool = True
    service_tier: tuple[str, ...] | None = None
    temperature: tuple[float, float] | None = None
    input_bytes: int | None = None
    stream: Literal["only", "never"] | None = None


@dataclass(frozen=True, slots=True)
class Excess:
    """One ceiling that a call exceeds: the parameter's name, what was asked, what is allowed."""

    parameter: str
    asked: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of policy.

    Attributes:
        effect: whether a match allows or denies.
        roles: roles it speaks of; ``*`` is any run of characters.
        models: model names; ``*`` is any run of characters.
        endpoints: endpoint names; ``*`` is every model endpoint.
        source: where it is written.
        when: a condition that must hold.
        not_before: seconds since the epoch from which on the rule counts.
        expires: seconds since the epoch from which on it does not count any more.
        ceilings: how much a call may ask for; allow rules alone have them.
        on_exceed: whether a larger call is denied, or lowered to the ceilings.
        authentication: how and how recently the caller must have signed in; of allow rules alone.
    """

    effect: Literal["allow", "deny"]
    roles: tuple[str, ...]
    models: tuple[str, ...]
    endpoints: tuple[str, ...]
    source: Source
    when: Condition | None = None
    not_before: float | None = None
    expires: float | None = None
    ceilings: Ceilings | None = None
    on_exceed: Literal["deny", "clamp"] = "deny"
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The evaluator's answer.

    Attributes:
        allowed: allow or deny.
        reason: why not; None when allowed.
        rule: the rule that decided; None when no rule matched.
        roles: the roles that were considered.
        exceeded: the ceilings of ``rule`` that the call exceeds. Where it is allowed all the same,
            its body must be lowered to ``rule.ceilings`` before it is forwarded.
    """

    allowed: bool
    reason: Reason | None
    rule: Rule | None
    roles: frozenset[str]
    exceeded: tuple[Excess, ...] = ()


KEYS_ISSUER: Final = "rolecall:keys"
"""The issuer of callers that hold a static key; no configured issuer can have this name."""

KEY_PREFIX: Final = "rolecall_"
"""How the static keys that we make begin, so that people and scanners know one when they see it."""

MODEL_ENDPOINTS: Final = ("chat", "messages")
"""The names of the endpoints that call a model, as rules and ``explain`` spell them."""
