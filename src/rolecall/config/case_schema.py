"""The shapes of a case file."""

from typing import Annotated, Any, Literal

from pydantic import Field

from rolecall.config.policy_schema import Instant
from rolecall.config.shapes import Section, Text

Name = Annotated[str, Field(max_length=2048)]


class CallSection(Section):
    """``cases[].call``: what is asked, and the rest of its body where rules look at it."""

    endpoint: Text = "chat"
    model: Name
    body: dict[str, Any] = {}


class ExpectSection(Section):
    """``cases[].expect``: what must be answered; what is not named may be anything."""

    decision: Literal["allow", "deny"] | None = Field(
        default=None, description="Whether the call is allowed."
    )
    reason: Text | None = Field(default=None, description="The reason code; null for none.")
    rule: Annotated[int, Field(ge=1)] | Text | None = Field(
        default=None, description="The line of the rule that decided, or FILE:LINE; null for none."
    )
    roles: list[Text] | None = Field(
        default=None, description="The roles that the caller holds, in any order."
    )
    models: list[Text] | None = Field(default=None, description="What is listed, in any order.")
    exceeded: list[Text] | None = Field(
        default=None, description="The ceilings that the call exceeds."
    )
    body: dict[str, Any] | None = Field(
        default=None,
        description="Fields of the body as it is forwarded; null for one that is gone.",
    )


class CaseSection(Section):
    """``cases[]``."""

    name: Text
    config: Text | None = None
    caller: Text | None = Field(default=None, description="A fixture, or one that is built in.")
    claims: dict[str, Any] = Field(default={}, description="A token's payload.")
    call: CallSection
    time: Instant | None = None
    source_ip: Text | None = None
    headers: dict[Text, Text] = {}
    expect: ExpectSection


class CaseFileSection(Section):
    """A whole case file."""

    config: Text | None = Field(
        default=None, description="The configuration: a file's name, or its text."
    )
    fixtures: dict[Text, dict[str, Any]] = Field(
        default={}, description="Callers by name: the claims of their tokens."
    )
    time: Instant | None = None
    cases: list[CaseSection]
