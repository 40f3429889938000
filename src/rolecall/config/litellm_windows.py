"""LiteLLM's ``access_windows``: within a daily window a model is for the window's teams alone.

Where several windows are open at once the teams of all of them may call; outside of every window
all may, as far as rules allow them. A window becomes a deny rule. (LiteLLM 1.110,
``types/router.py`` and ``litellm_core_utils/access_windows.py``.)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rolecall.config import condition_source, schema
from rolecall.config.conditions.writing import quoted
from rolecall.config.document import Document, KeyPath
from rolecall.config.litellm_differences import SENTENCES
from rolecall.core import Rule

_TIMES: Final = "litellm-times"
_CLOCK: Final = re.compile(
    r"(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?"
)
_SEXAGESIMAL: Final = re.compile(r"[1-9]\d*(?::[0-5]?\d)+")
_IANA: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")


@dataclass(frozen=True, slots=True)
class _Window:
    """A daily window: from a time of day on, until before another; they are written as said.

    Attributes:
        start: seconds from midnight.
        end: likewise; where it is less than ``start`` the window goes on over midnight.
        said: the same in words.
    """

    start: int
    end: int
    timezone: str
    teams: tuple[str, ...]
    said: str

    def open(self) -> str:
        """The condition that it is open."""
        start = f"{_time_of_day(self.start, self.timezone)} >= {_number(self.start)}"
        end = f"{_time_of_day(self.end, self.timezone)} < {_number(self.end)}"
        if not self.end:
            return start
        if not self.start:
            return end
        return f"{start} && {end}" if self.start < self.end else f"({start} || {end})"

    def lets_in(self) -> str:
        """The condition that the caller is of one of its teams."""
        return " || ".join(f"{quoted(team)} in caller.teams" for team in self.teams)

    def parts(self) -> list[tuple[int, int]]:
        """The window as spans of one day."""
        if self.start < self.end:
            return [(self.start, self.end)]
        return [(self.start, 86_400), (0, self.end)]

    def meets(self, other: "_Window") -> bool:
        """Whether both may be open at once; of two time zones nothing is known beforehand."""
        return self.timezone != other.timezone or any(
            one[0] < two[1] and two[0] < one[1] for one in self.parts() for two in other.parts()
        )


def rules(file: schema.File, document: Document) -> list[tuple[KeyPath, Rule]]:
    """The deny rules of every model that has windows."""
    found: list[tuple[KeyPath, Rule]] = []
    of_names: dict[str, list[schema.AccessWindow]] = {model.name: [] for model in file.models}
    for index, entry in enumerate(file.model_list):
        name = entry.model_name or entry.model
        path: KeyPath = ("model_list", index, "model_info", "access_windows")
        sections = entry.model_info.access_windows
        if name is None:
            continue
        if name in of_names:
            if of_names[name] != sections:
                document.report(
                    path,
                    f"is not what another deployment of {name} says, and rules know models by"
                    " their names: write the same windows for each, or give this one a name of its"
                    " own.",
                )
            continue
        of_names[name] = sections
        found += _of_model(name, sections, path, document)
    return found


def _of_model(
    name: str, sections: Sequence[schema.AccessWindow], path: KeyPath, document: Document
) -> Iterator[tuple[KeyPath, Rule]]:
    read = [_window(section, (*path, i), document) for i, section in enumerate(sections)]
    windows = [window for window in read if window is not None]
    if len(windows) < len(read):
        return
    for index, window in enumerate(windows):
        at = (*path, index)
        let_in = [window.lets_in()]
        let_in += [
            f"({other.open()} && {_grouped(other)})"
            for other in windows
            if other is not window and other.meets(window)
        ]
        when = condition_source.written(
            f"{window.open()} && !({' || '.join(let_in)})",
            "rule",
            at,
            document,
            meaning=f"reserved for {_teams(window.teams)} {window.said}",
        )
        yield at, Rule("deny", ("*",), (name,), ("*",), document.source(at), when)


def _grouped(window: _Window) -> str:
    return f"({window.lets_in()})" if len(window.teams) > 1 else window.lets_in()


def _window(section: schema.AccessWindow, path: KeyPath, document: Document) -> _Window | None:
    start = _clock(section.start, (*path, "start"), document)
    end = _clock(section.end, (*path, "end"), document)
    if not _IANA.fullmatch(section.timezone) or section.timezone == "localtime":
        document.report((*path, "timezone"), "is no name of a time zone; write Europe/Berlin.")
        return None
    if start is None or end is None:
        return None
    if start == end:
        document.report(
            path, "begins when it ends, which says neither always nor never; remove the window."
        )
        return None
    return _Window(
        start,
        end,
        section.timezone,
        tuple(dict.fromkeys(section.team_ids)),
        f"from {section.start} to {section.end} in {section.timezone}",
    )


def _clock(text: str, path: KeyPath, document: Document) -> int | None:
    """Seconds from midnight."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        document.report(
            path,
            "is no time of day; write 09:00 or 17:30:00, without an offset: timezone says whose.",
        )
        return None
    _note_sexagesimal(path, document)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (hours * 60 + minutes) * 60 + seconds


def _note_sexagesimal(path: KeyPath, document: Document) -> None:
    """YAML 1.1 reads 17:00 without quotes as the number 1020, which LiteLLM takes for 00:17."""
    position = document.values.get(path)
    if position is None or any(found.code == _TIMES for found in document.problems):
        return
    if _SEXAGESIMAL.match(document.lines[position.line - 1][position.column - 1 :]):
        document.report(path, SENTENCES[_TIMES], level="note", code=_TIMES)


def _time_of_day(seconds: int, timezone: str) -> str:
    """The time of the call, as exactly as a time of day is written."""
    zone = quoted(timezone)
    if not seconds % 3600:
        return f"now.getHours({zone})"
    if not seconds % 60:
        return f"now.getHours({zone}) * 60 + now.getMinutes({zone})"
    return f"now.getHours({zone}) * 3600 + now.getMinutes({zone}) * 60 + now.getSeconds({zone})"


def _number(seconds: int) -> str:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if rest:
        return f"{hours} * 3600 + {minutes} * 60 + {rest}"
    return f"{hours} * 60 + {minutes}" if minutes else str(hours)


def _teams(names: Sequence[str]) -> str:
    return f"the team{'s' if len(names) > 1 else ''} {' and '.join(names)}"
