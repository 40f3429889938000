"""Tokens, keys and paths as Microsoft Entra ID writes them, version 2.0.

Source: Microsoft's "Access token claims reference", "ID token claims reference" and "Signing key
rollover".
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rolecall.demo.idp.directory import (
    CLIENT_CREDENTIALS,
    USERS,
    Client,
    Directory,
    SignIn,
    User,
    subject_of,
    workload,
)
from rolecall.demo.idp.keys import KeyRing, public_jwk
from rolecall.demo.idp.shape import Endpoints, Stamp

MOST_GROUPS: Final = 200
"""A token has room for no more."""

_GATEWAY: Final = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

DIRECTORY: Final = Directory(
    realm="11111111-2222-4333-8444-555555555555",
    audience=_GATEWAY,
    users=(
        *USERS,
        User("carol", "carol", groups=tuple(subject_of(f"group:{n}") for n in range(250))),
    ),
    clients=(
        Client("99999999-8888-4777-8666-555555555555"),
        workload("77777777-6666-4555-8444-333333333333"),
        Client(
            _GATEWAY,
            secret="gateway-development-secret",  # noqa: S106 - for development, on loopback only
            grant_types=(CLIENT_CREDENTIALS,),
            permissions=("User.ReadBasic.All", "GroupMember.Read.All"),
        ),
    ),
)
_DELEGATED: Final = "access_as_user"
_SIGN_IN_SCOPES: Final = ("openid", "profile", "email", "offline_access")
_VERSION: Final = "2.0"


@dataclass(frozen=True, slots=True)
class Entra:
    """An Entra tenant: app roles in ``roles``, a person's scopes in ``scp``, IDs that are GUIDs.

    ``graph`` is the URL of its Microsoft Graph.
    """

    directory: Directory
    graph: str
    userinfo_scopes: tuple[str, ...] = ()
    subject_type: str = "pairwise"
    account_claim: str = "oid"

    @property
    def endpoints(self) -> Endpoints:
        """The paths of a tenant; the real userinfo is another host's ``/oidc/userinfo``."""
        tenant = f"/{self.directory.realm}"
        return Endpoints(
            issuer=f"{tenant}/v2.0",
            keys=f"{tenant}/discovery/v2.0/keys",
            token=f"{tenant}/oauth2/v2.0/token",
            authorize=f"{tenant}/oauth2/v2.0/authorize",
            device=f"{tenant}/oauth2/v2.0/devicecode",
            verification=f"{tenant}/oauth2/deviceauth",
            userinfo="/oidc/userinfo",
        )

    @property
    def scopes_supported(self) -> tuple[str, ...]:
        """The sign-in scopes, the application's by its ID or by its URI, and Graph's."""
        audience = self.directory.audience
        resources = (
            f"{prefix}{audience}/{scope}"
            for prefix in ("api://", "")
            for scope in (_DELEGATED, ".default")
        )
        return (*_SIGN_IN_SCOPES, *resources, self._graph_scope)

    def person_scope(self, asked: frozenset[str]) -> str:
        """Grant the delegated scope; there is no refresh token, so ``offline_access`` is left."""
        sign_in = (scope for scope in _SIGN_IN_SCOPES[:3] if scope in asked)
        return " ".join((*sign_in, f"api://{self.directory.audience}/{_DELEGATED}"))

    def workload_scope(self, asked: frozenset[str]) -> str:
        """Grant what the application was consented to, at Graph if it asks for that."""
        if self._graph_scope in asked:
            return self._graph_scope
        return f"api://{self.directory.audience}/.default"

    def person(self, stamp: Stamp, client: Client, sign_in: SignIn, scope: str) -> dict[str, Any]:  # noqa: ARG002 - always the delegated scope
        """Write a user's token; ``roles`` is absent when the user has none."""
        user = sign_in.user
        return {
            **self._stamped(stamp),
            "aud": self.directory.audience,
            "azp": client.client_id,
            "azpacr": _client_proof(client),
            "name": user.full_name,
            "oid": user.subject,
            "preferred_username": user.email,
            **({"roles": list(user.roles)} if user.roles else {}),
            **self._groups(user),
            "scp": _DELEGATED,
            "sub": _pairwise(user.subject, self.directory.audience),
        }

    def workload(self, stamp: Stamp, client: Client, scope: str) -> dict[str, Any]:
        """Write an app-only token: no ``scp``, and the subject is the object ID."""
        at_graph = scope == self._graph_scope
        roles = client.permissions if at_graph else client.roles
        return {
            **self._stamped(stamp),
            "aud": self.graph if at_graph else self.directory.audience,
            "azp": client.client_id,
            "azpacr": _client_proof(client),
            "idtyp": "app",
            "oid": client.subject,
            **({"roles": list(roles)} if roles else {}),
            "sub": client.subject,
        }

    def identity(self, stamp: Stamp, client: Client, sign_in: SignIn) -> dict[str, Any]:
        """Write an ID token, which is for the client and carries neither ``azp`` nor ``scp``."""
        return {
            **self._stamped(stamp),
            "aud": client.client_id,
            "oid": sign_in.user.subject,
            **self.profile(sign_in.user, client.client_id),
        }

    def profile(self, user: User, client_id: str) -> dict[str, Any]:
        """Write the names, under the subject that this client alone knows."""
        return {
            "sub": _pairwise(user.subject, client_id),
            "name": user.full_name,
            "preferred_username": user.email,
        }

    def is_access_token(self, claims: Mapping[str, Any]) -> bool:
        """Read the audience: an ID token is for the client."""
        return claims.get("aud") == self.directory.audience and "azp" in claims

    def key_set(self, issuer: str, keys: KeyRing) -> dict[str, Any]:
        """Publish the keys as Entra does: without ``alg``, each with its issuer."""
        published = (public_jwk(key) for key in keys.published)
        return {
            "keys": [
                {name: value for name, value in jwk.items() if name != "alg"} | {"issuer": issuer}
                for jwk in published
            ]
        }

    @property
    def _graph_scope(self) -> str:
        return f"{self.graph}/.default"

    def _groups(self, user: User) -> dict[str, Any]:
        """Write groups, or where they once were to be had: the old interface, as Entra does."""
        if len(user.groups) <= MOST_GROUPS:
            return {"groups": list(user.groups)} if user.groups else {}
        place = f"https://graph.windows.net/{self.directory.realm}/users/{user.subject}"
        return {
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": f"{place}/getMemberObjects"}},
        }

    def _stamped(self, stamp: Stamp) -> dict[str, Any]:
        return {
            "iss": stamp.issuer,
            "iat": stamp.issued_at,
            "nbf": stamp.issued_at,
            "exp": stamp.expires_at,
            "aio": "opaque",
            "rh": "0.opaque",
            "tid": self.directory.realm,
            "uti": stamp.token_id,
            "ver": _VERSION,
        }


def _client_proof(client: Client) -> str:
    """Say how the client proved itself: 0 not at all, 1 with a secret."""
    return "0" if client.secret is None else "1"


def _pairwise(subject: str, application: str) -> str:
    digest = hashlib.sha256(f"{application}:{subject}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
