"""Many patterns at once: which of them match a name, without asking each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import Pattern

from rolecall.config.globs import compile_glob


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns by the letters that they begin or end with.

    Attributes:
        exact: patterns without a star.
        prefixes: by the letters before their first star; ``lengths`` of these, without 0.
        suffixes: of those that begin with a star, by the letters behind their last one.
        rest: those that begin and end with a star.
    """

    exact: frozenset[str]
    prefixes: dict[str, tuple[tuple[str, Pattern[str]], ...]]
    prefix_lengths: tuple[int, ...]
    suffixes: dict[str, tuple[tuple[str, Pattern[str]], ...]]
    suffix_lengths: tuple[int, ...]
    rest: tuple[tuple[str, Pattern[str]], ...]

    def matching(self, name: str) -> Iterator[str]:
        """Every pattern that matches a name, each once."""
        size = len(name)
        if name in self.exact:
            yield name
        for candidates in (
            *(self.prefixes.get(name[:length]) for length in self.prefix_lengths if length <= size),
            *(
                self.suffixes.get(name[-length:])
                for length in self.suffix_lengths
                if length <= size
            ),
        ):
            for pattern, compiled in candidates or ():
                if compiled.fullmatch(name):
                    yield pattern
        for pattern, compiled in self.rest:
            if compiled.fullmatch(name):
                yield pattern


def compile_patterns(patterns: Iterable[str]) -> Patterns:
    """Sort patterns by what they begin or end with."""
    exact: set[str] = set()
    prefixes: dict[str, list[tuple[str, Pattern[str]]]] = {}
    suffixes: dict[str, list[tuple[str, Pattern[str]]]] = {}
    rest: list[tuple[str, Pattern[str]]] = []
    for pattern in dict.fromkeys(patterns):
        if "*" not in pattern:
            exact.add(pattern)
            continue
        compiled = (pattern, compile_glob(pattern))
        prefix, suffix = pattern[: pattern.index("*")], pattern[pattern.rindex("*") + 1 :]
        if prefix:
            prefixes.setdefault(prefix, []).append(compiled)
        elif suffix:
            suffixes.setdefault(suffix, []).append(compiled)
        else:
            rest.append(compiled)
    return Patterns(
        exact=frozenset(exact),
        prefixes={key: tuple(found) for key, found in prefixes.items()},
        prefix_lengths=tuple(sorted({len(key) for key in prefixes})),
        suffixes={key: tuple(found) for key, found in suffixes.items()},
        suffix_lengths=tuple(sorted({len(key) for key in suffixes})),
        rest=tuple(rest),
    )
