"""What is written down: the log, and the metrics."""

from rolecall.record.decision_entry import (
    call_of,
    caller_of,
    circumstances_of,
    entry_of,
    outcome_of,
)
from rolecall.record.decision_log import DecisionLog
from rolecall.record.figures import (
    Figures,
    IssuerFigures,
    KeySetFigures,
    LookUpFigures,
    PolicyFigures,
)
from rolecall.record.log import LogFormat, configure
from rolecall.record.recorder import Recorder
from rolecall.record.repeats import in_this_loop

__all__ = [
    "DecisionLog",
    "Figures",
    "IssuerFigures",
    "KeySetFigures",
    "LogFormat",
    "LookUpFigures",
    "PolicyFigures",
    "Recorder",
    "call_of",
    "caller_of",
    "circumstances_of",
    "configure",
    "entry_of",
    "in_this_loop",
    "outcome_of",
]
