"""A credential becomes a caller."""

from rolecall.identity.caller import caller_from
from rolecall.identity.dpop import PROOF_ALGORITHMS, ProvenRequest
from rolecall.identity.guard import open_token
from rolecall.identity.inspection import Inspection, inspect
from rolecall.identity.issuer_state import IssuerState
from rolecall.identity.nonces import Nonces
from rolecall.identity.refreshed import Pace
from rolecall.identity.revocation_file import Received, Stored
from rolecall.identity.revocation_store import RevocationStore, StoreError
from rolecall.identity.revocations import revoked
from rolecall.identity.shared_replays import SharedReplays
from rolecall.identity.signals import Signal, lifetime, logout, security_event
from rolecall.identity.tally import Tally
from rolecall.identity.verdicts import fingerprint
from rolecall.identity.verifier import Verifier

__all__ = [
    "PROOF_ALGORITHMS",
    "Inspection",
    "IssuerState",
    "Nonces",
    "Pace",
    "ProvenRequest",
    "Received",
    "RevocationStore",
    "SharedReplays",
    "Signal",
    "StoreError",
    "Stored",
    "Tally",
    "Verifier",
    "caller_from",
    "fingerprint",
    "inspect",
    "lifetime",
    "logout",
    "open_token",
    "revoked",
    "security_event",
]
