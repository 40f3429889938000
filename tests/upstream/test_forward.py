"""Forward what was authorised: whoever reads what is sent reads what was decided about.

A body in which nothing changes goes on byte by byte. That is safe as long as no reader
understands it in another way than the one whose reading was authorised, so three readers try.
"""

import json

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from rolecall.core import Call, Refusal
from rolecall.upstream import Fields, outgoing, passed_on
from rolecall.wire import parse_call, strict_json

from .parts.deployments import deployment
from .parts.readers import check

NOTHING = Fields([])


def sent(body, *, model="gpt", changed=False):
    """What goes upstream for these bytes."""
    call, value = parse_call("chat", body)
    unchanged = None if changed else body
    request, translation = outgoing(deployment(model), call, value, unchanged, NOTHING, b"")
    assert translation is None
    return request.body


# Bodies as anybody may write them: every spelling of every value

SPACE = st.text(" \t\r\n", max_size=3)
NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


def escaped(character, how):
    """A character of a string as JSON may spell it."""
    point = ord(character)
    if how == 0 and point >= 0x20 and character not in '"\\':
        return character
    if how == 1 and character in '"\\/\b\f\n\r\t':
        return "\\" + {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}.get(
            character, character
        )
    units = character.encode("utf-16-be")
    pairs = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    return "".join(f"\\u{pair.upper() if how == 2 else pair}" for pair in pairs)


CHARACTERS = st.characters(exclude_categories=["Cs"])
STRINGS = st.lists(st.tuples(CHARACTERS, st.integers(0, 3)), max_size=8).map(
    lambda spelled: '"' + "".join(escaped(*each) for each in spelled) + '"'
)


def spaced(opening, members, closing):
    return st.lists(st.tuples(SPACE, members, SPACE), max_size=4).map(
        lambda items: opening + ",".join("".join(item) for item in items) + closing
    )


TEXTS = st.recursive(
    st.one_of(st.sampled_from(["true", "false", "null"]), NUMBERS, STRINGS),
    lambda inner: st.one_of(
        spaced("[", inner, "]"),
        spaced("{", st.tuples(STRINGS, SPACE, inner).map(lambda m: f"{m[0]}{m[1]}:{m[2]}"), "}"),
    ),
    max_leaves=12,
)
MEMBERS = st.lists(
    st.tuples(
        st.sampled_from(['"temperature"', '"messages"', '"stream"', '"x"', '"user"', '"\\u0078"']),
        SPACE,
        TEXTS,
    ),
    max_size=5,
)


@st.composite
def bodies(draw):
    """The bytes of a call of ``gpt``."""
    members = [f"{name}{space}:{space}{text}" for name, space, text in draw(MEMBERS)]
    name = "".join(escaped(each, draw(st.sampled_from([0, 2, 3]))) for each in "model")
    members.insert(draw(st.integers(0, len(members))), f'"{name}":"gpt"')
    return (draw(SPACE) + "{" + ",".join(members) + "}" + draw(SPACE)).encode()


def authorised(body):
    """The value that is decided about; what is refused goes nowhere."""
    try:
        return parse_call("chat", body)[1]
    except Refusal:
        return None


SETTINGS = settings(max_examples=100, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(body=bodies(), renamed=st.text(CHARACTERS, min_size=1).filter(lambda name: name != "gpt"))
@example(body=b'{"model":"gpt","x":-0,"temperature":-0.0}', renamed="\0")
@example(body=b'{"model":"gpt","x":123456789012345678901234567890}', renamed="\u2028")
@example(body=b'{"model":"gpt","x":0.10000000000000000555111512312578270211}', renamed='"')
@example(body=b'{"model":"gpt","x":5e-324,"user":2.2250738585072011e-308}', renamed="\U0001f600")
def test_what_is_sent_is_what_was_authorised_with_only_the_model_replaced(body, renamed):
    value = authorised(body)
    assume(value is not None)
    assert sent(body) is body
    check(body, value)
    assert sent(body, changed=True) == strict_json.dumps(value)
    check(sent(body, changed=True), value)
    renamed_value = value | {"model": renamed}
    assert sent(body, model=renamed) == strict_json.dumps(renamed_value)
    check(sent(body, model=renamed), renamed_value)


@SETTINGS
@given(
    body=bodies(),
    changes=st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=3)), min_size=1, max_size=3),
)
def test_a_body_that_was_tampered_with_is_refused_or_read_alike(body, changes):
    tampered = bytearray(body)
    for place, piece in changes:
        tampered[place % len(body) : place % len(body) + 1] = piece
    value = authorised(bytes(tampered))
    if value is not None:
        call = parse_call("chat", bytes(tampered))[0]
        for model in (call.model, f"not-{call.model}"):
            check(sent(bytes(tampered), model=model), value | {"model": model})


# What goes with it


def test_a_translated_body_is_written_from_what_was_read_and_its_query_stays_here():
    body = b'{ "model": "gpt", "messages": [{"role": "user", "content": "hi"}] }'
    call, value = parse_call("chat", body)
    request, translation = outgoing(
        deployment("claude", "anthropic"), call, value, body, NOTHING, b"beta=true"
    )
    assert translation is not None
    written = json.loads(request.body)
    assert (written["model"], written["messages"][0]["role"]) == ("claude", "user")
    assert request.body == strict_json.dumps(written)
    assert request.query == b""


@pytest.mark.parametrize("stream", [True, False])
def test_the_request_says_whether_a_stream_is_expected(stream):
    body = b'{"model":"gpt","stream":%b}' % (b"true" if stream else b"false")
    call, value = parse_call("chat", body)
    request, _ = outgoing(deployment(), call, value, body, NOTHING, b"a=b")
    assert (request.stream, request.query) == (stream, b"a=b")


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_no_header_passes_that_the_upstream_is_not_known_to_understand(provider):
    endpoint = "chat" if provider == "openai" else "messages"
    served = deployment("gpt", provider, endpoint)
    known = [(b"user-agent", b"a"), (b"traceparent", b"b"), (b"anthropic-version", b"2020-01-01")]
    foreign = [
        (name, b"x")
        for name in (
            b"authorization",
            b"x-api-key",
            b"api-key",
            b"cookie",
            b"host",
            b"connection",
            b"content-length",
            b"transfer-encoding",
            b"content-type",
            b"content-encoding",
            b"expect",
            b"x-forwarded-for",
            b"x-request-id",
            b"openai-organization",
        )
    ]
    fields = passed_on(served, foreign + known)
    request, _ = outgoing(served, Call(endpoint, "gpt"), {}, None, fields, b"")
    assert request.fields is fields
    names = [b"user-agent", b"traceparent"]
    assert fields.headers[:2] == known[:2]
    if provider == "anthropic":
        names.append(b"anthropic-version")
        assert fields.headers[-1] == known[-1]
    assert [name for name, _ in fields.headers] == names
