"""A chart of CPU time an answer: a row a workload, a mark a gateway, on a logarithmic scale.

Workloads with one gateway alone are left out.

The gateways lie four decades apart, so that bars from zero would show one of them and nothing else.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from bench.paired import Spread
from bench.report.tables import number, peer_of, title_of
from bench.results import Results

_WIDTH: Final = 960
_LEFT: Final = 330
_RIGHT: Final = 40
_TOP: Final = 104
_ROW: Final = 52
_DIGIT: Final = 6.4
"""Width of a small digit."""
_FONT: Final = "font-family='Helvetica, Arial, sans-serif'"
_INK: Final = "#1f2328"
_PALE: Final = "#6e7781"
_LINE: Final = "#d8dee4"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a gateway is drawn; colours that the colour-blind can tell apart (Okabe and Ito).

    Attributes:
        above: as a pointer above the line, where no dot can hide it, nor it a dot.
    """

    colour: str
    above: bool = False


_MARKS: Final = {
    "nginx": Mark("#8c959f"),
    "envoy": Mark("#0072b2"),
    "rolecall": Mark("#d55e00", above=True),
    "portkey": Mark("#009e73"),
    "litellm": Mark("#cc79a7"),
}
_OTHER: Final = Mark(_INK)


@dataclass(frozen=True, slots=True)
class Scale:
    """Microseconds to pixels."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a value lies."""
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def decades(self) -> list[float]:
        """The powers of ten on it."""
        first, last = math.log10(self.low), math.log10(self.high)
        return [10.0**n for n in range(math.ceil(first), math.floor(last) + 1)]


def drawn(results: Results) -> str:
    """The chart as SVG; without any figures a chart with no dots."""
    rows = list(_rows(results))
    values = [value for _, dots in rows for value in dots.values()] or [10.0, 1000.0]
    low = 10.0 ** math.floor(math.log10(min(values)))
    scale = Scale(low, max(max(values) * 1.3, low * 10))
    bottom = _TOP + _ROW * len(rows)
    parts = [
        *_head(results),
        *_axis(scale, bottom),
        *(part for n, row in enumerate(rows) for part in _row(scale, _TOP + _ROW * n, *row)),
    ]
    height = bottom + 48
    size = f"width='{_WIDTH}' height='{height}' viewBox='0 0 {_WIDTH} {height}'"
    ground = f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>"
    opened = f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' {_FONT}>"
    return "\n".join([opened, ground, *parts, "</svg>"]) + "\n"


def _rows(results: Results) -> Iterator[tuple[str, dict[str, float]]]:
    for workload in results.plan.workloads:
        found = {peer: results.rounds(workload, peer, "cpu_us") for peer in results.plan.peers}
        dots = {peer: Spread.of(list(cpu.values())).median for peer, cpu in found.items() if cpu}
        if len(dots) > 1:
            yield workload, dots


def _head(results: Results) -> Iterator[str]:
    yield _text(24, 34, "CPU time an answer", size=20, weight="bold")
    machine = results.machine
    facts = f"{machine.processor}, {results.began[:10]}; the scale is logarithmic, left is better"
    yield _text(24, 56, facts, colour=_PALE)
    x = 24.0
    for peer in results.plan.peers:
        mark = _MARKS.get(peer, _OTHER)
        yield _mark(x + 6, 86 if mark.above else 78, mark, peer_of(peer))
        yield _text(x + 20, 82, peer_of(peer))
        x += 110


def _axis(scale: Scale, bottom: float) -> Iterator[str]:
    for decade in scale.decades():
        x = scale.x(decade)
        yield f"<path d='M{x:.1f} {_TOP}V{bottom}' stroke='{_LINE}'/>"
        yield _text(x, bottom + 22, _time(decade), colour=_PALE, anchor="middle")


def _time(microseconds: float) -> str:
    if microseconds < 1000:
        return f"{microseconds:g} µs"
    return f"{microseconds / 1000:g} ms" if microseconds < 1e6 else f"{microseconds / 1e6:g} s"


def _row(scale: Scale, top: float, workload: str, dots: dict[str, float]) -> Iterator[str]:
    middle = top + _ROW / 2
    xs = [scale.x(value) for value in dots.values()]
    yield _text(24, middle + 4, title_of(workload))
    yield f"<path d='M{min(xs):.1f} {middle}H{max(xs):.1f}' stroke='{_LINE}' stroke-width='2'/>"
    for peer, value in dots.items():
        mark = _MARKS.get(peer, _OTHER)
        yield _mark(scale.x(value), middle, mark, f"{peer_of(peer)}: {number(value)} µs")
    above = [value for peer, value in dots.items() if _MARKS.get(peer, _OTHER).above]
    below = [value for peer, value in dots.items() if not _MARKS.get(peer, _OTHER).above]
    for x, label in labels(scale, above):
        yield _text(x, middle - 19, label, 11, weight="bold", anchor="middle")
    for x, label in labels(scale, below):
        yield _text(x, middle + 18, label, 11, colour=_PALE, anchor="middle")


def labels(scale: Scale, values: Sequence[float]) -> list[tuple[float, str]]:
    """Numbers at their values, moved to the right where one would lie on another."""
    placed: list[tuple[float, str]] = []
    free = 0.0
    for value in sorted(values):
        label = number(value)
        half = len(label) * _DIGIT / 2
        x = max(scale.x(value), free + half)
        free = x + half + _DIGIT
        placed.append((x, label))
    return placed


def _mark(x: float, y: float, mark: Mark, title: str) -> str:
    said = f"<title>{escape(title)}</title>"
    look = f"fill='{mark.colour}' stroke='#ffffff'"
    if mark.above:
        return f"<path d='M{x:.1f} {y - 2:.1f}l-8 -14h16z' {look}>{said}</path>"
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='6' {look}>{said}</circle>"


def _text(  # noqa: PLR0913 - SVG's own attributes
    x: float,
    y: float,
    text: str,
    size: int = 13,
    *,
    colour: str = _INK,
    weight: str = "normal",
    anchor: str = "start",
) -> str:
    place = f"x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'"
    look = f"font-size='{size}' font-weight='{weight}' fill='{colour}'"
    return f"<text {place} {look}>{escape(text)}</text>"
