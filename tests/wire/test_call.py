import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Call, Reason, Refusal
from rolecall.wire.call import STEERING, check_query, parse_call

ACCEPTED = {
    "a model alone": (b'{"model":"m"}', Call("chat", "m")),
    "stream": (b'{"model":"m","stream":true}', Call("chat", "m", stream=True)),
    "no stream": (b'{"model":"m","stream":false}', Call("chat", "m")),
    "stream null": (b'{"model":"m","stream":null}', Call("chat", "m")),
    "a model of 256 characters": (b'{"model":"%s"}' % (b"m" * 256), Call("chat", "m" * 256)),
    "a name is taken as it is": (b'{"model":" M\\u0000 "}', Call("chat", " M\x00 ")),
    "null and odd tools": (b'{"model":"m","tools":[null,1,{}]}', Call("chat", "m")),
    "tools that are no list": (b'{"model":"m","tools":{"model":"x"}}', Call("chat", "m")),
    "a parameter called model": (
        b'{"model":"m","tools":[{"function":{"parameters":{"properties":{"model":{}}}}}]}',
        Call("chat", "m"),
    ),
    "steering words below the top": (
        b'{"model":"m","metadata":{"api_key":"x","models":[]}}',
        Call("chat", "m"),
    ),
}


@pytest.mark.parametrize(("body", "call"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_body_becomes_a_call(body, call):
    assert parse_call("chat", body)[0] == call


@pytest.mark.parametrize(
    ("body", "reason", "param"),
    [
        (b"[]", Reason.INVALID_REQUEST, None),
        (b'{"model":"a","model":"b"}', Reason.DUPLICATE_KEY, None),
        (b'{"model":"a","mod\\u0065l":"b"}', Reason.DUPLICATE_KEY, None),
        (b'{"model":"a","Model":"b"}', Reason.DUPLICATE_KEY, "model"),
        ('{"model":"a","\u00a0MODEL\u2003":"b"}'.encode(), Reason.DUPLICATE_KEY, "model"),
        (b"{}", Reason.MODEL_MISSING, "model"),
        (b'{"model":""}', Reason.MODEL_MISSING, "model"),
        (b'{"model":0}', Reason.INVALID_REQUEST, "model"),
        (b'{"model":"m","stream":"yes"}', Reason.INVALID_REQUEST, "stream"),
        (b'{"model":"m","stream":1}', Reason.INVALID_REQUEST, "stream"),
        (b'{"model":"m","ApiBase":1,"api-base":1}', Reason.INVALID_REQUEST, "api_base"),
        (b'{"model":"m","tools":[{},{"Model":1}]}', Reason.INVALID_REQUEST, "tools[1].model"),
    ],
)
def test_a_body_that_is_no_call_is_refused(body, reason, param):
    with pytest.raises(Refusal) as caught:
        parse_call("chat", body)
    assert (caught.value.reason, caught.value.param) == (reason, param)


@pytest.mark.parametrize("name", sorted(STEERING))
@pytest.mark.parametrize("spelling", [str, str.upper, " {} ".format, lambda n: n.replace("_", "-")])
def test_a_name_that_steers_is_refused_however_it_is_spelt(name, spelling):
    with pytest.raises(Refusal) as caught:
        parse_call("chat", b'{"model":"m","%s":null}' % spelling(name).encode())
    assert caught.value.param == name


@given(st.text(max_size=12))
def test_no_other_spelling_of_model_passes(name):
    body = {"model": "m", name: 1}
    try:
        _, value = parse_call("chat", orjson.dumps(body))
    except Refusal:
        return
    assert [key for key in value if key.strip().lower() == "model"] == ["model"]


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"beta=true",
        b"api-version=2024-10-21",
        b"x=model",
        b"x[model]=1",
        b"a=%ff%00&&=&b",
        b"x=" + b"y" * 4094,
    ],
)
def test_a_harmless_query_passes(query):
    check_query(query)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (b"model=x", "model"),
        (b"a=b&MODEL", "model"),
        (b"%6D%6f%64%65%6c=x", "model"),
        (b"+model+=x", "model"),
        (b"access_token=x", "access_token"),
        (b"API-Key=x", "api_key"),
        (b"key", "key"),
        (b"litellm_params=x", "litellm_params"),
        (b"fallbacks=", "fallbacks"),
        (b"x=" + b"y" * 4095, None),
    ],
)
def test_a_query_that_steers_is_refused(query, param):
    with pytest.raises(Refusal) as caught:
        check_query(query)
    assert (caught.value.reason, caught.value.param) == (Reason.INVALID_REQUEST, param)
    assert "x=y" not in caught.value.message
