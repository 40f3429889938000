import pytest

from rolecall.wire import strict_json

HI = {"role": "user", "content": "hi"}
EPHEMERAL = {"type": "ephemeral"}


def text(words, **more):
    return {"type": "text", "text": words, **more}


def call(arguments, *, id="call_1", name="get_weather", **more):  # noqa: A002
    function = {"name": name, "arguments": arguments}
    return {"id": id, "type": "function", "function": function, **more}


def use(value, *, id="call_1", name="get_weather", **more):  # noqa: A002
    return {"type": "tool_use", "id": id, "name": name, "input": value, **more}


def result(content, *, id="call_1", **more):  # noqa: A002
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def test_system_and_developer_messages_go_to_the_system_prompt_in_order(translated):
    request = translated(
        messages=[
            {"role": "system", "content": "a"},
            {"role": "developer", "content": [text("b"), text("c", cache_control=EPHEMERAL)]},
            HI,
            {"role": "assistant", "content": "hello"},
            {"role": "system", "content": "d"},
            {"role": "user", "content": "bye"},
        ]
    )
    assert request["system"] == [
        text("a"),
        text("b"),
        text("c", cache_control=EPHEMERAL),
        text("d"),
    ]
    assert request["messages"] == [
        {"role": "user", "content": [text("hi")]},
        {"role": "assistant", "content": [text("hello")]},
        {"role": "user", "content": [text("bye")]},
    ]


def test_without_a_system_message_there_is_no_system_prompt(translated):
    assert "system" not in translated(messages=[HI])
    assert "system" not in translated(messages=[{"role": "system", "content": ""}, HI])


ASSISTANTS = {
    "content is null beside a call": (
        {"content": None, "refusal": None, "tool_calls": [call('{"city":"Paris"}')]},
        [use({"city": "Paris"})],
    ),
    "content is absent beside a call": (
        {"provider_specific_fields": {"refusal": None}, "tool_calls": [call('{"city": "Paris"}')]},
        [use({"city": "Paris"})],
    ),
    "words before a call": (
        {"content": "Let me see.", "tool_calls": [call("{}")]},
        [text("Let me see."), use({})],
    ),
    "parallel calls": (
        {"content": "", "tool_calls": [call("{}", id="a"), call("{}", id="b", name="f")]},
        [use({}, id="a"), use({}, id="b", name="f")],
    ),
    "arguments that are empty": ({"tool_calls": [call("")]}, [use({})]),
    "arguments that are white space": ({"tool_calls": [call(" \n")]}, [use({})]),
    "a refusal": ({"content": None, "refusal": "No."}, [text("No.")]),
    "a refusal as a part": (
        {"content": [text("Hm."), {"type": "refusal", "refusal": "No."}]},
        [text("Hm."), text("No.")],
    ),
    "a cache mark on the message": (
        {"content": [text("a"), text("b")], "cache_control": EPHEMERAL},
        [text("a"), text("b", cache_control=EPHEMERAL)],
    ),
    "a cache mark on a call": (
        {"tool_calls": [call("{}", cache_control=EPHEMERAL)]},
        [use({}, cache_control=EPHEMERAL)],
    ),
    "signed thoughts": (
        {
            "reasoning_content": "Hm.",
            "thinking_blocks": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln", "index": 0},
                {"type": "redacted_thinking", "data": "eHg="},
            ],
            "tool_calls": [call("{}")],
        },
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "eHg="},
            use({}),
        ],
    ),
    "thoughts that nobody signed": ({"content": "a", "reasoning_content": "Hm."}, [text("a")]),
    "nulls for what is not there": (
        {"content": "a", "function_call": None, "audio": None, "tool_calls": None},
        [text("a")],
    ),
}


@pytest.mark.parametrize(("message", "blocks"), ASSISTANTS.values(), ids=ASSISTANTS)
def test_an_assistants_message_becomes_a_turn(translated, message, blocks):
    request = translated(messages=[HI, {"role": "assistant", **message}])
    assert request["messages"][1] == {"role": "assistant", "content": blocks}


def test_an_assistant_who_said_nothing_adds_no_turn(translated):
    request = translated(messages=[HI, {"role": "assistant", "content": ""}, HI])
    assert [turn["role"] for turn in request["messages"]] == ["user", "user"]


@pytest.mark.parametrize("number", ["0.2", "1.0", "12345678901234567890123", "-0.0", "1e3"])
def test_numbers_of_arguments_keep_their_value(translated, number):
    request = translated(
        messages=[HI, {"role": "assistant", "tool_calls": [call(f'{{"n":{number}}}')]}]
    )
    written = strict_json.dumps(request["messages"][1]["content"][0]["input"])
    assert repr(strict_json.loads(written)["n"]) == repr(strict_json.loads(number.encode()))


