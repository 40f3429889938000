"""The page of the documentation: its tables stand between markers, and come from a run."""

import re
from collections.abc import Mapping
from typing import Final

from bench.report import markdown
from bench.results import Results

_BLOCK: Final = re.compile(
    r"(?P<begin><!-- bench: (?P<name>\w+) -->\n).*?(?P<end><!-- bench: end -->)", re.DOTALL
)


class UnknownBlock(Exception):
    """The page asks for something that no run has; the text names it."""


def blocks(results: Results) -> dict[str, str]:
    """What may stand between markers, by its name."""
    return {
        "facts": markdown.facts(results),
        "goals": markdown.goals(results),
        "losses": markdown.losses(results),
        "figures": markdown.figures(results),
    }


def filled(page: str, texts: Mapping[str, str]) -> str:
    """The page with each block replaced by its text.

    Raises:
        UnknownBlock: there is none for a marker.
    """

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in texts:
            raise UnknownBlock(f"{name!r} is none of {', '.join(texts)}")
        return f"{found['begin']}\n{texts[name]}\n\n{found['end']}"

    return _BLOCK.sub(block, page)
