"""``authentication:`` of a rule or an issuer: how and how recently a person must have signed in."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from rolecall.config.document import Document, KeyPath
from rolecall.config.shapes import Section, one_or_more
from rolecall.core import Authentication

# they are sent as words of a quoted string (RFC 9470 3)
_WORD: Final = r"[\x21\x23-\x5B\x5D-\x7E]{1,255}"


def _acr(value: str) -> str:
    if not re.fullmatch(_WORD, value):
        raise ValueError(
            "must be one word of ASCII without quotation marks and backslashes; list several"
        )
    return value


_Acr = Annotated[
    str,
    AfterValidator(_acr),
    WithJsonSchema({"type": "string", "pattern": f"^{_WORD}$"}),
]


class AuthenticationSection(Section):
    """``rules[].authentication``, ``issuers[].authentication``."""

    acr_values: (
        Annotated[
            list[_Acr],
            Field(min_length=1, max_length=32),
            BeforeValidator(one_or_more, json_schema_input_type=str | list[str]),
        ]
        | None
    ) = None
    max_age: Annotated[int, Field(ge=1, le=31_622_400)] | None = None


def authentication(
    section: AuthenticationSection | None, path: KeyPath, document: Document
) -> Authentication | None:
    """What is demanded of a sign-in; None where there is no such key, or after a report."""
    if section is None:
        return None
    if section.acr_values is None and section.max_age is None:
        document.report(path, "demands nothing; name acr_values or max_age, or remove the key.")
        return None
    return Authentication(tuple(section.acr_values or ()), section.max_age)