def test_consecutive_tool_messages_are_one_turn(translated):
    request = translated(
        messages=[
            HI,
            {
                "role": "assistant",
                "tool_calls": [call("{}", id="a"), call("{}", id="b"), call("{}", id="c")],
            },
            {"role": "tool", "tool_call_id": "a", "name": "get_weather", "content": "21C"},
            {"role": "tool", "tool_call_id": "b", "content": [text("x"), text("y")]},
            {"role": "developer", "content": "be brief"},
            {"role": "tool", "tool_call_id": "c", "content": "", "cache_control": EPHEMERAL},
            {"role": "user", "content": "and?"},
        ]
    )
    silent = {"type": "tool_result", "tool_use_id": "c", "cache_control": EPHEMERAL}
    assert request["messages"][2:] == [
        {
            "role": "user",
            "content": [result("21C", id="a"), result([text("x"), text("y")], id="b"), silent],
        },
        {"role": "user", "content": [text("and?")]},
    ]


def test_results_of_two_turns_stay_two_turns(translated):
    turn = [
        {"role": "assistant", "tool_calls": [call("{}")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
    ]
    roles = [turn["role"] for turn in translated(messages=[HI, *turn, *turn])["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_a_tool_may_answer_with_an_image(translated):
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    messages = [HI, {"role": "tool", "tool_call_id": "call_1", "content": [image]}]
    block = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}
    assert translated(messages=messages)["messages"][1]["content"] == [result([block])]


def assistant(**fields):
    return [HI, {"role": "assistant", **fields}]


def tool(**fields):
    return [HI, {"role": "tool", **fields}]


REFUSED = {
    "no messages": (None, "messages"),
    "messages that are no array": ({}, "messages"),
    "an empty conversation": ([], "messages"),
    "only a system message": ([{"role": "system", "content": "a"}], "messages"),
    "a message that is no object": (["hi"], "messages[0]"),
    "no role": ([{"content": "hi"}], "messages[0].role"),
    "an unknown role": ([{"role": "root", "content": "hi"}], "messages[0].role"),
    "a role that is no string": ([{"role": ["user"]}], "messages[0].role"),
    "the old function role": (
        [{"role": "function", "name": "f", "content": ""}],
        "messages[0].role",
    ),
    "a user without content": ([{"role": "user"}], "messages[0].content"),
    "a user who says nothing": ([{"role": "user", "content": ""}], "messages[0].content"),
    "content of another type": ([{"role": "user", "content": 1}], "messages[0].content"),
    "a system message with an image": (
        [{"role": "system", "content": [{"type": "image_url", "image_url": {}}]}],
        "messages[0].content[0].type",
    ),
    "an old function call": (
        assistant(function_call={"name": "f", "arguments": "{}"}),
        "messages[1].function_call",
    ),
    "audio of the assistant": (assistant(audio={"id": "a"}), "messages[1].audio"),
    "a refusal that is no string": (assistant(refusal=1), "messages[1].refusal"),
    "calls that are no array": (assistant(tool_calls={}), "messages[1].tool_calls"),
    "a call that is no object": (assistant(tool_calls=[1]), "messages[1].tool_calls[0]"),
    "a call of another type": (
        assistant(tool_calls=[call("{}", type="custom")]),
        "messages[1].tool_calls[0].type",
    ),
    "a call without an ID": (
        assistant(tool_calls=[call("{}", id="")]),
        "messages[1].tool_calls[0].id",
    ),
    "a call without a function": (
        assistant(tool_calls=[{"id": "a", "type": "function"}]),
        "messages[1].tool_calls[0].function",
    ),
    "a call without a name": (
        assistant(tool_calls=[call("{}", name=None)]),
        "messages[1].tool_calls[0].function.name",
    ),
    "arguments that are no string": (
        assistant(tool_calls=[call({})]),
        "messages[1].tool_calls[0].function.arguments",
    ),
    "arguments that are no JSON": (
        assistant(tool_calls=[call("{")]),
        "messages[1].tool_calls[0].function.arguments",
    ),
    "arguments with a name twice": (
        assistant(tool_calls=[call('{"a":1,"a":2}')]),
        "messages[1].tool_calls[0].function.arguments",
    ),
    "arguments that are no object": (
        assistant(tool_calls=[call("[]")]),
        "messages[1].tool_calls[0].function.arguments",
    ),
    "thoughts that are no array": (assistant(thinking_blocks="Hm."), "messages[1].thinking_blocks"),
    "a thought of another type": (
        assistant(thinking_blocks=[{"type": "text"}]),
        "messages[1].thinking_blocks[0].type",
    ),
    "a thought without a signature": (
        assistant(thinking_blocks=[{"type": "thinking", "thinking": "Hm."}]),
        "messages[1].thinking_blocks[0].signature",
    ),
    "a result for no call": (tool(content="21C"), "messages[1].tool_call_id"),
    "a result without content": (tool(tool_call_id="a"), "messages[1].content"),
    "a cache mark that is no object": (
        [{"role": "user", "content": "hi", "cache_control": 1}],
        "messages[0].cache_control",
    ),
}


@pytest.mark.parametrize(("messages", "path"), REFUSED.values(), ids=REFUSED)
def test_a_message_that_cannot_be_sent_is_refused_by_its_path(refused, messages, path):
    assert refused(messages=messages) == path
