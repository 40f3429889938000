"""From the bytes that came to the bytes that go: what was authorised, whatever was decided.

Both ways are taken: a body in which nothing changes goes on as it came; one that policy has
lowered never does.
"""

import json

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from rolecall.gateway import Gateway, compile_snapshot
from rolecall.wire import strict_json

from ..upstream.parts.readers import check
from .parts import serving
from .parts.tokens import token

MOST_TOKENS, HOTTEST = 50, 0.5
NAMES = {"gpt": "gpt", "alias": "upstream-gpt"}
"""What callers call a model, and what its upstream does."""


class Answered:
    """The answer of an upstream: an empty object."""

    status = 200
    headers = ((b"content-type", b"application/json"),)
    ended = True

    async def read(self):
        return b"{}"

    def close(self):
        pass


class Upstreams:
    """A transport that keeps what it is given."""

    def __init__(self):
        self.bodies = []

    async def send(self, request):
        self.bodies.append(request.body)
        return Answered()

    async def close(self):
        pass


@pytest.fixture
async def forwarded(tmp_path):
    """Call with a body; returns the status and what went upstream, if anything did."""
    url = "http://127.0.0.1:9"
    models = [
        {"name": name, "provider": "openai", "model": model, "api_base": url, "api_key": "sk"}
        for name, model in NAMES.items()
    ]
    rule = {
        "allow": ["lowered"],
        "models": list(NAMES),
        "ceilings": {"max_tokens": MOST_TOKENS, "temperature": [0, HOTTEST]},
        "on_exceed": "clamp",
    }
    sections = serving.configuration(
        tmp_path, url, roles=[{"role": "lowered"}], rules=[rule], models=models
    )
    snapshot = compile_snapshot(serving.settings_of(tmp_path, sections))
    await snapshot.verifier.start()
    upstreams = Upstreams()
    gateway = Gateway(snapshot, make_transport=lambda: upstreams)
    headers = [
        (b"content-type", b"application/json"),
        (b"authorization", b"Bearer " + token("lowered").encode()),
    ]

    async def forwarded(body):
        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            said.append(message)

        said = []
        upstreams.bodies.clear()
        path = "/v1/chat/completions"
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b""}
        await gateway({**scope, "headers": headers}, receive, send)
        return said[0]["status"], *upstreams.bodies

    yield forwarded
    await snapshot.verifier.stop()


def lowered(value):
    """What is authorised of a call: the model by its upstream's name, and within the ceilings."""
    asked = {**value, "model": NAMES[value["model"]]}
    if asked.get("max_tokens") is not None:
        asked["max_tokens"] = min(asked["max_tokens"], MOST_TOKENS)
    else:
        asked["max_completion_tokens"] = MOST_TOKENS
    if asked.get("temperature") is not None:
        asked["temperature"] = min(asked["temperature"], HOTTEST)
    return asked


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
BODIES = st.fixed_dictionaries(
    {"model": st.sampled_from(list(NAMES)), "messages": st.just([])},
    optional={
        "max_tokens": st.integers(1, 100),
        "temperature": st.floats(0, 2) | st.none() | st.integers(0, 2),
        "metadata": ANYTHING,
        "user": st.text(max_size=5),
        "a_new_parameter": ANYTHING,
    },
).flatmap(lambda body: st.permutations(list(body.items())).map(dict))


@settings_of_hypothesis(max_examples=100, suppress_health_check=list(HealthCheck))
@given(value=BODIES, pretty=st.booleans())
@example(value={"model": "gpt", "messages": [], "max_tokens": MOST_TOKENS}, pretty=True)
@example(value={"model": "gpt", "messages": [], "max_tokens": MOST_TOKENS + 1}, pretty=True)
@example(value={"model": "gpt", "messages": []}, pretty=False)
@example(value={"model": "alias", "messages": [], "max_tokens": 1}, pretty=True)
async def test_what_goes_upstream_is_what_was_authorised(forwarded, value, pretty):
    body = json.dumps(value, indent=3 if pretty else None, ensure_ascii=not pretty).encode()
    status, sent = await forwarded(body)
    assert status == 200
    check(sent, lowered(value))
    assert sent == (body if lowered(value) == value else strict_json.dumps(lowered(value)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"gpt","max_tokens":9,"messages":[],"max_tokens":9000}',
        b'{"model":"gpt","max_tokens":9,"messages":[],"m\\u0061x_tokens":9000}',
        b'{"model":"gpt","max_tokens":9,"messages":[]}{"model":"gpt","max_tokens":9000}',
        b'{"model":"gpt","max_tokens":9,"Max_Tokens":9000,"messages":[]}',
        b'{"model":"gpt","max_tokens":9.5,"messages":[]}',
        b'{"model":"gpt","max_tokens":"9","messages":[]}',
        b'{"model":"gpt","max_tokens":9,"messages":[],"temperature":NaN}',
    ],
)
async def test_what_two_readers_could_understand_differently_goes_nowhere(forwarded, body):
    assert await forwarded(body) == (400,)
