"""``WWW-Authenticate``: what a client that is refused may try (RFC 6750 3, RFC 9728 5.1)."""

from collections.abc import Mapping
from typing import Final

from rolecall.core import STATUS, Reason
from rolecall.identity import PROOF_ALGORITHMS
from rolecall.upstream import Headers

Challenges = Mapping[Reason, Headers]

_BEARER: Final = b'Bearer realm="rolecall"'
_DPOP: Final = f'DPoP realm="rolecall", algs="{" ".join(PROOF_ALGORITHMS)}"'.encode()

# RFC 9449 7.1, 9: reasons that are its error codes
_OF_THE_PROOF: Final = frozenset({Reason.INVALID_DPOP_PROOF, Reason.USE_DPOP_NONCE})


def compile_challenges(metadata_url: str | None, *, takes_proofs: bool) -> Challenges:
    """The headers of every refusal that has a challenge.

    Args:
        metadata_url: where clients find out whom to ask for a token, if that is configured.
        takes_proofs: whether tokens may come with a proof of possession (RFC 9449 7.1).
    """
    metadata = f', resource_metadata="{metadata_url}"'.encode("ascii") if metadata_url else b""
    return {
        reason: [
            (
                b"www-authenticate",
                b", ".join(
                    challenge + metadata
                    for challenge in _challenges(reason, takes_proofs=takes_proofs)
                ),
            )
        ]
        for reason, status in STATUS.items()
        if status in {401, 403}
    }


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
