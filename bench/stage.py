"""What a run stands on: the gateways that can be had, the tokens, the mock providers."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench import cores, programs, tokens, upstream
from bench.peers import Peer, Unavailable
from bench.places import CACHE
from bench.runner import Bench
from bench.upstream import Upstreams
from bench.workloads import Field


def demand() -> None:
    """See that this machine has what every run needs.

    Raises:
        Missing: it has not; the text says what to install.
    """
    if sys.platform != "linux":
        raise programs.Missing(
            "the benchmark reads /proc and pins programs to cores: it needs Linux"
        )
    for program, package in (("wrk", "wrk"), ("nginx", "nginx-light"), ("taskset", "util-linux")):
        programs.find(program, package)


def install(
    peers: Sequence[Peer], told: Callable[[str], None]
) -> tuple[dict[str, str], dict[str, str]]:
    """Install what can be had; versions of these, and reasons for the others."""
    versions: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for peer in peers:
        told(f"installing {peer.title}")
        try:
            versions[peer.name] = peer.install(CACHE / "peers" / peer.name)
        except Unavailable as reason:
            skipped[peer.name] = str(reason)
    return versions, skipped


@contextmanager
def ready(
    peers: Sequence[Peer], seconds: int, requests: int, told: Callable[[str], None]
) -> Iterator[Bench]:
    """The mock providers run as long as the block does; we keep off the gateways' core."""
    told("making tokens")
    callers = tokens.prepare(CACHE / "tokens")
    machine = cores.siblings_here()
    split = cores.choose(machine)
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, split.load)
    try:
        with ExitStack() as stack:
            ports = Upstreams(
                plain=stack.enter_context(upstream.plain_server(split.load)),
                events=stack.enter_context(upstream.events_server(split.load)),
            )
            keys = stack.enter_context(upstream.key_server(split.load, callers.key_set))
            field = Field(callers, callers.first(), ports, keys, seconds, requests)
            yield Bench(peers, field, lambda workers: cores.choose(machine, workers))
    finally:
        os.sched_setaffinity(0, allowed)
