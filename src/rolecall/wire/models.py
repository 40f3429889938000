"""Lists of models in the format that the caller speaks.

OpenAI: https://platform.openai.com/docs/api-reference/models.
Anthropic: https://docs.claude.com/en/api/models-list.
"""

from collections.abc import Sequence
from typing import Any

from rolecall.wire.errors import Format

_UNKNOWN_TIME = "1970-01-01T00:00:00Z"


def model_list(form: Format, names: Sequence[str]) -> dict[str, Any]:
    """The list of models; it is never cut into pages."""
    data = [model(form, name) for name in names]
    if form == "anthropic":
        return {
            "data": data,
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }
    return {"object": "list", "data": data}


def model(form: Format, name: str) -> dict[str, Any]:
    """One model. When it was made is not known here, and both formats demand a time."""
    if form == "anthropic":
        return {"type": "model", "id": name, "display_name": name, "created_at": _UNKNOWN_TIME}
    return {"id": name, "object": "model", "created": 0, "owned_by": "rolecall"}
