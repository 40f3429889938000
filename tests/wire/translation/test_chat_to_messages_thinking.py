import pytest

from rolecall.wire.translation import DEFAULT_MAX_TOKENS, DEFAULT_MAX_TOKENS_WITH_THINKING

WITHOUT = [
    "claude-3-5-haiku-20241022",
    "claude-3-5-sonnet-latest",
    "claude-3-opus-20240229",
    "claude-3-haiku@20240307",
    "anthropic.claude-3-5-haiku-20241022-v1:0",
    "claude-2.1",
    "claude-instant-1.2",
]
BUDGETED = [
    "claude-3-7-sonnet-20250219",
    "claude-sonnet-4-20250514",
    "claude-opus-4-0",
    "claude-opus-4-1-20250805",
    "claude-sonnet-4-5",
    "claude-opus-4-5-20251101",
    "claude-haiku-4-5-20251001",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
]
ADAPTIVE = [
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-opus-4-8",
    "claude-opus-4-10",
    "claude-haiku-5-5",
    "claude-opus-5",
    "claude-sonnet-40",
    "claude-fable-5-2",
    "a-model-of-tomorrow",
]
EVERY = WITHOUT + BUDGETED + ADAPTIVE
NO_THINKING = {"thinking", "output_config"}


@pytest.mark.parametrize("model", EVERY)
def test_a_caller_who_does_not_ask_gets_no_thinking(translated, model):
    request = translated(model=model)
    assert not request.keys() & NO_THINKING
    assert request["max_tokens"] == DEFAULT_MAX_TOKENS


@pytest.mark.parametrize("model", WITHOUT)
def test_a_model_that_does_not_think_refuses_effort(translated, refused, model):
    assert refused(reasoning_effort="low", model=model) == "reasoning_effort"
    assert not translated(reasoning_effort="none", model=model).keys() & NO_THINKING


@pytest.mark.parametrize("model", BUDGETED)
def test_an_older_model_gets_a_budget(translated, model):
    request = translated(reasoning_effort="medium", max_tokens=8000, model=model)
    assert request["thinking"] == {"type": "enabled", "budget_tokens": 4000}
    assert "output_config" not in request
    assert not translated(reasoning_effort="none", model=model).keys() & NO_THINKING


@pytest.mark.parametrize("model", ADAPTIVE)
def test_every_other_model_thinks_adaptively(translated, model):
    request = translated(reasoning_effort="medium", model=model)
    assert request["thinking"] == {"type": "adaptive"}
    assert request["output_config"] == {"effort": "medium"}
    assert request["max_tokens"] == DEFAULT_MAX_TOKENS_WITH_THINKING
    none = translated(reasoning_effort="none", model=model)
    assert none["thinking"] == {"type": "disabled"}
    assert none["max_tokens"] == DEFAULT_MAX_TOKENS


@pytest.mark.parametrize(
    ("asked", "effort"),
    [
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "xhigh"),
        ("max", "max"),
    ],
)
def test_every_effort_has_its_counterpart(translated, asked, effort):
    request = translated(reasoning_effort=asked, model="claude-opus-5")
    assert request["output_config"] == {"effort": effort}


@pytest.mark.parametrize(
    ("effort", "limit", "budget"),
    [
        ("minimal", 2000, 1024),
        ("low", None, 3200),
        ("high", None, 12_800),
        ("xhigh", 2000, 1800),
        ("max", 1025, 1024),
        ("max", 64_000, 32_000),
        ("high", 10**400, 32_000),
    ],
)
def test_a_budget_leaves_room_for_the_answer(translated, effort, limit, budget):
    request = translated(reasoning_effort=effort, max_tokens=limit, model="claude-sonnet-4-5")
    assert request["thinking"]["budget_tokens"] == budget
    assert budget < request["max_tokens"]


TOOLS = [{"type": "function", "function": {"name": "f"}}]
BESIDE_A_BUDGET = {
    "a temperature": ({"temperature": 0.5}, "temperature"),
    "a top_p": ({"top_p": 0.9}, "top_p"),
    "a forced tool": ({"tools": TOOLS, "tool_choice": "required"}, "tool_choice"),
    "a named tool": (
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "f"}}},
        "tool_choice",
    ),
    "too few tokens": ({"max_tokens": 1024}, "reasoning_effort"),
    "a thinking of Anthropic's": ({"thinking": {"type": "enabled"}}, "thinking"),
}


@pytest.mark.parametrize(("fields", "path"), BESIDE_A_BUDGET.values(), ids=BESIDE_A_BUDGET)
def test_what_does_not_go_with_a_budget_is_refused(refused, fields, path):
    assert refused(fields, reasoning_effort="low", model="claude-sonnet-4-5") == path


@pytest.mark.parametrize(
    "fields", [{"temperature": 1}, {"top_p": 0.95}, {"tools": TOOLS, "tool_choice": "auto"}]
)
def test_what_goes_with_a_budget_passes(translated, fields):
    request = translated(fields, reasoning_effort="low", model="claude-sonnet-4-5")
    assert request["thinking"]["type"] == "enabled"


@pytest.mark.parametrize("effort", ["HIGH", "", 1, True, ["low"], {}])
def test_an_effort_that_openai_does_not_know_is_refused(refused, effort):
    assert refused(reasoning_effort=effort, model="claude-opus-5") == "reasoning_effort"


HI = {"role": "user", "content": "hi"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}
THOUGHT = [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]
LOOPS = {
    "the thoughts are not handed back": (
        [HI, {"role": "assistant", "tool_calls": [CALL]}, RESULT],
        False,
    ),
    "a remark beside the result is the same turn": (
        [HI, {"role": "assistant", "tool_calls": [CALL]}, RESULT, HI],
        False,
    ),
    "the thoughts are handed back": (
        [HI, {"role": "assistant", "tool_calls": [CALL], "thinking_blocks": THOUGHT}, RESULT],
        True,
    ),
    "the loop is over": (
        [
            HI,
            {"role": "assistant", "tool_calls": [CALL]},
            RESULT,
            {"role": "assistant", "content": "1"},
            HI,
        ],
        True,
    ),
    "nothing came before": ([RESULT], True),
}


@pytest.mark.parametrize(("messages", "thinks"), LOOPS.values(), ids=LOOPS)
def test_a_budget_rests_in_a_loop_whose_thoughts_are_lost(translated, messages, thinks):
    fields = {"messages": messages, "tools": TOOLS, "reasoning_effort": "low"}
    assert ("thinking" in translated(fields, model="claude-sonnet-4-5")) is thinks
    assert "thinking" in translated(fields, model="claude-opus-5")
