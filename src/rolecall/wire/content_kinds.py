"""Which kinds of content a body holds: images, audio, video, files."""

from collections.abc import Mapping
from typing import Any, Final

_TEXT: Final = frozenset(
    {
        "text",
        "input_text",
        "output_text",
        "message",
        "refusal",
        "reasoning",
        "summary_text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "function",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "server_tool_use",
        "web_search_call",
        "web_search_tool_result",
        "web_search_result",
        "search_result",
    }
)
_KIND: Final[Mapping[str, str]] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
    "video": "video",
    "video_url": "video",
    "input_video": "video",
    "document": "file",
    "file": "file",
    "input_file": "file",
    "container_upload": "file",
    # parts that name what they hold by a key alone, and messages of Ollama's
    "images": "image",
}
_SAID: Final = ("messages", "system", "input", "prompt")
_WITHIN: Final = ("content", "output")


def kinds(body: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of content besides text; a part that is not known here is its own kind."""
    found: set[str] = set()
    ahead: list[Any] = [body[name] for name in _SAID if name in body]
    while ahead:
        value = ahead.pop()
        if isinstance(value, list):
            ahead.extend(value)
        elif isinstance(value, dict):
            kind = value.get("type")
            if isinstance(kind, str) and kind not in _TEXT:
                found.add(_KIND.get(kind, kind))
            found.update(_KIND[key] for key in value if key in _KIND)
            ahead.extend(value[key] for key in _WITHIN if key in value)
    return frozenset(found)
