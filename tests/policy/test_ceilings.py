import math

import pytest

from rolecall.core import Call, Ceilings, Excess, Parameters
from rolecall.policy.ceilings import can_clamp, excesses, generosity

EXCEEDED = {
    "max_tokens": (
        Ceilings(max_tokens=9),
        Parameters(max_tokens=10),
        Excess("max_tokens", "10", "at most 9"),
    ),
    "max_tokens left open": (
        Ceilings(max_tokens=9),
        Parameters(),
        Excess("max_tokens", "without a bound", "at most 9"),
    ),
    "n": (Ceilings(n=1), Parameters(n=2), Excess("n", "2", "at most 1")),
    "effort": (
        Ceilings(reasoning_effort="low"),
        Parameters(reasoning_effort="medium"),
        Excess("reasoning_effort", "medium", "at most low"),
    ),
    "an effort that is not known": (
        Ceilings(reasoning_effort="max"),
        Parameters(reasoning_effort="ultra"),
        Excess("reasoning_effort", "ultra", "at most max"),
    ),
    "thinking": (
        Ceilings(thinking_budget=0),
        Parameters(thinking_budget=math.inf),
        Excess("thinking_budget", "without a bound", "none"),
    ),
    "tools": (
        Ceilings(tools=("read_*",)),
        Parameters(tools=("read_file", "bash", "write_file")),
        Excess("tools", "bash, write_file", "read_*"),
    ),
    "no tools": (Ceilings(tools=()), Parameters(tools=("f",)), Excess("tools", "f", "none")),
    "inputs": (
        Ceilings(inputs=frozenset({"image"})),
        Parameters(inputs=frozenset({"image", "file"})),
        Excess("inputs", "file", "text, image"),
    ),
    "searches": (
        Ceilings(web_search=False),
        Parameters(web_search=True),
        Excess("web_search", "a search", "none"),
    ),
    "tier": (
        Ceilings(service_tier=("default", "flex")),
        Parameters(service_tier="priority"),
        Excess("service_tier", "priority", "default, flex"),
    ),
    "temperature": (
        Ceilings(temperature=(0, 1)),
        Parameters(temperature=1.5),
        Excess("temperature", "1.5", "0 to 1"),
    ),
    "size": (
        Ceilings(input_bytes=100),
        Parameters(size=101),
        Excess("input_bytes", "101", "at most 100"),
    ),
    "not a stream": (Ceilings(stream="only"), Parameters(), Excess("stream", "false", "true")),
}


@pytest.mark.parametrize(("ceilings", "asked", "excess"), EXCEEDED.values(), ids=EXCEEDED)
def test_what_is_beyond_a_ceiling_is_named(ceilings, asked, excess):
    assert excesses(ceilings, Call("chat", "m", parameters=asked)) == (excess,)


def test_a_stream_can_be_forbidden():
    call = Call("chat", "m", stream=True, parameters=Parameters())
    assert excesses(Ceilings(stream="never"), call) == (Excess("stream", "true", "false"),)


WITHIN = Parameters(
    max_tokens=9,
    n=1,
    reasoning_effort="low",
    thinking_budget=9,
    tools=("f",),
    inputs=frozenset({"image"}),
    service_tier="flex",
    temperature=1.0,
    size=100,
)
ALL = Ceilings(
    max_tokens=9,
    n=1,
    reasoning_effort="low",
    thinking_budget=9,
    tools=("f",),
    inputs=frozenset({"image"}),
    web_search=False,
    service_tier=("default", "flex"),
    temperature=(0.0, 1.0),
    input_bytes=100,
    stream="never",
)


def test_a_call_may_touch_every_ceiling():
    assert excesses(ALL, Call("chat", "m", parameters=WITHIN)) == ()


def test_what_a_call_does_not_say_is_within_all_but_the_bound_of_its_answer():
    call = Call("chat", "m", parameters=Parameters())
    assert [excess.parameter for excess in excesses(ALL, call)] == ["max_tokens"]


def test_a_call_that_nobody_read_is_beyond_all():
    (excess,) = excesses(ALL, Call("chat", "m"))
    assert not can_clamp((excess,))


@pytest.mark.parametrize("parameter", ["inputs", "input_bytes", "stream"])
def test_what_was_sent_cannot_be_lowered(parameter):
    assert not can_clamp((Excess("n", "2", "1"), Excess(parameter, "a", "b")))


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (Ceilings(max_tokens=9), Ceilings(max_tokens=10)),
        (Ceilings(max_tokens=9), Ceilings(n=1)),
        (Ceilings(max_tokens=9, n=1), Ceilings(max_tokens=9, n=2)),
        (Ceilings(reasoning_effort="low"), Ceilings(reasoning_effort="high")),
        (Ceilings(tools=()), Ceilings(tools=("f",))),
        (Ceilings(web_search=False), Ceilings(n=None, temperature=(0, 1))),
    ],
)
def test_the_more_generous_leaves_more(less, more):
    assert generosity(less) < generosity(more)
