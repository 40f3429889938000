from copy import deepcopy

import pytest


def json_schema(schema, **more):
    return {"type": "json_schema", "json_schema": {"name": "W", "schema": schema, **more}}


def closed(properties, **more):
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


SCHEMAS = {
    "a closed schema is kept": (
        closed({"a": {"type": "string"}}),
        closed({"a": {"type": "string"}}),
    ),
    "an open object is closed": (
        {"type": "object", "properties": {"type": {"type": "object", "properties": {}}}},
        closed({"type": closed({})}),
    ),
    "objects below are closed": (
        {
            "$defs": {"D": {"type": "object"}},
            "anyOf": [{"type": "object"}, {"$ref": "#/$defs/D"}, {"type": "null"}],
            "items": {"type": "object"},
            "prefixItems": [{"type": "object"}, True],
        },
        {
            "$defs": {"D": {"type": "object", "additionalProperties": False}},
            "anyOf": [
                {"type": "object", "additionalProperties": False},
                {"$ref": "#/$defs/D"},
                {"type": "null"},
            ],
            "items": {"type": "object", "additionalProperties": False},
            "prefixItems": [{"type": "object", "additionalProperties": False}, True],
        },
    ),
    "what the caller says of more properties is kept": (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ),
    "data that look like a schema are no schema": (
        closed({}, const={"type": "object"}, enum=[{"type": "object"}]),
        closed({}, const={"type": "object"}, enum=[{"type": "object"}]),
    ),
}


@pytest.mark.parametrize(("schema", "wanted"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_becomes_structured_output(translated, schema, wanted):
    sent = deepcopy(schema)
    request = translated(response_format=json_schema(schema, strict=True))
    assert request["output_config"] == {"format": {"type": "json_schema", "schema": wanted}}
    assert schema == sent


def test_the_description_goes_into_a_schema_that_has_none(translated):
    request = translated(response_format=json_schema(closed({}), description="a city"))
    assert request["output_config"]["format"]["schema"] == closed({}, description="a city")
    kept = closed({}, description="mine")
    request = translated(response_format=json_schema(kept, description="a city"))
    assert request["output_config"]["format"]["schema"] == kept


@pytest.mark.parametrize("value", [None, {"type": "text"}])
def test_text_is_what_comes_anyway(translated, value):
    assert "output_config" not in translated(response_format=value)


def test_a_schema_and_an_effort_stand_side_by_side(translated):
    request = translated(
        response_format=json_schema(closed({})), reasoning_effort="low", model="claude-opus-5"
    )
    assert request["output_config"].keys() == {"effort", "format"}


REFUSED = {
    "no object": ("json", "response_format"),
    "JSON without a schema": ({"type": "json_object"}, "response_format.type"),
    "an unknown type": ({"type": "grammar"}, "response_format.type"),
    "no type": ({}, "response_format.type"),
    "no name and schema": ({"type": "json_schema"}, "response_format.json_schema"),
    "no schema": (
        {"type": "json_schema", "json_schema": {"name": "W"}},
        "response_format.json_schema.schema",
    ),
    "a description that is no string": (
        json_schema({}, description=1),
        "response_format.json_schema.description",
    ),
}


@pytest.mark.parametrize(("value", "path"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_held_to_is_refused(refused, value, path):
    assert refused(response_format=value) == path
