"""What a token says, as it is remembered: its text, until somebody asks."""

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.wire import strict_json


class Payload(Mapping[str, Any]):
    """The claims of a token; put away they are its text, which takes a quarter of the memory.

    Few requests ask for a claim once a caller's roles are known, and thousands of tokens are
    remembered.

    Args:
        text: JSON that was read before: the object ``claims``.
        claims: what it says.
    """

    __slots__ = ("_claims", "_text")

    def __init__(self, text: bytes, claims: dict[str, Any]) -> None:
        self._text = text
        self._claims: dict[str, Any] | None = claims

    def put_away(self) -> None:
        """Keep the text alone; whoever asks for a claim has it read again."""
        self._claims = None

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def get(self, name: str, default: Any = None) -> Any:
        """As dictionaries have it."""
        return self._read().get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, Any]:
        claims = self._claims
        if claims is None:
            # how deep it may be was seen to when it was first read
            text = self._text
            claims = self._claims = strict_json.loads(text, max_depth=len(text))
        return claims
