"""The provider as one object: start it, ask it where it answers, stop it."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Final, Literal, Self, TypeAlias

from rolecall.demo.idp import entra, keycloak
from rolecall.demo.idp.application import application
from rolecall.demo.idp.directory import Client, Directory, SignIn
from rolecall.demo.idp.keys import Algorithm, KeyRing
from rolecall.demo.idp.lifetimes import Lifetimes
from rolecall.demo.idp.server import Serving, base_url, listen
from rolecall.demo.idp.shape import Shape
from rolecall.demo.idp.tokens import Kind, Tokens

ShapeName: TypeAlias = Literal["keycloak", "entra"]

_DEFAULT_LIFETIMES: Final = Lifetimes()
_NO_CLAIMS: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DevelopmentIdP:
    """A running development identity provider; leaving the ``with`` block stops it.

    It is a real OpenID provider with passwords that everyone knows: for demos and tests, on the
    loopback interface only. It keeps nothing.
    """

    base_url: str
    directory: Directory
    _tokens: Tokens = field(repr=False)
    _serving: Serving = field(repr=False)

    @classmethod
    def start(  # noqa: PLR0913 - each is an option of its own
        cls,
        shape: ShapeName = "keycloak",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        directory: Directory | None = None,
        lifetimes: Lifetimes = _DEFAULT_LIFETIMES,
        algorithm: Algorithm = "RS256",
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Start the provider in a daemon thread.

        Args:
            shape: whose tokens and paths to imitate.
            host: a loopback address.
            port: 0 takes a free one.
            directory: the people, clients and audience; the shape's own when it is not given.
            lifetimes: of tokens and codes, in seconds.
            algorithm: that tokens are signed with.
            clock: returns Unix time in seconds.

        Raises:
            ValueError: when the host is not a loopback address.
            OSError: when the port is taken.
        """
        bound = listen(host, port)
        base = base_url(bound)
        vendor = _shape(shape, directory, base)
        issuer = base + vendor.endpoints.issuer
        tokens = Tokens(issuer, vendor, KeyRing(algorithm), lifetimes, clock)
        serving = Serving.start(bound, application(base, tokens))
        return cls(base, vendor.directory, tokens, serving)

    @property
    def issuer(self) -> str:
        """The ``iss`` of the tokens."""
        return self._tokens.issuer

    @property
    def discovery_url(self) -> str:
        """Where the metadata is."""
        return self.base_url + self._tokens.shape.endpoints.discovery

    @property
    def jwks_url(self) -> str:
        """Where the key set is."""
        return self.base_url + self._tokens.shape.endpoints.keys

    @property
    def token_url(self) -> str:
        """Where grants are exchanged for tokens."""
        return self.base_url + self._tokens.shape.endpoints.token

    @property
    def audience(self) -> str:
        """The ``aud`` of the access tokens."""
        return self.directory.audience

    @property
    def client(self) -> Client:
        """The first public client, which people sign in with."""
        return next(client for client in self.directory.clients if client.secret is None)

    @property
    def workload(self) -> Client:
        """The first confidential client, which signs in for itself."""
        return next(client for client in self.directory.clients if client.secret is not None)

    def rotate(self) -> str:
        """Sign with a new key from now on, and publish the old ones too; return the new key ID."""
        return self._tokens.keys.rotate()

    def drop_old(self) -> None:
        """Publish nothing but the key that signs."""
        self._tokens.keys.drop_old()

    def mint(
        self,
        kind: Kind = "valid",
        username: str = "alice",
        *,
        claims: Mapping[str, object] = _NO_CLAIMS,
    ) -> str:
        """Write an access token of a person without asking for the password.

        Args:
            kind: ``expired`` an hour ago, ``forged`` with a foreign key under the real key ID,
                or ``valid``.
            username: whose it is.
            claims: claims to put in place of the usual ones.

        Raises:
            KeyError: when nobody has this name.
        """
        user = self.directory.user(username)
        if user is None:
            raise KeyError(username)
        sign_in = SignIn(user, str(uuid.uuid4()), int(self._tokens.clock()))
        return self._tokens.mint(kind, self.client, sign_in, claims)

    def stop(self) -> None:
        """Stop the provider; again does nothing."""
        self._serving.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _shape(name: ShapeName, directory: Directory | None, base: str) -> Shape:
    match name:
        case "keycloak":
            return keycloak.Keycloak(directory or keycloak.DIRECTORY)
        case "entra":
            return entra.Entra(directory or entra.DIRECTORY, base)
