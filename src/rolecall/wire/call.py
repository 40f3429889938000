"""A body becomes a call: parsed once, strictly, and nothing in it may steer the gateway."""

from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from rolecall.core import Call, Reason, Refusal
from rolecall.wire import strict_json

MAX_MODEL_NAME: Final = 256
MAX_QUERY: Final = 4096

STEERING: Final = frozenset(
    {
        "api_base",
        "api_key",
        "api_version",
        "base_url",
        "context_window_fallback_dict",
        "custom_llm_provider",
        "default_headers",
        "deployment",
        "deployment_id",
        "engine",
        "extra_body",
        "extra_headers",
        "extra_query",
        "fallback_models",
        "fallbacks",
        "inference_profile",
        "mock_response",
        "model_id",
        "model_list",
        "modelid",
        "models",
        "organization",
        "route",
        "router",
        "user_config",
    }
)
"""Names that choose a model, an upstream or a key by another way than ``model``."""

_STEERING_PREFIXES: Final = ("litellm_", "aws_", "azure_", "vertex_")
_CREDENTIALS: Final = frozenset({"access_token", "token", "key", "authorization", "x_api_key"})


def parse_call(endpoint: str, body: bytes) -> tuple[Call, dict[str, Any]]:
    """Read the body of a call.

    Args:
        endpoint: the endpoint's name.
        body: the whole body, JSON.

    Returns:
        The call, and the parsed body that is to be forwarded.

    Raises:
        Refusal: ``invalid_request``, ``duplicate_key`` or ``model_missing``.
    """
    value = strict_json.loads(body)
    if not isinstance(value, dict):
        raise Refusal(Reason.INVALID_REQUEST, "The body must be a JSON object.")
    for name in value:
        if name not in _USUAL:
            _check_name(name)
    _check_tools(value.get("tools"))
    stream = value.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise Refusal(Reason.INVALID_REQUEST, "stream must be true, false or null.", param="stream")
    return _call(endpoint, _model(value), bool(stream)), value


@lru_cache(maxsize=1024)
def _call(endpoint: str, model: str, stream: bool) -> Call:  # noqa: FBT001 - once for each of them
    return Call(endpoint, model, stream)


def check_query(query: bytes) -> None:
    """Refuse a query that names a model, a credential, or anything that steers the gateway.

    Raises:
        Refusal: ``invalid_request``.
    """
    if len(query) > MAX_QUERY:
        raise Refusal(Reason.INVALID_REQUEST, f"The query is longer than {MAX_QUERY} bytes.")
    for raw, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace"):
        name = _folded(raw)
        if name == "model":
            raise Refusal(
                Reason.INVALID_REQUEST,
                "The model is named in the body, never in the query.",
                param="model",
            )
        if name in _CREDENTIALS:
            raise Refusal(
                Reason.INVALID_REQUEST,
                f"Credentials are not read from the query ({name}); send the token in the"
                " Authorization header.",
                param=name,
            )
        # Azure's clients send api-version with every request; it chooses nothing of ours
        if _steers(name) and name != "api_version":
            raise _steering(name)


def _model(value: dict[str, Any]) -> str:
    model = value.get("model")
    if model is None or model == "":
        raise Refusal(
            Reason.MODEL_MISSING,
            "The body names no model; GET /v1/models lists those that you may call.",
            param="model",
        )
    if not isinstance(model, str) or len(model) > MAX_MODEL_NAME:
        raise Refusal(
            Reason.INVALID_REQUEST,
            f"model must be a string of at most {MAX_MODEL_NAME} characters.",
            param="model",
        )
    return model


def _check_name(raw: str) -> None:
    name = _folded(raw)
    if name == "model":
        # upstreams written in Go would read it as model
        raise Refusal(
            Reason.DUPLICATE_KEY,
            "A name in the body differs from model by case or spaces only; write model.",
            param="model",
        )
    if _steers(name):
        raise _steering(name)


def _check_tools(tools: Any) -> None:
    """A tool that runs a model of its own would call it unseen (a provider's advisor tool)."""
    if not isinstance(tools, list):
        return
    for index, tool in enumerate(tools):
        if isinstance(tool, dict) and any(_folded(name) == "model" for name in tool):
            raise Refusal(
                Reason.INVALID_REQUEST,
                f"tools[{index}] names a model of its own, which is not allowed here; remove it.",
                param=f"tools[{index}].model",
            )


def _folded(name: str) -> str:
    # a reader written in C stops at a NUL, and what is not seen is easily dropped
    seen = name if name.isprintable() else "".join(filter(str.isprintable, name))
    return seen.strip().casefold().replace("-", "_")


def _steers(name: str) -> bool:
    return name in STEERING or name.startswith(_STEERING_PREFIXES)


def _steering(name: str) -> Refusal:
    return Refusal(
        Reason.INVALID_REQUEST,
        f"{name} would choose a model, an upstream or a key by another way than model; remove it.",
        param=name,
    )


_USUAL: Final = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "stop",
        "stream",
        "stream_options",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)
"""Names that need no second look."""
