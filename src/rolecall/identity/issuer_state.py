"""How an issuer stands: what operators are told of it."""

from dataclasses import dataclass, replace

from rolecall.identity.directory import GroupLookUps
from rolecall.identity.opaque import LookUps, OpaqueTokens
from rolecall.identity.refreshed import Fetches
from rolecall.identity.signing_key import SigningIssuer


@dataclass(frozen=True, slots=True)
class IssuerState:
    """What an operator may know of an issuer.

    Attributes:
        issuer: its name.
        ready: whether its tokens can be verified.
        error: why its keys are not fresh, or where opaque tokens are looked up is not known.
        keys: how many; None where nothing of it is signed.
        age: seconds since the keys were fetched; None where there are none.
        fetches: what became of fetching them; None where nothing of it is signed.
        looked_up_at: where its opaque tokens are looked up, if it has any.
        lookups: what became of that.
        group_lookups: what became of asking for groups; None where nobody does.
    """

    issuer: str
    ready: bool = True
    error: str | None = None
    keys: int | None = None
    age: float | None = None
    fetches: Fetches | None = None
    looked_up_at: str | None = None
    lookups: LookUps | None = None
    group_lookups: GroupLookUps | None = None


def state_of(name: str, signing: SigningIssuer | None, opaque: OpaqueTokens | None) -> IssuerState:
    """The state of one issuer; its keys and its opaque tokens are None where it has none."""
    state = IssuerState(name) if signing is None else _of_keys(name, signing)
    return state if opaque is None else _with_look_ups(state, opaque)


def _of_keys(name: str, issuer: SigningIssuer) -> IssuerState:
    source, directory = issuer.source, issuer.directory
    return IssuerState(
        name,
        ready=source.keys is not None,
        error=source.error,
        keys=len(source.keys.keys) if source.keys is not None else 0,
        age=source.age,
        fetches=source.fetches,
        group_lookups=directory.lookups if directory is not None else None,
    )


def _with_look_ups(state: IssuerState, opaque: OpaqueTokens) -> IssuerState:
    return replace(
        state,
        ready=state.ready and opaque.url is not None,
        error=state.error or (opaque.source.error if opaque.source is not None else None),
        looked_up_at=opaque.url,
        lookups=opaque.lookups,
    )
