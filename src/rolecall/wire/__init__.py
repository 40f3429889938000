"""What travels: strict JSON, calls, error bodies, event streams, translations. No I/O."""

from rolecall.wire.call import check_query, parse_call
from rolecall.wire.clamp import clamp
from rolecall.wire.connect import ConnectAnswer
from rolecall.wire.errors import Format, error_body, error_event, foreign_error
from rolecall.wire.models import model, model_list
from rolecall.wire.parameters import read_parameters
from rolecall.wire.whole_events import WholeEvents

__all__ = [
    "ConnectAnswer",
    "Format",
    "WholeEvents",
    "check_query",
    "clamp",
    "error_body",
    "error_event",
    "foreign_error",
    "model",
    "model_list",
    "parse_call",
    "read_parameters",
]
