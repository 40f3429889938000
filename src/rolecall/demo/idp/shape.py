"""What differs between the vendors whose tokens the provider imitates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rolecall.demo.idp.directory import Client, Directory, SignIn, User
from rolecall.demo.idp.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The paths under which an issuer answers."""

    issuer: str
    keys: str
    token: str
    authorize: str
    device: str
    verification: str
    userinfo: str

    @property
    def discovery(self) -> str:
        """The path of the metadata (OpenID Connect Discovery 1.0, 4.1)."""
        return f"{self.issuer}/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every token of a moment carries; the times are Unix times in seconds."""

    issuer: str
    token_id: str
    issued_at: int
    expires_at: int


class Shape(Protocol):
    """One vendor's way to write tokens, keys and metadata."""

    @property
    def directory(self) -> Directory:
        """Who is known to the issuer."""
        ...

    @property
    def endpoints(self) -> Endpoints:
        """Where the issuer answers."""
        ...

    @property
    def scopes_supported(self) -> tuple[str, ...]:
        """The scopes that a client may ask for."""
        ...

    @property
    def userinfo_scopes(self) -> tuple[str, ...]:
        """The scopes that a token needs at the userinfo endpoint."""
        ...

    @property
    def subject_type(self) -> str:
        """``public`` or ``pairwise`` (OpenID Connect Core 1.0, 8)."""
        ...

    @property
    def account_claim(self) -> str:
        """The claim that holds a person's ``User.subject``."""
        ...

    def person_scope(self, asked: frozenset[str]) -> str:
        """Return the scopes that a person's token is granted."""
        ...

    def workload_scope(self, asked: frozenset[str]) -> str:
        """Return the scopes that a program's token is granted."""
        ...

    def person(self, stamp: Stamp, client: Client, sign_in: SignIn, scope: str) -> dict[str, Any]:
        """Write the access token of a person."""
        ...

    def workload(self, stamp: Stamp, client: Client, scope: str) -> dict[str, Any]:
        """Write the access token of a program that signed in for itself."""
        ...

    def identity(self, stamp: Stamp, client: Client, sign_in: SignIn) -> dict[str, Any]:
        """Write the ID token of a person, but for its nonce and hash."""
        ...

    def profile(self, user: User, client_id: str) -> dict[str, Any]:
        """Write what a client is told about a person, its ``sub`` among it."""
        ...

    def is_access_token(self, claims: Mapping[str, Any]) -> bool:
        """Tell an access token from the other tokens that the same keys sign."""
        ...

    def key_set(self, issuer: str, keys: KeyRing) -> dict[str, Any]:
        """Write the published key set (RFC 7517 5)."""
        ...
