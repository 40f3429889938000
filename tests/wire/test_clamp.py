"""A body is lowered to ceilings, and what is forwarded then keeps within them."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import EFFORTS, Call, Ceilings, Excess
from rolecall.policy.ceilings import CLAMPED, excesses
from rolecall.wire import clamp, read_parameters

F = {"type": "function", "function": {"name": "f"}}
G = {"type": "function", "function": {"name": "g"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def lowered(body, ceilings, endpoint="chat"):
    body = copy.deepcopy(body)
    call = Call(endpoint, "m", parameters=read_parameters(body, 0))
    clamp(body, endpoint, ceilings, excesses(ceilings, call))
    return body


LOWERED = {
    "max_tokens": (Ceilings(max_tokens=9), {"max_tokens": 10}, {"max_tokens": 9}),
    "each spelling": (
        Ceilings(max_tokens=9),
        {"max_tokens": 10, "max_completion_tokens": 5, "n_predict": 11},
        {"max_tokens": 9, "max_completion_tokens": 5, "n_predict": 9},
    ),
    "a bound that was left out": (Ceilings(max_tokens=9), {}, {"max_completion_tokens": 9}),
    "a bound that was null": (
        Ceilings(max_tokens=9),
        {"max_tokens": None},
        {"max_tokens": None, "max_completion_tokens": 9},
    ),
    "n": (Ceilings(n=1), {"n": 3, "best_of": 4}, {"n": 1, "best_of": 1}),
    "effort": (
        Ceilings(reasoning_effort="low"),
        {"reasoning_effort": "high"},
        {"reasoning_effort": "low"},
    ),
    "effort that is not known": (
        Ceilings(reasoning_effort="low"),
        {"reasoning": {"effort": "ultra", "summary": "auto"}},
        {"reasoning": {"effort": "low", "summary": "auto"}},
    ),
    "adaptive thinking": (
        Ceilings(reasoning_effort="medium"),
        {"thinking": {"type": "adaptive"}},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
    ),
    "adaptive thinking to no effort": (
        Ceilings(reasoning_effort="none"),
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        {"thinking": {"type": "disabled"}, "output_config": {}},
    ),
    "adaptive thinking to a budget that is more than its effort": (
        Ceilings(reasoning_effort="none", thinking_budget=1024),
        {"thinking": {"type": "adaptive"}, "reasoning": {"effort": "none"}},
        {"thinking": {"type": "disabled"}, "reasoning": {"effort": "none"}},
    ),
    "a budget by its effort": (
        Ceilings(reasoning_effort="low"),
        {"thinking": {"type": "enabled", "budget_tokens": 20_000}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    "a budget": (
        Ceilings(thinking_budget=2000),
        {"thinking": {"type": "enabled", "budget_tokens": 20_000}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    "adaptive thinking to a budget": (
        Ceilings(thinking_budget=2000),
        {"thinking": {"type": "adaptive"}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    "a budget that is too small to think": (
        Ceilings(thinking_budget=500),
        {"thinking": {"type": "enabled", "budget_tokens": 20_000}},
        {"thinking": {"type": "disabled"}},
    ),
    "thinking is part of max_tokens": (
        Ceilings(max_tokens=2000),
        {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 8000}},
        {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1999}},
    ),
    "tools": (
        Ceilings(tools=("f",)),
        {"tools": [F, G], "tool_choice": "auto"},
        {"tools": [F], "tool_choice": "auto"},
    ),
    "a choice of a tool that is gone": (
        Ceilings(tools=("f",)),
        {"tools": [F, G], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        {"tools": [F]},
    ),
    "Anthropic's choice of a tool that is gone": (
        Ceilings(tools=("f",)),
        {"tools": [{"name": "f"}, {"name": "g"}], "tool_choice": {"type": "tool", "name": "g"}},
        {"tools": [{"name": "f"}]},
    ),
    "all tools": (
        Ceilings(tools=()),
        {"tools": [F], "tool_choice": "required", "parallel_tool_calls": False},
        {},
    ),
    "searches": (
        Ceilings(web_search=False),
        {"tools": [SEARCH, F], "web_search_options": {}},
        {"tools": [F]},
    ),
    "tier": (
        Ceilings(service_tier=("default", "flex")),
        {"service_tier": "priority"},
        {"service_tier": "default"},
    ),
    "temperature": (Ceilings(temperature=(0, 1)), {"temperature": 1.7}, {"temperature": 1}),
    "temperature from below": (
        Ceilings(temperature=(0.5, 1)),
        {"temperature": 0},
        {"temperature": 0.5},
    ),
    "what is within stays": (
        Ceilings(max_tokens=9, n=1, temperature=(0, 1)),
        {"max_tokens": 9, "n": 1, "temperature": 0.2, "x": [1]},
        {"max_tokens": 9, "n": 1, "temperature": 0.2, "x": [1]},
    ),
}


@pytest.mark.parametrize(("ceilings", "body", "after"), LOWERED.values(), ids=LOWERED)
def test_a_body_is_lowered(ceilings, body, after):
    assert lowered(body, ceilings) == after


def test_a_bound_is_written_as_the_endpoint_spells_it():
    assert lowered({}, Ceilings(max_tokens=9), "messages") == {"max_tokens": 9}


@pytest.mark.parametrize("parameter", ["inputs", "input_bytes", "stream", "parameters"])
def test_what_cannot_be_lowered_is_never_forwarded(parameter):
    with pytest.raises(ValueError, match="cannot be lowered"):
        clamp({}, "chat", Ceilings(), (Excess(parameter, "a", "b"),))
    assert parameter not in CLAMPED


efforts = st.sampled_from([*EFFORTS, "ultra"])
counts = st.none() | st.integers(0, 20_000)
names = st.sampled_from(["f", "g", "web_search"])
tools = st.lists(
    st.builds(lambda name: {"type": "function", "function": {"name": name}}, names)
    | st.builds(lambda name: {"name": name}, names)
    | st.sampled_from([{"type": "web_search_preview"}, {"type": "bash_1", "name": "f"}]),
    max_size=3,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": counts,
        "max_completion_tokens": counts,
        "n": st.none() | st.integers(0, 4),
        "reasoning_effort": st.none() | efforts,
        "reasoning": st.fixed_dictionaries({}, optional={"effort": efforts, "max_tokens": counts}),
        "output_config": st.fixed_dictionaries({}, optional={"effort": efforts}),
        "thinking": st.sampled_from([{"type": "adaptive"}, {"type": "disabled"}, {}])
        | st.builds(lambda n: {"type": "enabled", "budget_tokens": n}, st.integers(0, 20_000)),
        "thinking_budget": counts,
        "tools": tools,
        "tool_choice": st.sampled_from(
            ["auto", {"type": "tool", "name": "g"}, {"type": "function", "name": "f"}]
        ),
        "web_search_options": st.just({}),
        "service_tier": st.sampled_from(["auto", "priority"]),
        "temperature": st.floats(0, 2),
    },
)
ceilings = st.builds(
    Ceilings,
    max_tokens=st.none() | st.integers(1, 10_000),
    n=st.none() | st.just(1),
    reasoning_effort=st.none() | st.sampled_from(EFFORTS),
    thinking_budget=st.none() | st.integers(0, 10_000),
    tools=st.none() | st.sampled_from([(), ("f",), ("*_1", "g")]),
    web_search=st.booleans(),
    service_tier=st.none() | st.just(("auto",)),
    temperature=st.none() | st.just((0.2, 1.0)),
)


@given(bodies, ceilings, st.sampled_from(["chat", "messages"]))
def test_what_is_forwarded_keeps_within_the_ceilings(body, ceilings, endpoint):
    after = lowered(body, ceilings, endpoint)
    call = Call(endpoint, "m", parameters=read_parameters(after, 0))
    assert excesses(ceilings, call) == ()
    assert lowered(after, ceilings, endpoint) == after
