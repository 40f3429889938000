"""Moments as people write them are the same moments when they are read again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config.instants import LAST, parse_instant, write_instant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("2027-01-31T12:00:00.5Z", 1801396800.5),
        ("9999-12-31T23:59:59Z", LAST),
    ],
)
def test_a_date_or_a_time_with_its_offset_is_a_moment(text, seconds):
    assert parse_instant(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "1",
        "2027-01-31T12:00:00",
        "2027-02-30",
        "0000-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_moment_of_the_calendar_is_an_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read(moment):
    seconds = moment.replace(microsecond=0).timestamp()
    assert parse_instant(write_instant(seconds)) == seconds


@pytest.mark.parametrize("seconds", [LAST, LAST + 86_400, 1e18, float("inf")])
def test_what_lies_after_the_last_moment_is_written_as_that(seconds):
    assert write_instant(seconds) == "9999-12-31T23:59:59Z"
    assert datetime.fromtimestamp(LAST, UTC).year == 9999
