"""Every spelling of what a body asks for becomes one value; what cannot be read is refused."""

import math

import pytest

from rolecall.core import Parameters, Reason, Refusal
from rolecall.wire import read_parameters

READ = {
    "nothing": ({}, Parameters()),
    "max_tokens": ({"max_tokens": 5}, Parameters(max_tokens=5)),
    "max_completion_tokens": ({"max_completion_tokens": 5}, Parameters(max_tokens=5)),
    "max_output_tokens": ({"max_output_tokens": 5}, Parameters(max_tokens=5)),
    "max_tokens_to_sample": ({"max_tokens_to_sample": 5}, Parameters(max_tokens=5)),
    "llama.cpp's n_predict": ({"n_predict": 5}, Parameters(max_tokens=5)),
    "the most of several": (
        {"max_tokens": 5, "max_completion_tokens": 9, "num_predict": 7},
        Parameters(max_tokens=9),
    ),
    "null is not said": ({"max_tokens": None, "n": None}, Parameters()),
    "n": ({"n": 3}, Parameters(n=3)),
    "best_of": ({"n": 1, "best_of": 4}, Parameters(n=4)),
    "effort": ({"reasoning_effort": "high"}, Parameters(reasoning_effort="high")),
    "effort of Responses": (
        {"reasoning": {"effort": "low"}},
        Parameters(reasoning_effort="low"),
    ),
    "effort of Anthropic's": (
        {"output_config": {"effort": "max"}},
        Parameters(reasoning_effort="max"),
    ),
    "the most of two efforts": (
        {"reasoning_effort": "low", "reasoning": {"effort": "medium"}},
        Parameters(reasoning_effort="medium"),
    ),
    "an effort that is not known is above all": (
        {"reasoning_effort": "max", "reasoning": {"effort": "ultra"}},
        Parameters(reasoning_effort="ultra"),
    ),
    "a budget of thinking is an effort": (
        {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        Parameters(thinking_budget=2048, reasoning_effort="medium"),
    ),
    "a great budget outdoes a small effort": (
        {"thinking": {"type": "enabled", "budget_tokens": 9000}, "reasoning_effort": "low"},
        Parameters(thinking_budget=9000, reasoning_effort="high"),
    ),
    "adaptive thinking has no bound": (
        {"thinking": {"type": "adaptive"}},
        Parameters(thinking_budget=math.inf, reasoning_effort="high"),
    ),
    "adaptive thinking is steered by its effort": (
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        Parameters(thinking_budget=math.inf, reasoning_effort="low"),
    ),
    "thinking of a type that is not known has no bound": (
        {"thinking": {"type": "deep"}},
        Parameters(thinking_budget=math.inf, reasoning_effort="high"),
    ),
    "no thinking": ({"thinking": {"type": "disabled"}}, Parameters()),
    "functions": (
        {"tools": [{"type": "function", "function": {"name": "f"}}, {"name": "g"}]},
        Parameters(tools=("f", "g")),
    ),
    "functions of Responses": (
        {"tools": [{"type": "function", "name": "f"}]},
        Parameters(tools=("f",)),
    ),
    "functions as they once were": ({"functions": [{"name": "f"}]}, Parameters(tools=("f",))),
    "a tool that the upstream runs goes by its type": (
        {"tools": [{"type": "bash_20250124", "name": "harmless"}]},
        Parameters(tools=("bash_20250124",)),
    ),
    "a search goes by its type and is a search": (
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        Parameters(tools=("web_search_20250305",), web_search=True),
    ),
    "a search without a tool": ({"web_search_options": {}}, Parameters(web_search=True)),
    "servers of tools": (
        {"mcp_servers": [{"type": "url", "url": "https://x.example", "name": "x"}]},
        Parameters(tools=("mcp:x",)),
    ),
    "tier": ({"service_tier": "priority"}, Parameters(service_tier="priority")),
    "temperature": ({"temperature": 1}, Parameters(temperature=1.0)),
}
REFUSED = {
    "a number in quotes": {"max_tokens": "5"},
    "a fraction": {"max_tokens": 5.5},
    "a large float": {"max_tokens": 1e9},
    "true": {"max_tokens": True},
    "below zero": {"n": -1},
    "a list": {"reasoning_effort": ["low"]},
    "thinking that is no object": {"thinking": "adaptive"},
    "a budget in quotes": {"thinking": {"type": "enabled", "budget_tokens": "9"}},
    "tools that are no list": {"tools": {"name": "f"}},
    "a tool that is no object": {"tools": ["f"]},
    "a tool without a name": {"tools": [{"type": "function", "function": {}}]},
    "a name in capitals": {"Max_Tokens": 5},
    "a name in camel case": {"maxTokens": 5},
    "a name with hyphens": {"max-tokens": 5},
    "a name with a space": {" max_tokens": 5},
    "Gemini's configuration": {"generationConfig": {"maxOutputTokens": 5}},
    "Ollama's options": {"options": {"num_predict": 5}},
    "what a template is told": {"chat_template_kwargs": {"enable_thinking": True}},
    "Qwen's switch": {"enable_thinking": True},
    "a tier that is no word": {"service_tier": 1},
    "a temperature in quotes": {"temperature": "1"},
}


@pytest.mark.parametrize(("body", "parameters"), READ.values(), ids=READ)
def test_each_spelling_is_read(body, parameters):
    assert read_parameters(body, 0) == parameters


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_an_upstream_might_read_otherwise_is_refused(body):
    with pytest.raises(Refusal) as caught:
        read_parameters(body, 0)
    assert caught.value.reason is Reason.INVALID_REQUEST
    assert caught.value.param == next(iter(body)) or caught.value.param == "budget_tokens"


@pytest.mark.parametrize("body", [{"top_k": 5}, {"metadata": {"max_tokens": 9}}, {"N": None}])
def test_other_names_are_left_alone(body):
    if "N" in body:
        with pytest.raises(Refusal):
            read_parameters(body, 0)
    else:
        assert read_parameters(body, 0) == Parameters()


def test_the_size_is_the_body_s():
    assert read_parameters({}, 812).size == 812
