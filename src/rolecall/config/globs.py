"""Patterns of names: ``*`` matches any run of characters, everything else itself."""

import re


def compile_glob(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression for ``fullmatch``; case matters, nothing is folded."""
    first, *rest = (re.escape(part) for part in re.split(r"\*+", pattern))
    if not rest:
        return re.compile(first)
    # [\s\S] because a name may hold a line break, and `.` would not match it; each part is
    # settled where it is found first, or a few stars would take a hostile name's length cubed
    settled = "".join(rf"(?>[\s\S]*?{part})" for part in rest[:-1])
    return re.compile(rf"{first}{settled}[\s\S]*{rest[-1]}")


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern."""
    return pattern == name or ("*" in pattern and bool(compile_glob(pattern).fullmatch(name)))
