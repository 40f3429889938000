"""What a token says can be put away, and is the same when it is asked for again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.identity.payload import Payload
from rolecall.wire import strict_json

CLAIMS = {"sub": "john", "cnf": {"jkt": "x"}, "roles": ["gold"]}


def payload(claims=CLAIMS):
    return Payload(strict_json.dumps(claims), claims)


def put_away(claims=CLAIMS):
    away = payload(claims)
    away.put_away()
    return away


@pytest.mark.parametrize("of", [payload, put_away])
def test_claims_are_read_like_those_of_any_object(of):
    claims = of()
    assert claims == CLAIMS
    assert claims["sub"] == "john"
    assert claims.get("jti") is None
    assert "cnf" in claims
    assert "jti" not in claims
    assert list(claims) == list(CLAIMS)
    assert len(claims) == 3
    with pytest.raises(KeyError):
        claims["jti"]


def test_they_are_read_once_until_they_are_put_away():
    away = put_away()
    roles = away["roles"]
    assert away["roles"] is roles
    away.put_away()
    assert away["roles"] is not roles
    assert away["roles"] == roles


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_whatever_was_put_away_comes_back(claims):
    assert put_away(claims) == claims


def test_what_was_read_once_is_read_however_deep_it_is():
    deep = {"sub": "john"}
    for _ in range(100):
        deep = {"inner": deep}
    assert put_away(deep) == deep
