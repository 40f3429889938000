"""The configuration and case files as JSON Schema, for editors; generated from their types.

What each key means is told by ``descriptions.json``, which is made out of ``docs/configuration.md``
and ``docs/policy.md`` (``tests/config/test_json_schema.py`` keeps them alike).
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from pydantic import BaseModel

from rolecall.config.case_schema import CaseFileSection
from rolecall.config.policy_schema import CeilingsSection, IncludedFile
from rolecall.config.schema import File

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ROW: Final = re.compile(r"^\| (?P<keys>`[^|]*`) \|(?P<cells>.*)\|$", re.MULTILINE)
_KEY: Final = re.compile(r"`([a-z0-9_.\[\]…]+)`")
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def config_schema() -> dict[str, Any]:
    """The schema of a configuration file."""
    return _schema(File, "Rolecall's configuration", _descriptions())


def included_schema() -> dict[str, Any]:
    """The schema of a file that a configuration includes."""
    return _schema(
        IncludedFile, "A file that a configuration of Rolecall's includes", _descriptions()
    )


def case_schema() -> dict[str, Any]:
    """The schema of a case file."""
    return _schema(CaseFileSection, "Policy cases of Rolecall's", _descriptions())


def documented(page: str) -> dict[str, str]:
    """What a page's tables say of keys, by the key's path without list positions.

    Of a row with several cells the last one is meant; ceilings stand in a table of their own. In a
    row of several keys those without a dot stand beside the first.
    """
    found: dict[str, str] = {}
    for row in _ROW.finditer(page):
        text = row["cells"].rpartition(" | ")[2].strip() or row["cells"].strip(" |")
        text = _LINK.sub(r"\1", text).replace("`", "").replace("\\|", "|")
        keys = _KEY.findall(row["keys"])
        beside = keys[0].rpartition(".")[0] if keys else ""
        for name in keys:
            key = f"{beside}.{name}" if beside and "." not in name else name
            place = f"rules.ceilings.{key}" if key in CeilingsSection.model_fields else key
            found.setdefault(place.replace("[]", ""), text)
    return found


def _descriptions() -> Mapping[str, str]:
    told = resources.files("rolecall.config").joinpath("descriptions.json").read_text("utf-8")
    found: Mapping[str, str] = json.loads(told)
    return found


def _schema(model: type[BaseModel], title: str, told: Mapping[str, str]) -> dict[str, Any]:
    schema = model.model_json_schema()
    _describe(schema, schema, "", told)
    return {"$schema": _DIALECT, **schema, "title": title}


def _describe(
    node: dict[str, Any], whole: dict[str, Any], path: str, told: Mapping[str, str]
) -> None:
    """Tell of every property below a node, once, what is told of its path."""
    for name, inner in node.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        inner.pop("title", None)
        if place in told:
            inner.setdefault("description", told[place])
        _below(inner, whole, place, told)


def _below(node: dict[str, Any], whole: dict[str, Any], path: str, told: Mapping[str, str]) -> None:
    for reference in _references(node):
        target = whole["$defs"][reference.rpartition("/")[2]]
        if not target.get("described"):
            target["described"] = path
            _describe(target, whole, path, told)
            del target["described"]


def _references(node: dict[str, Any]) -> Iterator[str]:
    if "$ref" in node:
        yield node["$ref"]
    if "items" in node:
        yield from _references(node["items"])
    for part in node.get("anyOf", ()):
        yield from _references(part)
