"""The grants, on Authlib's: how each one checks who asks, and how a code is kept.

Authlib (BSD-3-Clause) has no types; the methods below are the ones that its documentation asks a
server to write.
"""

from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    InvalidGrantError,
    InvalidRequestError,
    ResourceOwnerPasswordCredentialsGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode

from rolecall.demo.idp.directory import Client, SignIn
from rolecall.demo.idp.tokens import Tokens

SECRET_METHODS: Final = ["client_secret_basic", "client_secret_post"]
CLIENT_METHODS: Final = [*SECRET_METHODS, "none"]


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for. The methods are the questions that Authlib asks of it."""

    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    sign_in: SignIn
    code_challenge: str
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Return the redirect URI that the token request has to repeat (RFC 6749 4.1.3)."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the scopes that were asked for."""
        return self.scope


class Password(ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc] # Authlib is untyped
    """The development sign-in: a name and a password (RFC 6749 4.3, Keycloak's direct grant)."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    def authenticate_user(self, username: str, password: str) -> SignIn:
        """Sign a person in, or say ``invalid_grant`` (RFC 6749 5.2)."""
        sign_in: SignIn | None = self.server.sign_in(username, password)
        if sign_in is None:
            raise InvalidGrantError("Invalid user credentials")
        return sign_in


class Code(AuthorizationCodeGrant):  # type: ignore[misc] # Authlib is untyped
    """The authorization code (RFC 6749 4.1); a code is gone with the first try to redeem it."""

    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_METHODS

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep a code for its minute."""
        asked = request.payload.data
        self.server.codes.put(
            code,
            AuthorizationCode(
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=asked.get("nonce", ""),
                sign_in=request.user,
                code_challenge=asked["code_challenge"],
            ),
        )

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """Take a code, if it was issued to this client."""
        kept: AuthorizationCode | None = self.server.codes.take(code)
        return kept if kept is not None and kept.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Do nothing: the code was taken."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> SignIn:
        """Return who signed in for the code."""
        return authorization_code.sign_in


class S256(CodeChallenge):  # type: ignore[misc] # Authlib is untyped
    """Proof key by SHA-256, required of every client (RFC 7636, RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: object) -> None:
        """Refuse a request without a challenge: Authlib would let it pass until the code."""
        asked = grant.request.payload.data
        if not asked.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge'")
        if asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The 'code_challenge_method' has to be S256")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):  # type: ignore[misc] # Authlib is untyped
    """The ID token of a person who signed in with the scope ``openid``."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    def exists_nonce(self, _nonce: str, _request: object) -> bool:
        """Leave replayed nonces to the client, who knows its own (OpenID Connect Core 15.5.2)."""
        return False

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
        """Sign the ID token beside an access token."""
        code: AuthorizationCode | None = request.authorization_code
        nonce = code.nonce if code else ""
        return self._tokens.identity(request.client, request.user, token["access_token"], nonce)


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc] # Authlib is untyped
    """The grant of a program that signs in for itself (RFC 6749 4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS
