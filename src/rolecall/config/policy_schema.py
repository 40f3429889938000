"""The shapes of the policy: ``roles:``, ``rules:``, ``lists:``, ``conditions:``."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from rolecall.config.authentication import AuthenticationSection
from rolecall.config.conditions import MAX_LENGTH
from rolecall.config.instants import parse_instant
from rolecall.config.issuer_schema import Path
from rolecall.config.shapes import Section, Text
from rolecall.core import EFFORTS

_LONGEST_NAME = 2048


@dataclass(frozen=True, slots=True)
class ListName:
    """``{list: NAME}`` among names: the names of that list stand in its place."""

    name: str


def _term(value: Any) -> Any:
    match value:
        case str() if 0 < len(value) <= _LONGEST_NAME:
            return value
        case {"list": str(name), **rest} if name and not rest:
            return ListName(name)
    raise ValueError(f"a name of 1 to {_LONGEST_NAME} characters, or {{list: NAME}}, belongs here")


def _instant(value: Any) -> Any:
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            "a date (2026-12-31, its first moment in UTC) or a time with its offset"
            " (2026-12-31T18:00:00Z) belongs here"
        ) from None


def _known_effort(value: Any) -> Any:
    if value not in EFFORTS:
        raise ValueError(f"choose among {', '.join(EFFORTS)}")
    return value


def _tools(value: Any) -> Any:
    if value is False:
        return []
    if isinstance(value, list):
        return [_term(item) for item in value]
    raise ValueError("false (no tools), or a list of their names, belongs here")


def _range(value: Any) -> Any:
    match value:
        case [int() | float() as low, int() | float() as high] if 0 <= low <= high:
            return (float(low), float(high))
    raise ValueError("two numbers belong here, [from, to]")


_TERM_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME},
        {
            "type": "object",
            "properties": {"list": {"type": "string", "minLength": 1}},
            "required": ["list"],
            "additionalProperties": False,
        },
    ]
}
Term = Annotated[Any, BeforeValidator(_term), WithJsonSchema(_TERM_SCHEMA)]
Terms = Annotated[list[Term], Field(min_length=1)]
Instant = Annotated[
    Any, BeforeValidator(_instant), WithJsonSchema({"type": "string", "examples": ["2026-12-31"]})
]
When = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Role(Section):
    """``roles[]``."""

    role: Text
    any_of: Terms | None = None
    all_of: Terms | None = None
    none_of: Terms | None = None
    groups: Terms | None = None
    scopes: Terms | None = None
    clients: Terms | None = None
    issuers: Terms | None = None
    claims: Annotated[list[Path], Field(min_length=1)] | None = None
    when: When | None = None
    includes: Annotated[list[Text], Field(min_length=1)] | None = None


class CeilingsSection(Section):
    """``rules[].ceilings``."""

    max_tokens: Count | None = None
    n: Count | None = None
    reasoning_effort: (
        Annotated[Any, BeforeValidator(_known_effort), WithJsonSchema({"enum": list(EFFORTS)})]
        | None
    ) = None
    thinking_budget: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    tools: (
        Annotated[
            Any,
            BeforeValidator(_tools),
            WithJsonSchema({"anyOf": [{"const": False}, {"type": "array", "items": _TERM_SCHEMA}]}),
        ]
        | None
    ) = None
    inputs: list[Text] | None = None
    web_search: bool | None = None
    service_tier: Annotated[list[Text], Field(min_length=1)] | None = None
    temperature: (
        Annotated[
            Any,
            BeforeValidator(_range),
            WithJsonSchema(
                {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
            ),
        ]
        | None
    ) = None
    input_bytes: Count | None = None
    stream: Literal["only", "never"] | None = None


class RuleEntry(Section):
    """``rules[]``."""

    allow: Terms | None = None
    deny: Terms | None = None
    models: Terms
    endpoints: Terms = ["*"]
    when: When | None = None
    not_before: Instant | None = None
    expires: Instant | None = None
    ceilings: CeilingsSection | None = None
    on_exceed: Literal["deny", "clamp"] | None = None
    authentication: AuthenticationSection | None = None


class OwnerSection(Section):
    """``include[].owner``."""

    name: Text
    roles: Annotated[list[Text], Field(min_length=1)]
    models: Annotated[list[Text], Field(min_length=1)]
    endpoints: Annotated[list[Text], Field(min_length=1)] = ["*"]


class IncludeEntry(Section):
    """``include[]``."""

    file: Text
    owner: OwnerSection | None = None


class IncludedFile(Section):
    """A file that is included."""

    include: list[IncludeEntry] = []
    lists: dict[Text, Terms] = {}
    roles: list[Role] = []
    rules: list[RuleEntry] = []


class DecisionsSection(Section):
    """``decisions``."""

    path: Text
    include_claims: list[Path] = []
    max_bytes: Annotated[int, Field(ge=1000)] = 100 * 1024 * 1024
    max_age: Annotated[int, Field(ge=1, le=31_622_400)] = 86_400
    keep: Annotated[int, Field(ge=0, le=10_000)] = 10
    on_failure: Literal["continue", "stop"] = "continue"


class ExplainSection(Section):
    """``explain``."""

    administrators: list[Text] = []
    header: bool = False


class ConditionsSection(Section):
    """``conditions``."""

    headers: Annotated[list[Text], Field(max_length=32)] = []
