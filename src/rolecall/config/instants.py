"""Moments as people write them."""

from datetime import UTC, datetime
from typing import Final

LAST: Final = 253_402_300_799.0
"""The last second that is written with four digits for its year (RFC 3339 5.6), epoch seconds."""


def write_instant(seconds: float) -> str:
    """A moment as `parse_instant` reads it, in UTC; one after `LAST` as that."""
    return datetime.fromtimestamp(min(seconds, LAST), UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> float:
    """Seconds since the epoch of a date (its first moment, UTC) or a time with its offset.

    Raises:
        ValueError: it is neither (RFC 3339), or in no year from 1 to 9999 of UTC.
    """
    moment = datetime.fromisoformat(text)
    if len(text) == len("2027-01-31"):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset")
    try:
        return moment.astimezone(UTC).timestamp()
    except OverflowError:
        raise ValueError("a time needs a year from 1 to 9999") from None
