"""What is measured, one kind a file; ``GROUPS`` holds all of it in the order of the run."""

from typing import Final

from bench import calls
from bench.workloads.answers import WholeAnswers
from bench.workloads.half_load import HalfLoad
from bench.workloads.keys import KeyChange
from bench.workloads.memory import Memory
from bench.workloads.new_tokens import NewTokens
from bench.workloads.ready import Ready
from bench.workloads.streams import Streams
from bench.workloads.unknown_keys import KeyFlood
from bench.workloads.workload import Field, Group, Workload

# LiteLLM answers so few calls in two seconds that those cut off at their end would count
_FAST: Final = frozenset({"nginx", "envoy", "rolecall", "portkey"})
_MANY_WORKERS: Final = frozenset({"nginx", "envoy", "rolecall"})
_OWN: Final = frozenset({"rolecall"})

GROUPS: Final[tuple[Group, ...]] = (
    Group(
        (
            Ready("ready", "from start to the first answer"),
            WholeAnswers("chat-16", "chat, remembered token, 16 connections", calls.CHAT),
            WholeAnswers("denied", "a model that the role may not call", calls.FORBIDDEN),
            NewTokens("cold-rs256", "chat, every token new, RS256", "RS256"),
            NewTokens("cold-es256", "chat, every token new, ES256", "ES256"),
            WholeAnswers("chat-1", "chat, remembered token, 1 connection", calls.CHAT, 1),
            WholeAnswers(
                "chat-256", "chat, remembered token, 256 connections", calls.CHAT, 256, peers=_FAST
            ),
            WholeAnswers("large", "a body of 128 KiB", calls.LONG),
            HalfLoad("half-load", "latency at half of the highest load"),
        )
    ),
    Group((Streams("stream", "a stream of 100 events"),)),
    Group(
        (
            WholeAnswers("rules-1", "a policy of one rule", calls.CHAT, peers=_OWN),
            WholeAnswers(
                "rules-10000", "a policy of 10,000 rules", calls.CHAT, rules=10_000, peers=_OWN
            ),
        )
    ),
    Group(
        (
            WholeAnswers(
                "workers-2", "two workers, 64 connections", calls.CHAT, 64, 1, 2, _MANY_WORKERS
            ),
        )
    ),
    Group(
        (
            KeyChange("keys", "p99 while keys change and while the key server hangs"),
            KeyFlood("unknown-keys", "p99 beside 1,000 tokens of unknown keys a second"),
        ),
        most=3,
    ),
    Group((Memory("memory", "memory at rest and after many requests"),), most=1),
)
QUICK: Final = ("chat-16", "denied", "stream")
NAMES: Final = tuple(workload.name for group in GROUPS for workload in group.workloads)

__all__ = ["GROUPS", "NAMES", "QUICK", "Field", "Group", "Workload"]
