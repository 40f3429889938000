"""Who acts for a caller (``act``, RFC 8693 4.1): the present actor, and those before it."""

from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.core import Actor, Caller, Reason, Refusal
from rolecall.identity import claims as claim
from rolecall.identity.claim_values import Claims

MOST: Final = 8
"""How many actors a token may name, each within the one before."""


def actors_of(claims: Claims, issuer: IssuerSettings) -> tuple[Actor, ...]:
    """The actors that a token names, the present one first.

    What else stands in an ``act`` says who it is and nothing of the token: it is not looked at.
    Neither is ``may_act``, which is for the server that exchanges tokens (RFC 8693 4.4).

    Raises:
        Refusal: ``invalid_claim``.
    """
    if "act" not in claims:
        return ()
    found: list[Actor] = []
    named: Any = claims
    while "act" in named:
        named = named["act"]
        if not isinstance(named, dict):
            raise _invalid("is not an object")
        if len(found) == MOST:
            raise _invalid(f"names more than {MOST} actors within one another")
        found.append(_actor(named, issuer))
    return tuple(found)


def check_actor(caller: Caller, issuer: IssuerSettings) -> None:
    """Check that somebody acts for a caller, or nobody, as its issuer's tokens must have it.

    Raises:
        Refusal: ``invalid_claim``.
    """
    if not caller.actors:
        if issuer.actor == "required":
            raise Refusal(
                Reason.INVALID_CLAIM,
                "The token names nobody who acts for its subject (act), as its issuer's must here;"
                " ask for one by token exchange.",
            )
        return
    if issuer.actor == "forbidden":
        raise Refusal(
            Reason.INVALID_CLAIM,
            "The token lets somebody act for its subject (act), which this gateway does not accept"
            " of its issuer.",
        )
    actor = caller.actors[0]
    if issuer.actors is not None and not any(_is(actor, one) for one in issuer.actors):
        raise Refusal(
            Reason.INVALID_CLAIM,
            "The token's actor (act) is not one that this gateway accepts.",
        )


def _is(actor: Actor, accepted: Actor) -> bool:
    return (
        actor.issuer == accepted.issuer
        and accepted.subject in (None, actor.subject)
        and accepted.client in (None, actor.client)
    )


def _actor(named: Claims, issuer: IssuerSettings) -> Actor:
    vouching, subject, client = (
        claim.name(named, key, "act.") for key in ("iss", "sub", "client_id")
    )
    if subject is None and client is None:
        raise _invalid("has neither sub nor client_id, and so names nobody")
    if vouching is None or vouching in issuer.aliases:
        vouching = issuer.issuer
    return Actor(vouching, subject, client)


def _invalid(why: str) -> Refusal:
    return Refusal(Reason.INVALID_CLAIM, f"The token's act {why} (RFC 8693 4.1).")
