"""``response_format`` of Chat Completions as Anthropic's structured output.

Source: Anthropic's "Structured outputs": ``output_config.format`` holds a schema, whose objects
must all say ``additionalProperties: false``. There is no mode for JSON without a schema.
"""

from typing import Any, Final

from rolecall.wire.translation.fields import a_string, an_object, invalid

_SCHEMAS_BY_NAME: Final = ("properties", "$defs", "definitions", "patternProperties")
_SCHEMA_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")


def output_format(value: Any) -> dict[str, Any] | None:
    """The value of ``output_config.format``; None for plain text.

    Raises:
        Refusal: for JSON without a schema, and for a format that is unknown.
    """
    if value is None:
        return None
    kind = an_object(value, "response_format").get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        raise invalid(
            "response_format.type",
            "This model cannot be held to JSON without a schema; use type json_schema.",
        )
    if kind != "json_schema":
        raise invalid("response_format.type", "response_format.type must be text or json_schema.")
    path = "response_format.json_schema"
    wanted = an_object(value.get("json_schema"), path)
    schema = _closed(an_object(wanted.get("schema"), f"{path}.schema"))
    if wanted.get("description") is not None and "description" not in schema:
        schema["description"] = a_string(wanted["description"], f"{path}.description")
    return {"type": "json_schema", "schema": schema}


def _closed(schema: Any) -> Any:
    """A copy whose objects are closed where they say nothing.

    What fits the closed schema fits the caller's too, so that nothing wrong is promised.
    """
    if not isinstance(schema, dict):
        return schema
    copy = dict(schema)
    if copy.get("type") == "object" or "properties" in copy:
        copy.setdefault("additionalProperties", False)
    for name in _SCHEMAS_BY_NAME:
        if isinstance(copy.get(name), dict):
            copy[name] = {key: _closed(below) for key, below in copy[name].items()}
    for name in _SCHEMA_LISTS:
        if isinstance(copy.get(name), list):
            copy[name] = [_closed(below) for below in copy[name]]
    if "items" in copy:
        copy["items"] = _closed(copy["items"])
    return copy
