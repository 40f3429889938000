"""Moments as people write them."""

from datetime import UTC, datetime


def write_instant(seconds: float) -> str:
    """A moment as `parse_instant` reads it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> float:
    """Seconds since the epoch of a date (its first moment, UTC) or a time with its offset.

    Raises:
        ValueError: it is neither (RFC 3339).
    """
    moment = datetime.fromisoformat(text)
    if len(text) == len("2027-01-31"):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset")
    return moment.timestamp()
