"""What is wrong in a configuration: one sentence, with file, line, column and the key's path."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One error, warning or note.

    Attributes:
        level: an error stops the gateway, a warning does not; a note is nothing to mend.
        file: the file as it was named.
        line: from 1; 0 where the problem has no line (a missing file, the environment).
        column: from 1; 0 where it is the whole line.
        path: the key's path, ``model_list[0].litellm_params.model``; empty for the whole file.
        message: what is wrong and what to do.
        code: of what kind it is (``docs/lints.md``, ``docs/litellm.md``), if it has a name.
    """

    level: Level
    file: str
    line: int
    column: int
    path: str
    message: str
    code: str = ""

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        place = ":".join((self.file, *numbers))
        key = f"{self.path}: " if self.path else ""
        return f"{place}: {self.level}: {key}{self.message}"


class ConfigurationError(Exception):
    """The configuration cannot be used; ``problems`` holds every error and warning found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
