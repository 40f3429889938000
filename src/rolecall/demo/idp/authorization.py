"""The authorization server: Authlib's, holding this provider's people, codes and tokens."""

import uuid
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidScopeError

from rolecall.demo.idp.device_flow import DeviceAuthorization, DevicePoll
from rolecall.demo.idp.devices import Devices
from rolecall.demo.idp.directory import Client, SignIn
from rolecall.demo.idp.expiring import Expiring
from rolecall.demo.idp.grants import (
    S256,
    AuthorizationCode,
    ClientCredentials,
    Code,
    IdToken,
    Password,
)
from rolecall.demo.idp.tokens import Tokens


class Issued(dict[str, Any]):
    """A token response that keeps its tokens out of Authlib's debug log."""

    def __repr__(self) -> str:
        return f"Issued({', '.join(self)})"


class Authorization(AuthorizationServer):  # type: ignore[misc] # Authlib is untyped
    """The server that the endpoints hand their requests to. Nothing of it outlives the process."""

    def __init__(self, tokens: Tokens, verification_uri: str) -> None:
        super().__init__()
        self.shape = tokens.shape
        self.directory = tokens.shape.directory
        self.lifetimes = tokens.lifetimes
        self.verification_uri = verification_uri
        self.codes: Expiring[AuthorizationCode] = Expiring(
            tokens.lifetimes.authorization_code, tokens.clock
        )
        self.devices = Devices(tokens.lifetimes, tokens.clock)
        self._tokens = tokens
        self.register_token_generator("default", self._issue)
        identity = IdToken(tokens)
        self.register_grant(Code, [S256(required=True), identity])
        self.register_grant(Password, [identity])
        self.register_grant(DevicePoll, [identity])
        self.register_grant(ClientCredentials)
        self.register_endpoint(DeviceAuthorization(self))

    def sign_in(self, username: str, password: str) -> SignIn | None:
        """Begin a session of a person."""
        user = self.directory.authenticate(username, password)
        if user is None:
            return None
        return SignIn(user, str(uuid.uuid4()), int(self._tokens.clock()))

    def query_client(self, client_id: str) -> Client | None:
        """Find a client."""
        return self.directory.client(client_id)

    def save_token(self, token: object, request: object) -> None:
        """Keep nothing: a token is checked by its signature."""

    def validate_requested_scope(self, scope: str | None) -> None:
        """Refuse a scope that the shape does not know."""
        if not _asked(scope).issubset(self.shape.scopes_supported):
            raise InvalidScopeError

    def _issue(
        self, *, client: Client, user: SignIn | None, scope: str | None, **_rest: object
    ) -> Issued:
        """Write a token response (RFC 6749 5.1); there are no refresh tokens."""
        choose = self.shape.workload_scope if user is None else self.shape.person_scope
        granted = choose(_asked(scope))
        return Issued(
            access_token=self._tokens.access(client, user, granted),
            token_type="Bearer",  # noqa: S106 - a token type
            expires_in=self.lifetimes.access_token,
            scope=granted,
        )


def _asked(scope: str | None) -> frozenset[str]:
    return frozenset((scope or "").split())
