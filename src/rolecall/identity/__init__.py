"""A credential becomes a caller."""

from rolecall.identity.caller import caller_from
from rolecall.identity.guard import open_token
from rolecall.identity.keysource import Pace
from rolecall.identity.tally import Tally
from rolecall.identity.verifier import IssuerState, Verifier

__all__ = ["IssuerState", "Pace", "Tally", "Verifier", "caller_from", "open_token"]
