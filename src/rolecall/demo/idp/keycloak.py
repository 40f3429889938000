"""Tokens, keys and paths as Keycloak writes them.

Source: Keycloak's Server Administration Guide ("Audience support", "Realm keys") and a realm's
own tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rolecall.demo.idp.directory import USERS, Client, Directory, SignIn, User, workload
from rolecall.demo.idp.keys import KeyRing, public_jwk
from rolecall.demo.idp.shape import Endpoints, Stamp

CLIENT_ID: Final = "litellm-test-client-id"
DIRECTORY: Final = Directory(
    realm="acme",
    audience=CLIENT_ID,
    users=USERS,
    clients=(Client(CLIENT_ID), workload("workload")),
)
_ACCOUNT: Final = "account"
_DEFAULT_SCOPE: Final = "profile email"


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A Keycloak realm: roles of the audience under ``resource_access``, one ``scope`` string."""

    directory: Directory
    scopes_supported: tuple[str, ...] = ("openid", "profile", "email", "roles")
    userinfo_scopes: tuple[str, ...] = ("openid",)
    subject_type: str = "public"
    account_claim: str = "sub"

    @property
    def endpoints(self) -> Endpoints:
        """The paths of a realm since Keycloak 17."""
        realm = f"/realms/{self.directory.realm}"
        protocol = f"{realm}/protocol/openid-connect"
        return Endpoints(
            issuer=realm,
            keys=f"{protocol}/certs",
            token=f"{protocol}/token",
            authorize=f"{protocol}/auth",
            device=f"{protocol}/auth/device",
            verification=f"{realm}/device",
            userinfo=f"{protocol}/userinfo",
        )

    def person_scope(self, asked: frozenset[str]) -> str:
        """Add the default client scopes, which every token of a realm has."""
        return f"openid {_DEFAULT_SCOPE}" if "openid" in asked else _DEFAULT_SCOPE

    def workload_scope(self, asked: frozenset[str]) -> str:  # noqa: ARG002 - always the same
        """Grant the default client scopes."""
        return _DEFAULT_SCOPE

    def person(self, stamp: Stamp, client: Client, sign_in: SignIn, scope: str) -> dict[str, Any]:
        """Write a user's token; a user without a role of the audience has none listed there."""
        user = sign_in.user
        defaults = ("offline_access", f"default-roles-{self.directory.realm}")
        return {
            **_stamped(stamp),
            "aud": [self.directory.audience, _ACCOUNT],
            "sub": user.subject,
            "typ": "Bearer",
            "azp": client.client_id,
            "sid": sign_in.session,
            "acr": "1",
            "allowed-origins": [stamp.issuer.removesuffix(self.endpoints.issuer)],
            "realm_access": {"roles": [*defaults, *user.realm_roles]},
            "resource_access": self._roles(user.roles) | {_ACCOUNT: {"roles": ["manage-account"]}},
            "scope": scope,
            **({"groups": list(user.groups)} if user.groups else {}),
            **_names(user),
        }

    def workload(self, stamp: Stamp, client: Client, scope: str) -> dict[str, Any]:
        """Write a service account's token, which belongs to no session."""
        return {
            **_stamped(stamp),
            "aud": self.directory.audience,
            "sub": client.subject,
            "typ": "Bearer",
            "azp": client.client_id,
            "acr": "1",
            "resource_access": self._roles(client.roles),
            "scope": scope,
            "clientHost": "127.0.0.1",
            "clientAddress": "127.0.0.1",
            "client_id": client.client_id,
            "preferred_username": f"service-account-{client.client_id}",
        }

    def identity(self, stamp: Stamp, client: Client, sign_in: SignIn) -> dict[str, Any]:
        """Write an ID token, which is for the client and says ``typ: ID``."""
        return {
            **_stamped(stamp),
            "aud": client.client_id,
            "typ": "ID",
            "azp": client.client_id,
            "sid": sign_in.session,
            "auth_time": sign_in.at,
            "acr": "1",
            **self.profile(sign_in.user, client.client_id),
        }

    def profile(self, user: User, client_id: str) -> dict[str, Any]:  # noqa: ARG002 - pairwise elsewhere
        """Write the claims of the default scopes ``profile`` and ``email``."""
        return {"sub": user.subject, "name": user.full_name, **_names(user)}

    def is_access_token(self, claims: Mapping[str, Any]) -> bool:
        """Read the ``typ`` of the payload; the header's is ``JWT`` for every token."""
        return claims.get("typ") == "Bearer"

    def key_set(self, issuer: str, keys: KeyRing) -> dict[str, Any]:  # noqa: ARG002 - named elsewhere
        """Publish the encryption key too, as a fresh realm does."""
        return {
            "keys": [
                public_jwk(keys.encryption),
                *(public_jwk(key) for key in keys.published),
            ]
        }

    def _roles(self, roles: tuple[str, ...]) -> dict[str, Any]:
        return {self.directory.audience: {"roles": list(roles)}} if roles else {}


def _stamped(stamp: Stamp) -> dict[str, Any]:
    return {
        "exp": stamp.expires_at,
        "iat": stamp.issued_at,
        "jti": stamp.token_id,
        "iss": stamp.issuer,
    }


def _names(user: User) -> dict[str, Any]:
    return {
        "preferred_username": user.username,
        "email": user.email,
        "email_verified": True,
    }
