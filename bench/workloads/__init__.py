"""What is measured, one kind a file; ``GROUPS`` holds all of it in the order of the run."""

from typing import Final

from bench import calls
from bench.workloads.answers import WholeAnswers
from bench.workloads.streams import Streams
from bench.workloads.workload import Field, Group, Workload

CHAT: Final = WholeAnswers("chat-16", "chat, remembered token, 16 connections", calls.CHAT)
DENIED: Final = WholeAnswers(
    "denied", "a model that the role may not call", calls.FORBIDDEN, guards_only=True
)
STREAM: Final = Streams("stream", "a stream of 100 events")

GROUPS: Final[tuple[Group, ...]] = (
    Group((CHAT, DENIED)),
    Group((STREAM,)),
)
QUICK: Final = (CHAT.name, DENIED.name, STREAM.name)
NAMES: Final = tuple(workload.name for group in GROUPS for workload in group.workloads)

__all__ = ["GROUPS", "NAMES", "QUICK", "Field", "Group", "Workload"]
