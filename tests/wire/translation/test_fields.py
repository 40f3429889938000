import pytest

from rolecall.core import Reason, Refusal
from rolecall.wire.translation import fields

READERS = [
    (fields.an_object, [{}, {"a": 1}], [None, [], "a", 1]),
    (fields.a_list, [[], [1]], [None, {}, "a", 1]),
    (fields.a_string, ["", "a"], [None, [], {}, 1, True]),
    (fields.a_name, ["a"], ["", None, 1]),
    (fields.a_boolean, [True, False], [None, 0, 1, "true"]),
    (fields.a_positive_integer, [1, 10**30], [None, 0, -1, 1.0, True, "1"]),
    (fields.a_fraction, [0, 0.5, 1, 1.0], [None, -0.1, 1.1, True, "0", float("nan")]),
]


@pytest.mark.parametrize(("read", "right", "wrong"), READERS)
def test_a_type_is_read_strictly(read, right, wrong):
    for value in right:
        assert read(value, "a.b[0]") is value
    for value in wrong:
        with pytest.raises(Refusal) as caught:
            read(value, "a.b[0]")
        assert caught.value.reason is Reason.INVALID_REQUEST
        assert caught.value.param == "a.b[0]"
        assert caught.value.message.startswith("a.b[0] must be ")


def test_a_choice_is_one_of_the_words():
    assert fields.one_of("b", "x", ("a", "b")) == "b"
    for value in ("c", None, 1, ["a"], {}):
        with pytest.raises(Refusal, match="x must be one of a, b"):
            fields.one_of(value, "x", ("a", "b"))
