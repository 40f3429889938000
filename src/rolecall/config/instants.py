"""Moments as people write them."""

from datetime import UTC, datetime


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
