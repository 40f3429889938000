"""Who the provider knows: people, clients, and the audience that their tokens are for."""

import re
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Final

PASSWORD: Final = "password"  # noqa: S105 - a grant type
AUTHORIZATION_CODE: Final = "authorization_code"
CLIENT_CREDENTIALS: Final = "client_credentials"
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
PERSON_GRANTS: Final = (AUTHORIZATION_CODE, PASSWORD, DEVICE_CODE)

_SUBJECTS: Final = uuid.UUID("5b0f3c0e-6f57-4d6c-9a38-0d5d2ad1c5f4")
_LOOPBACK_REDIRECT: Final = re.compile(
    r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?(?:[/?][\x21\x24-\x5b\x5d-\x7e]*)?"
)


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in.

    ``roles`` are roles at the audience, ``realm_roles`` are Keycloak's realm roles (Entra has
    none), ``groups`` are written into the token as they stand here.
    """

    username: str
    password: str = field(repr=False)
    roles: tuple[str, ...] = ()
    realm_roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """A UUID that stays the same from start to start."""
        return subject_of(self.username)

    @property
    def email(self) -> str:
        """The address under the domain that RFC 2606 keeps for examples."""
        return f"{self.username}@example.com"

    @property
    def full_name(self) -> str:
        """The name to greet the person with."""
        return self.username.capitalize()


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; one without a secret is public.

    The methods in lower case with ``get`` and ``check`` are the questions that Authlib asks of a
    client (its ``ClientMixin``). ``permissions`` are what it may do at Entra's directory. A public
    client may be redirected to any port of the loopback interface (RFC 8252 7.3); every other
    redirect URI is compared whole (RFC 9700 2.1).
    """

    client_id: str
    secret: str | None = field(default=None, repr=False)
    roles: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = PERSON_GRANTS
    permissions: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The UUID of the client's service account."""
        return subject_of(f"client:{self.client_id}")

    def get_client_id(self) -> str:
        """Name the client."""
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Offer no default: the request says where it wants to go back to."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        """Leave the choice of scopes to the shape of the tokens."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether a code may be sent there."""
        if redirect_uri in self.redirect_uris:
            return True
        return self.secret is None and _LOOPBACK_REDIRECT.fullmatch(redirect_uri) is not None

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare secrets in constant time."""
        return self.secret is not None and _same(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Have a confidential client prove itself everywhere (RFC 6749 3.2.1)."""
        return (method == "none") == (self.secret is None)

    def check_response_type(self, response_type: str) -> bool:
        """Allow the authorization code and nothing implicit (RFC 9700 2.1.2)."""
        return response_type == "code" and AUTHORIZATION_CODE in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use the grant."""
        return grant_type in self.grant_types


@dataclass(frozen=True, slots=True)
class Directory:
    """Everyone known to one issuer.

    ``realm`` is Keycloak's realm name or Entra's tenant ID; ``audience`` is the application that
    the roles belong to and the tokens are for.
    """

    realm: str
    audience: str
    users: tuple[User, ...]
    clients: tuple[Client, ...]

    def user(self, username: str) -> User | None:
        """Find a person by name."""
        return next((user for user in self.users if user.username == username), None)

    def client(self, client_id: str) -> Client | None:
        """Find a client by its ID."""
        return next((client for client in self.clients if client.client_id == client_id), None)

    def authenticate(self, username: str, password: str) -> User | None:
        """Return the person whose password this is."""
        user = self.user(username)
        return user if user is not None and _same(user.password, password) else None


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in of a person: ``session`` ties its tokens together, ``at`` is a Unix time."""

    user: User
    session: str
    at: int


USERS: Final = (
    User("alice", "alice", roles=("basic_user",)),
    User("bob", "bob"),
)


def subject_of(name: str) -> str:
    """Derive a UUID from a name, the same on every machine."""
    return str(uuid.uuid5(_SUBJECTS, name))


def workload(client_id: str) -> Client:
    """Describe the development program that signs in for itself."""
    return Client(
        client_id,
        secret="workload-development-secret",  # noqa: S106 - for development, on loopback only
        roles=("basic_user",),
        grant_types=(CLIENT_CREDENTIALS,),
    )


def _same(known: str, given: str) -> bool:
    return secrets.compare_digest(known.encode(), given.encode())
