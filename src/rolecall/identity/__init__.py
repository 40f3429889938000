"""A credential becomes a caller."""

from rolecall.identity.caller import caller_from
from rolecall.identity.guard import open_token
from rolecall.identity.keysource import Pace
from rolecall.identity.verifier import IssuerState, Verifier

__all__ = ["IssuerState", "Pace", "Verifier", "caller_from", "open_token"]
