"""Whom a token is bound to (``cnf``, RFC 7800): whoever sends it must show that it is them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rolecall.core import Caller, Reason, Refusal
from rolecall.identity.claim_values import Claims

ShownCertificate = Callable[[], str]
"""The thumbprint of the client certificate that the sender of a request has shown: SHA-256 of its
DER, base64url. Raises `Refusal` where there is none."""

_MEMBERS: Final = frozenset({"jkt", "x5t#S256"})
_THUMBPRINT: Final = re.compile("[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Binding:
    """What the sender of a token must have, all of it.

    Attributes:
        key: the thumbprint of the key that signs its proofs (``jkt``, RFC 9449 6.1).
        certificate: the thumbprint of its client certificate (``x5t#S256``, RFC 8705 3.1).
    """

    key: str | None = None
    certificate: str | None = None


UNBOUND: Final = Binding()


def bound_to(claims: Claims) -> Binding | None:
    """What a token is bound to; None if its ``cnf`` says anything that is not understood.

    A member that is not understood may be a condition that is not met (RFC 7800 3.1).
    """
    if "cnf" not in claims:
        return UNBOUND
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict) or not confirmation:
        return None
    if not confirmation.keys() <= _MEMBERS or not all(map(_is_thumbprint, confirmation.values())):
        return None
    return Binding(confirmation.get("jkt"), confirmation.get("x5t#S256"))


def check_sender(caller: Caller, *, proven: bool) -> Binding:
    """Check that a token that is bound to a key comes with a proof, and no other does.

    RFC 9449 7.1, 7.2.

    Returns:
        What the caller's token is bound to.

    Raises:
        Refusal: ``sender_mismatch``.
    """
    binding = bound_to(caller.claims)
    if binding is None:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to its holder in a way (cnf) that cannot be checked here; ask for"
            " a bearer token.",
        )
    if binding.key is not None and not proven:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to its holder's key (cnf), and was sent as a bearer token; send it"
            " as Authorization: DPoP, with a proof.",
        )
    if binding.key is None and proven:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to no key (cnf.jkt), and so no proof can vouch for it; send it as"
            " Authorization: Bearer, or ask for one that is bound to your key.",
        )
    return binding


def check_certificate(binding: Binding, shown: ShownCertificate | None) -> None:
    """Check that the sender of a token has shown the certificate that it is bound to, if it is.

    Args:
        binding: of the token.
        shown: None where no certificates are taken.

    Raises:
        Refusal: ``sender_mismatch``, or ``invalid_client_certificate`` where what was shown is
            none.
    """
    if binding.certificate is None:
        return
    if shown is None:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to a client certificate (cnf), and none can be seen here.",
        )
    if shown() != binding.certificate:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to another client certificate (cnf, x5t#S256) than the one that"
            " was shown.",
        )


def _is_thumbprint(value: object) -> bool:
    return isinstance(value, str) and _THUMBPRINT.fullmatch(value) is not None
