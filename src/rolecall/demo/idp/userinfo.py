"""The userinfo endpoint: who the holder of an access token is (OpenID Connect Core 1.0, 5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.oauth2.rfc6750 import BearerTokenValidator, InvalidTokenError

from rolecall.demo.idp.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Held:
    """A verified access token. The methods are the questions that Authlib asks of it."""

    claims: Mapping[str, Any]

    def is_expired(self) -> bool:
        """Tell what was checked with the signature."""
        return False

    def is_revoked(self) -> bool:
        """Tell that nothing is revoked here."""
        return False

    def get_scope(self) -> str:
        """Return the scopes, under the vendor's name for them."""
        return str(self.claims.get("scope", self.claims.get("scp", "")))


class _Validator(BearerTokenValidator):  # type: ignore[misc] # Authlib is untyped
    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    def authenticate_token(self, token_string: str) -> Held | None:
        claims = self._tokens.verify(token_string)
        return None if claims is None else Held(claims)


class UserInfo:
    """Reads the bearer token of the request at hand."""

    def __init__(self, tokens: Tokens) -> None:
        self._shape = tokens.shape
        self._protector = ResourceProtector()
        self._protector.register_token_validator(_Validator(tokens))

    def answer(self) -> dict[str, Any]:
        """Return the claims of the person.

        Raises:
            OAuth2Error: without a token, or with one that is not a person's (RFC 6750 3.1).
        """
        held: Held = self._protector.acquire_token(list(self._shape.userinfo_scopes))
        subject = held.claims.get(self._shape.account_claim)
        for user in self._shape.directory.users:
            if user.subject == subject:
                return self._shape.profile(user, held.claims["azp"])
        raise InvalidTokenError("The access token is not a person's")
