import pytest

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def function(**fields):
    return {"type": "function", "function": {"name": "f", **fields}}


TOOLS = {
    "a schema is kept whole": (
        function(description="w", parameters=SCHEMA),
        {"name": "f", "description": "w", "input_schema": SCHEMA},
    ),
    "no parameters": (
        function(),
        {"name": "f", "input_schema": {"type": "object", "properties": {}}},
    ),
    "nulls for what is not there": (
        function(description=None, parameters=None, strict=None),
        {"name": "f", "input_schema": {"type": "object", "properties": {}}},
    ),
    "a schema that does not say it is an object": (
        function(parameters={"properties": {"a": {}}}),
        {"name": "f", "input_schema": {"type": "object", "properties": {"a": {}}}},
    ),
    "a strict one": (
        function(parameters=SCHEMA, strict=True),
        {"name": "f", "input_schema": SCHEMA, "strict": True},
    ),
    "one that is not strict": (
        function(parameters=SCHEMA, strict=False),
        {"name": "f", "input_schema": SCHEMA},
    ),
    "a cache mark on the tool": (
        {**function(parameters=SCHEMA), "cache_control": {"type": "ephemeral"}},
        {"name": "f", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
    ),
    "a cache mark on the function": (
        function(parameters=SCHEMA, cache_control={"type": "ephemeral"}),
        {"name": "f", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
    ),
}


@pytest.mark.parametrize(("tool", "wanted"), TOOLS.values(), ids=TOOLS)
def test_a_function_becomes_a_tool(translated, tool, wanted):
    assert translated(tools=[tool])["tools"] == [wanted]


NAMED = {"type": "function", "function": {"name": "f"}}
CHOICES = [
    ({}, None),
    ({"tool_choice": None}, None),
    ({"tool_choice": "auto"}, {"type": "auto"}),
    ({"tool_choice": "none"}, {"type": "none"}),
    ({"tool_choice": "required"}, {"type": "any"}),
    ({"tool_choice": NAMED}, {"type": "tool", "name": "f"}),
    ({"parallel_tool_calls": True}, None),
    ({"parallel_tool_calls": None}, None),
    ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
    (
        {"parallel_tool_calls": False, "tool_choice": "required"},
        {"type": "any", "disable_parallel_tool_use": True},
    ),
    (
        {"parallel_tool_calls": False, "tool_choice": NAMED},
        {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    ),
    ({"parallel_tool_calls": False, "tool_choice": "none"}, {"type": "none"}),
]


@pytest.mark.parametrize(("fields", "choice"), CHOICES)
def test_a_choice_is_translated(translated, fields, choice):
    assert translated(tools=[function()], **fields).get("tool_choice") == choice


@pytest.mark.parametrize("tools", [None, []])
@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_without_tools_there_is_nothing_to_choose(translated, tools, choice):
    request = translated(tools=tools, tool_choice=choice, parallel_tool_calls=False)
    assert not request.keys() & {"tools", "tool_choice"}


REFUSED = {
    "tools that are no array": ({"tools": {}}, "tools"),
    "a tool that is no object": ({"tools": ["f"]}, "tools[0]"),
    "a custom tool": ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
    "a hosted tool": ({"tools": [function(), {"type": "web_search"}]}, "tools[1].type"),
    "a tool without a function": ({"tools": [{"type": "function"}]}, "tools[0].function"),
    "a function without a name": ({"tools": [function(name="")]}, "tools[0].function.name"),
    "a description that is no string": (
        {"tools": [function(description=1)]},
        "tools[0].function.description",
    ),
    "parameters that are no object": (
        {"tools": [function(parameters=[])]},
        "tools[0].function.parameters",
    ),
    "strict that is no boolean": ({"tools": [function(strict=1)]}, "tools[0].function.strict"),
    "a cache mark that is no object": (
        {"tools": [{**function(), "cache_control": 1}]},
        "tools[0].cache_control",
    ),
    "an unknown choice": ({"tools": [function()], "tool_choice": "any"}, "tool_choice"),
    "a choice of another type": ({"tools": [function()], "tool_choice": 1}, "tool_choice"),
    "a choice among some": (
        {"tools": [function()], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}},
        "tool_choice.type",
    ),
    "a choice without a function": (
        {"tools": [function()], "tool_choice": {"type": "function"}},
        "tool_choice.function",
    ),
    "a choice without a name": (
        {"tools": [function()], "tool_choice": {"type": "function", "function": {}}},
        "tool_choice.function.name",
    ),
    "required where there is nothing": ({"tool_choice": "required"}, "tool_choice"),
    "a name where there is nothing": ({"tools": [], "tool_choice": NAMED}, "tool_choice"),
    "parallel that is no boolean": ({"parallel_tool_calls": 0}, "parallel_tool_calls"),
}


@pytest.mark.parametrize(("fields", "path"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_expressed_is_refused_by_its_path(refused, fields, path):
    assert refused(fields) == path
