"""What is written down: the log, and the metrics."""

from rolecall.record.log import LogFormat, configure
from rolecall.record.metrics import (
    Figures,
    IssuerFigures,
    KeySetFigures,
    LookUpFigures,
    exposition,
)
from rolecall.record.recorder import Recorder
from rolecall.record.repeats import in_this_loop

__all__ = [
    "Figures",
    "IssuerFigures",
    "KeySetFigures",
    "LogFormat",
    "LookUpFigures",
    "Recorder",
    "configure",
    "exposition",
    "in_this_loop",
]
