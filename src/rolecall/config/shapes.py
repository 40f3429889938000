"""What the sections of the file have in common: strict types, and the values that occur often."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """A mapping of the file; unknown keys are errors, and no message quotes a value."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def one_or_more(value: Any) -> Any:
    """A text where a list of them is meant, as that list.

    Raises:
        ValueError: it is a number or a truth value.
    """
    if isinstance(value, bool | int | float):
        # pydantic reports a ValueError, and lets a TypeError through
        raise ValueError(  # noqa: TRY004
            "is a number or a truth value where text is meant; write it in quotes"
        )
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1, max_length=2048)]
Names = Annotated[list[Text], Field(min_length=1)]
OneOrMore = Annotated[
    list[Text],
    Field(min_length=1),
    BeforeValidator(one_or_more, json_schema_input_type=str | list[str]),
]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
