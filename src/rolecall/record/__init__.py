"""What is written down: for now, the log."""

from rolecall.record.log import LogFormat, configure
from rolecall.record.recorder import Recorder

__all__ = ["LogFormat", "Recorder", "configure"]
