"""Whatever a client sends: its answers in their order, or one refusal, and never a second reading.

Who splits the bytes must not matter: a proxy in front of us reads them once, and so must we
(RFC 9112 11.2).
"""

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .parts.applications import echo
from .parts.client import all_answers
from .parts.serving import serving
from .parts.transcripts import EVERY, LAST, LONG, REFUSED, SHORT


async def played(pieces):
    """All that comes back for these pieces and one more request."""
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(*pieces)
        await client.send(LAST)
        return all_answers(await client.until_end())


def check(transcript, answers):
    wanted = [*transcript.answers, *([b"GET /last"] if transcript.kept else [])]
    assert [REFUSED if each.status == 400 else each.body for each in answers] == wanted
    for answer in answers:
        assert answer.status in {200, 400}
        assert "transfer-encoding" not in answer.headers
        if answer.status == 400:
            assert answer is answers[-1]
            assert answer.headers["connection"] == "close"
            assert json.loads(answer.body)["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("transcript", EVERY, ids=str)
async def test_a_transcript_is_answered_as_specified(transcript):
    check(transcript, await played([transcript.sent]))


@pytest.mark.parametrize("transcript", SHORT, ids=str)
async def test_a_transcript_that_comes_byte_by_byte(transcript):
    check(transcript, await played([bytes([byte]) for byte in transcript.sent]))


def cut(data, places):
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(marks)]


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(transcript=st.sampled_from(SHORT), places=st.lists(st.integers(0, 5_000), max_size=20))
async def test_a_transcript_in_any_pieces(transcript, places):
    check(transcript, await played(cut(transcript.sent, places)))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(transcript=st.sampled_from(LONG), places=st.lists(st.integers(0, 900_000), max_size=20))
async def test_a_long_transcript_in_any_pieces(transcript, places):
    check(transcript, await played(cut(transcript.sent, places)))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(junk=st.binary(min_size=1, max_size=300))
async def test_anything_at_all_is_refused_or_waited_for(junk):
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(junk)
        client.finish()
        answers = await client.rest_of_answers()
        assert [answer.status for answer in answers] in ([], [400])
