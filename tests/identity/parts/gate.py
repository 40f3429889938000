"""A verifier whose time stands still and whose network is a table."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from rolecall.config import IssuerSettings, KeysFrom, Limits
from rolecall.config.settings import ALGORITHMS
from rolecall.core import Refusal, Source
from rolecall.identity import Pace, Verifier
from rolecall.identity.fetch import Fetched, FetchError
from rolecall.identity.signature import verify

from .signing import Signer, key_set, unb64

ISSUER = "https://login.example.com/realms/acme"
AUDIENCE = "llm-gateway"
KEYS_URL = "https://login.example.com/keys"
NOW = 1_800_000_000
LEEWAY = 60
SIGNER = Signer()
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "john", "iat": NOW - 10, "exp": NOW + 300}
CALM = Pace(refresh=3600, retry=3600, retry_most=3600, cooldown=3600)
"""Nothing is fetched in the background, and an unknown key once."""
VERIFY = verify
"""The signature step that gates are made with; the fixture ``verify`` changes it."""


def settings(issuer=ISSUER, **changes):
    """An issuer as configurations write it, everything allowed that can be."""
    return IssuerSettings(
        **{
            "issuer": issuer,
            "profile": "generic",
            "audience": (AUDIENCE,),
            "keys": KeysFrom(jwks_url=KEYS_URL),
            "algorithms": ALGORITHMS,
            "roles": (("roles",),),
            "groups": (("groups",),),
            "scopes": (("scope",),),
            "leeway": LEEWAY,
            "source": Source("rolecall.yaml", 1),
            **changes,
        }
    )


class Network:
    """URLs and the documents behind them; an exception is an outage. Counts what is fetched."""

    def __init__(self, documents, max_age=None):
        self.documents = documents
        self.max_age = max_age
        self.fetched = []
        self.reached = []

    async def fetch(self, url, reach):
        self.fetched.append(url)
        self.reached.append(reach)
        await asyncio.sleep(0)  # as any network does, it lets others run
        document = self.documents.get(url, FetchError(f"{url} cannot be reached"))
        if isinstance(document, Exception):
            raise document
        return Fetched(document, self.max_age)


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


@asynccontextmanager
async def gate(*issuers, network=None, clock=None, pace=CALM, limits=None, started=True, **seams):
    """A verifier; its `network` and `clock` stand beside it."""
    network = network or Network({KEYS_URL: key_set(SIGNER)})
    clock = clock or Clock()
    verifier = Verifier(
        issuers or (settings(),),
        limits=limits or Limits(),
        complete=seams.pop("complete", lambda caller: caller),
        clock=clock,
        fetch=network.fetch,
        pace=pace,
        **{"verify_signature": VERIFY, **seams},
    )
    verifier.network = network
    verifier.clock = clock
    if started:
        await verifier.start()
    try:
        yield verifier
    finally:
        await verifier.stop()


async def refusal(verifier, token):
    """The refusal of a token; fails if it is let in or if anything else is raised."""
    with pytest.raises(Refusal) as caught:
        await verifier.authenticate(token)
    reveals_nothing(caught.value, token)
    return caught.value


async def verdict(verifier, token):
    """``accepted``, or the reason code of the refusal."""
    try:
        await verifier.authenticate(token)
    except Refusal as caught:
        reveals_nothing(caught, token)
        return caught.reason.value
    return "accepted"


def reveals_nothing(caught, token):
    """What the caller is told holds no six characters of the token, and no value out of it."""
    told = f"{caught} {caught.message} {caught.param}".encode()
    pieces = {told[place : place + 6] for place in range(len(told) - 5)}
    assert not any(piece in token for piece in pieces), caught.message
    assert not any(value.encode() in told for value in spoken(token)), caught.message
    assert caught.__cause__ is None
    assert caught.status in {401, 503}


def spoken(token):
    """The strings in a token's header and payload that are long enough to be recognised."""
    for segment in token.split(b".")[:2]:
        try:
            values = [json.loads(unb64(segment))]
        except (ValueError, RecursionError):
            continue
        while values:
            match values.pop():
                case dict() as below:
                    values += below.values()
                case list() as below:
                    values += below
                case str(value) if len(value) > 4 and value not in {"Bearer", "access"}:
                    yield value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
