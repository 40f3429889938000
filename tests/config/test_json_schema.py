"""The JSON Schema that editors use says what is read here, and what each key means."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from rolecall.config import json_schema
from rolecall.config.document import Document, parse

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    "config": json_schema.config_schema(),
    "included": json_schema.included_schema(),
    "cases": json_schema.case_schema(),
}
CASES = sorted((ROOT / "tests" / "cases").glob("*.yaml"))


def data(text):
    return parse(text, Document("x.yaml")).data


CONFIGS = {
    **{
        str(path.relative_to(ROOT)): data(path.read_text())
        for path in sorted((ROOT / "examples").rglob("*.yaml"))
        if "cases" not in path.name
    },
    **{
        path.name: data(content["config"])
        for path in CASES
        if "\n" in (content := yaml.safe_load(path.read_text()))["config"]
    },
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_it_is_a_schema(schema):
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_configurations_fit_it(config):
    Draft202012Validator(SCHEMAS["config"]).validate(config)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_case_files_fit_it(path):
    Draft202012Validator(SCHEMAS["cases"]).validate(data(path.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "zzz: 1",
        "rules: [{allow: [r], modles: [a]}]",
        "rules: [{allow: [r], models: a}]",
        "rules: [{allow: [r], models: [{lst: a}]}]",
        "rules: [{allow: [r], models: [a], ceilings: {reasoning_effort: huge}}]",
        "issuers: [{issuer: 'https://x.example', audience: [gw], leeway: much}]",
    ],
)
def test_what_is_not_read_does_not_fit(text):
    assert not Draft202012Validator(SCHEMAS["config"]).is_valid(data(text))


def test_what_keys_mean_is_what_the_documentation_says():
    told = {}
    for page in ("policy.md", "configuration.md"):
        told |= json_schema.documented((ROOT / "docs" / page).read_text())
    kept = json.loads((ROOT / "src" / "rolecall" / "config" / "descriptions.json").read_text())
    assert kept == told, "write told to descriptions.json (json.dumps, indent=1, sort_keys=True)"


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_key_says_what_it_means(schema):
    sections = {"": schema, **schema["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, node in section.get("properties", {}).items()
        # what is one section is described there
        if not node.get("description") and "$ref" not in node
    ]
    assert silent == [], "add them to a table of docs/configuration.md"


@pytest.mark.parametrize("what", SCHEMAS)
def test_the_published_schema_is_the_one_that_is_made(what):
    published = json.loads((ROOT / "docs" / "schema" / f"{what}.json").read_text())
    assert published == SCHEMAS[what], f"rolecall schema --of {what} > docs/schema/{what}.json"
