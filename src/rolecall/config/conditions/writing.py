"""Pieces of conditions that are written out of other keys."""


def quoted(text: str) -> str:
    """A string literal of CEL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
