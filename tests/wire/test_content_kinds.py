import pytest

from rolecall.wire.content_kinds import kinds

IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


def user(*parts):
    return {"messages": [{"role": "user", "content": list(parts)}]}


BODIES = {
    "text in a string": ({"messages": [{"role": "user", "content": "a"}]}, set()),
    "text in parts": (user({"type": "text", "text": "image_url"}), set()),
    "OpenAI's image": (user(IMAGE), {"image"}),
    "Anthropic's image": (user({"type": "image", "source": {}}), {"image"}),
    "Anthropic's document": (user({"type": "document", "source": {}}), {"file"}),
    "OpenAI's audio": (user({"type": "input_audio", "input_audio": {}}), {"audio"}),
    "OpenAI's file": (user({"type": "file", "file": {}}), {"file"}),
    "a part that names its kind by a key alone": (user({"image_url": "data:,"}), {"image"}),
    "a part that lies about its type": (user({**IMAGE, "type": "text"}), {"image"}),
    "Ollama's images": ({"messages": [{"content": "a", "images": ["aGk="]}]}, {"image"}),
    "a part that is not known": (user({"type": "hologram"}), {"hologram"}),
    "an image within a tool's result": (
        user({"type": "tool_result", "content": [{"type": "text"}, {"type": "image"}]}),
        {"image"},
    ),
    "a tool's input is not content": (
        user({"type": "tool_use", "input": {"type": "image", "content": [IMAGE]}}),
        set(),
    ),
    "Responses": (
        {"input": [{"type": "message", "content": [{"type": "input_image"}]}]},
        {"image"},
    ),
    "a function's output": (
        {"input": [{"type": "function_call_output", "output": [{"type": "input_file"}]}]},
        {"file"},
    ),
    "the system's blocks": ({"system": [{"type": "document"}]}, {"file"}),
    "several": (user(IMAGE, {"type": "video"}), {"image", "video"}),
    "nothing at all": ({}, set()),
}


@pytest.mark.parametrize(("body", "found"), BODIES.values(), ids=BODIES)
def test_the_kinds_of_content_are_found(body, found):
    assert kinds(body) == found
