"""``WWW-Authenticate``: what a client that is refused may try (RFC 6750, 9470 and 9728)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rolecall.core import STATUS, Authentication, Reason, Refusal
from rolecall.identity import PROOF_ALGORITHMS
from rolecall.upstream import Headers

_BEARER: Final = b'Bearer realm="rolecall"'
_DPOP: Final = f'DPoP realm="rolecall", algs="{" ".join(PROOF_ALGORITHMS)}"'.encode()

# RFC 9449 7.1, 9: reasons that are its error codes
_OF_THE_PROOF: Final = frozenset({Reason.INVALID_DPOP_PROOF, Reason.USE_DPOP_NONCE})


@dataclass(frozen=True, slots=True)
class Challenges:
    """The challenges of one configuration.

    Attributes:
        constant: the headers of every refusal that has a challenge, by its reason.
        schemes: what begins a challenge of each scheme that is taken.
        metadata: the parameter that ends each of them.
    """

    constant: Mapping[Reason, Headers]
    schemes: tuple[bytes, ...]
    metadata: bytes

    def of(self, refusal: Refusal) -> Headers:
        """The headers of a refusal; none where it has no challenge."""
        if refusal.authentication is not None:
            parameters = _of_a_sign_in(refusal.authentication)
        elif refusal.scopes:
            # RFC 6750 3, 3.1
            parameters = _error(refusal.reason) + f', scope="{" ".join(refusal.scopes)}"'.encode()
        else:
            return self.constant.get(refusal.reason, [])
        return _header(scheme + parameters + self.metadata for scheme in self.schemes)


def compile_challenges(metadata_url: str | None, *, takes_proofs: bool) -> Challenges:
    """The headers of every refusal that has a challenge.

    Args:
        metadata_url: where clients find out whom to ask for a token, if that is configured.
        takes_proofs: whether tokens may come with a proof of possession (RFC 9449 7.1).
    """
    metadata = f', resource_metadata="{metadata_url}"'.encode("ascii") if metadata_url else b""
    constant = {
        reason: _header(
            challenge + metadata for challenge in _challenges(reason, takes_proofs=takes_proofs)
        )
        for reason, status in STATUS.items()
        if status in {401, 403}
    }
    return Challenges(constant, (_BEARER, _DPOP) if takes_proofs else (_BEARER,), metadata)


def _header(challenges: Iterable[bytes]) -> Headers:
    return [(b"www-authenticate", b", ".join(challenges))]


def _challenges(reason: Reason, *, takes_proofs: bool) -> list[bytes]:
    error = _error(reason)
    of_the_proof = reason in _OF_THE_PROOF
    challenges = [_BEARER + (b"" if of_the_proof else error)]
    if takes_proofs:
        about_it = of_the_proof or reason is Reason.SENDER_MISMATCH
        challenges.append(_DPOP + (error if about_it else b""))
    return challenges


def _error(reason: Reason) -> bytes:
    if reason is Reason.MISSING_TOKEN:
        # RFC 6750 3: no error code where no credentials were sent
        return b""
    if reason in _OF_THE_PROOF:
        return b', error="' + reason.encode() + b'"'
    error = b"invalid_token" if STATUS[reason] == 401 else b"insufficient_scope"
    return b', error="' + error + b'", error_description="' + reason.encode() + b'"'


def _of_a_sign_in(authentication: Authentication) -> bytes:
    """What a client puts into its next authorization request (RFC 9470 3, 4)."""
    parameters = ', error="insufficient_user_authentication"'
    parameters += f', error_description="a sign-in {authentication.said} is needed"'
    if authentication.acr_values:
        parameters += f', acr_values="{" ".join(authentication.acr_values)}"'
    if authentication.max_age is not None:
        parameters += f', max_age="{authentication.max_age}"'
    return parameters.encode("ascii")
