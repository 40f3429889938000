"""Strict JSON (RFC 8259): a text that two readers could understand differently is refused."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rolecall.core import Reason, Refusal
from rolecall.wire.strict_json import MAX_DEPTH, dumps, loads


def reason(data, **options):
    with pytest.raises(Refusal) as caught:
        loads(data, **options)
    assert caught.value.status == 400
    assert caught.value.__cause__ is None
    return caught.value.reason


# Names that stand twice

DUPLICATES = {
    "at the top": b'{"model":"a","model":"b"}',
    "with the same value": b'{"model":"a","model":"a"}',
    "far apart": b'{"model":1,"b":2,"c":{"d":[]},"model":3}',
    "in an object": b'{"a":{"model":1,"model":2}}',
    "in an array": b'[{"model":1},{"model":1,"model":2}]',
    "at the 64th level": b"[" * 63 + b'{"model":1,"model":2}' + b"]" * 63,
    "one escaped": b'{"model":1,"mod\\u0065l":2}',
    "both escaped": b'{"\\u006dodel":1,"mod\\u0065l":2}',
    "escaped in two cases": b'{"\\u00eb":1,"\\u00EB":2}',
    "escaped and in UTF-8": '{"ë":1,"\\u00eb":2}'.encode(),
    "a pair of surrogates and UTF-8": '{"😀":1,"\\ud83d\\ude00":2}'.encode(),
    "a solidus, escaped and not": b'{"a/b":1,"a\\/b":2}',
    "escaped short and long": b'{"\\n":1,"\\u000a":2}',
    "empty": b'{"":1,"":2}',
    "three times": b'{"a":1,"a":2,"a":3}',
    "among a thousand": json.dumps({str(n): n for n in range(1000)}).encode()[:-1] + b',"7":0}',
    "longer than any cache": b'{"' + b"n" * 10_000 + b'":1,"' + b"n" * 10_000 + b'":2}',
}


@pytest.mark.parametrize("data", DUPLICATES.values(), ids=DUPLICATES)
def test_a_name_stands_once_in_an_object(data):
    assert reason(data) is Reason.DUPLICATE_KEY


def test_the_refusal_says_which_name_stands_twice():
    with pytest.raises(Refusal, match='"model"'):
        loads(b'{"model":"a","model":"b"}')


DISTINCT = {
    "in other objects": b'[{"a":1},{"a":2},{"b":{"a":3}}]',
    "in another case": b'{"model":1,"Model":2,"MODEL":3}',
    "with a space": b'{"model":1,"model ":2," model":3}',
    "composed and not": '{"\u00fc":1,"u\u0308":2}'.encode(),
    "in other alphabets": '{"model":1,"m\u043edel":2}'.encode(),
    "with an escaped backslash": b'{"a":1,"\\\\u0061":2}',
}


@pytest.mark.parametrize("data", DISTINCT.values(), ids=DISTINCT)
def test_names_that_differ_are_different(data):
    assert loads(data) == json.loads(data)


# Depth

SHAPES = {
    "arrays": (b"[", b"1", b"]"),
    "empty arrays": (b"[", b"", b"]"),
    "objects": (b'{"a":', b"1", b"}"),
    "an array that goes on": (b"[0,", b"1", b",0]"),
    "an object that goes on": (b'{"a":0,"b":', b"1", b',"c":0}'),
}


def nested(shape, depth):
    opening, core, closing = SHAPES[shape]
    return opening * depth + core + closing * depth


@pytest.mark.parametrize("shape", SHAPES)
def test_64_levels_are_read_and_65_are_not(shape):
    assert loads(nested(shape, 64)) == json.loads(nested(shape, 64))
    assert reason(nested(shape, 65)) is Reason.INVALID_REQUEST


def test_empty_objects_count_as_a_level():
    assert loads(b"[" * 63 + b"{}" + b"]" * 63)
    assert reason(b"[" * 64 + b"{}" + b"]" * 64) is Reason.INVALID_REQUEST


def test_levels_of_arrays_and_objects_add_up():
    def mixed(pairs):
        return b'[{"a":' * pairs + b"1" + b"}]" * pairs

    assert loads(mixed(32)) == json.loads(mixed(32))
    assert reason(mixed(33)) is Reason.INVALID_REQUEST


def test_a_wide_text_is_not_deep():
    wide = b"[" + b'{"a":[]},' * 1000 + b"[]]"
    assert loads(wide) == json.loads(wide)


def test_brackets_in_strings_are_no_levels():
    text = json.dumps("[{" * 1000).encode()
    assert loads(text) == "[{" * 1000


@pytest.mark.parametrize("depth", [200, 2000, 100_000, 1_000_000])
def test_great_depth_is_refused_and_nothing_worse(depth):
    for shape in ("arrays", "objects"):
        assert reason(nested(shape, depth)) is Reason.INVALID_REQUEST
        assert reason(SHAPES[shape][0] * depth) is Reason.INVALID_REQUEST


@pytest.mark.parametrize("limit", [0, 1, 2, 10])
def test_the_limit_can_be_lower(limit):
    assert loads(nested("empty arrays", limit) or b"1", max_depth=limit) is not None
    assert reason(nested("empty arrays", limit + 1), max_depth=limit) is Reason.INVALID_REQUEST


def test_the_limit_unless_told_otherwise():
    assert MAX_DEPTH == 64


# Numbers

TOO_LARGE = [
    b"1e999",
    b"-1e999",
    b"1E+999",
    b"1e00000000000000000000999",
    b"1e99999999999999999999",
    b"1.7976931348623159e308",
    b"9" * 309 + b".0",
    b"9" * 309 + b"e0",
    b"1" + b"0" * 210 + b"e99",
    b"1" + b"0" * 250 + b"e99",
    b"1" + b"0" * 300 + b"e+9",
    b"-" + b"9" * 300 + b"e9",
    b'{"a":[{"b":1e999}]}',
]


@pytest.mark.parametrize("data", TOO_LARGE)
def test_a_number_beyond_a_double_is_refused(data):
    assert reason(data) is Reason.INVALID_REQUEST


@pytest.mark.parametrize("exponent", [0, 9, 10, 98, 99, 100, 101, 200, 307, 308, 309])
def test_no_number_becomes_infinite(exponent):
    for digits in range(1, 420):
        text = b"9" * digits + b".5e%d" % exponent
        if digits + exponent > 308:
            assert reason(text) is Reason.INVALID_REQUEST
        else:
            assert loads(text) == float(text)


INTEGERS = [
    0,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63),
    -(2**63) - 1,
    10**30 + 1,
    -(10**30) - 1,
    10**400 + 1,
    10**4299 + 1,
]


@pytest.mark.parametrize("number", INTEGERS, ids=lambda number: f"{number.bit_length()} bits")
def test_integers_keep_their_value(number):
    text = str(number).encode()
    assert loads(text) == number
    assert dumps(number) == text
    assert dumps(loads(b'{"a":[' + text + b',0.2,"\xc3\xa9"]}')) == (
        b'{"a":[' + text + b',0.2,"\xc3\xa9"]}'
    )


def test_an_integer_that_python_would_not_write_is_not_read():
    assert reason(b"9" * 4301) is Reason.INVALID_REQUEST


@pytest.mark.parametrize(
    "text",
    [b"0.2", b"0.1", b"-0.0", b"1.0", b"100.0", b"1e-7", b"5e-324"],
)
def test_fractions_are_written_as_they_came(text):
    assert dumps(loads(text)) == text


def test_an_integer_and_a_fraction_stay_what_they_are():
    assert dumps(loads(b"[1,1.0]")) == b"[1,1.0]"


def test_true_is_not_1():
    assert loads(b"[true,false,1,0]") == [True, False, 1, 0]
    assert [type(value) for value in loads(b"[true,false,1,0]")] == [bool, bool, int, int]


# What is no JSON

NO_JSON = {
    "nothing": b"",
    "a space": b" ",
    "NaN": b"NaN",
    "NaN within": b'{"a":NaN}',
    "Infinity": b"Infinity",
    "-Infinity": b"[-Infinity]",
    "nan": b"nan",
    "inf": b"inf",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a byte order mark within": b"{\xef\xbb\xbf}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16, little-endian": '{"a":1}'.encode("utf-16-le"),
    "UTF-16, big-endian": '{"a":1}'.encode("utf-16-be"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "a byte that is no UTF-8": b'"\xff"',
    "UTF-8 cut short": b'"\xf0\x9f\x98"',
    "overlong UTF-8": b'"\xc0\x80"',
    "UTF-8 beyond Unicode": b'"\xf4\x90\x80\x80"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "a lone leading surrogate": b'"\\ud800"',
    "a lone trailing surrogate": b'"\\udc00"',
    "surrogates in the wrong order": b'"\\udc00\\ud800"',
    "two leading surrogates": b'"\\ud800\\ud800"',
    "a leading surrogate and a letter": b'"\\ud800a"',
    "a lone surrogate in a name": b'{"\\ud800":1}',
    "Latin-1": b'{"a":"\xe9"}',
    "a second value": b"{}{}",
    "a second line": b"{}\n{}",
    "a trailing word": b"{} x",
    "a trailing comma": b"{},",
    "a trailing NUL": b"{}\x00",
    "a trailing bracket": b"[]]",
    "a comma too much in an array": b"[1,]",
    "a comma too much in an object": b'{"a":1,}',
    "a comma too few": b"[1 2]",
    "a comma alone": b"[,]",
    "a colon too few": b'{"a" 1}',
    "no value": b'{"a":}',
    "no end": b'{"a":1',
    "no end of a string": b'"a',
    "a comment": b"/* a */ 1",
    "a comment to the end of the line": b"1 // a",
    "a comment with a hash": b"1 # a",
    "single quotes": b"'a'",
    "a name without quotes": b"{a:1}",
    "a number for a name": b"{1:2}",
    "null for a name": b"{null:1}",
    "a raw line feed in a string": b'"a\nb"',
    "a raw tab in a string": b'"a\tb"',
    "a raw NUL in a string": b'"a\x00b"',
    "an unknown escape": b'"\\x41"',
    "an escape cut short": b'"\\u12"',
    "an escaped apostrophe": b'"\\\'"',
    "a leading zero": b"01",
    "a leading zero, negative": b"-01",
    "a plus": b"+1",
    "a minus alone": b"-",
    "a space after the minus": b"- 1",
    "a fraction without digits": b"1.",
    "a fraction without an integer": b".5",
    "an exponent without digits": b"1e",
    "an exponent with a sign alone": b"1e+",
    "hexadecimal": b"0x10",
    "underscores": b"1_000",
    "fullwidth digits": "\uff11".encode(),
    "another case": b"TRUE",
    "half a word": b"tru",
    "undefined": b"undefined",
    "a form feed": b"\x0c1",
    "a no-break space": b"\xc2\xa01",
}


@pytest.mark.parametrize("data", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_refused(data):
    assert reason(data) is Reason.INVALID_REQUEST


READ = {
    "white space": (b' \t\r\n{ "a" : [ 1 , 2 ] }\n', {"a": [1, 2]}),
    "null": (b"null", None),
    "a string": (b'"a"', "a"),
    "all escapes": (b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"', '"\\/\b\f\n\r\t\x00'),
    "a pair of surrogates": (b'"\\ud83d\\ude00"', "😀"),
    "a noncharacter": (b'"\\uffff"', "\uffff"),
    "a byte order mark in a string": (b'"\xef\xbb\xbf"', "\ufeff"),
    "DEL in a string": (b'"\x7f"', "\x7f"),
    "separators of Unicode in a string": ('"\u2028\u2029\x85"'.encode(), "\u2028\u2029\x85"),
    "names that objects have": (b'{"__proto__":1,"__class__":2}', {"__proto__": 1, "__class__": 2}),
    "a very small number": (b"1e-999", 0.0),
}


@pytest.mark.parametrize(("data", "value"), READ.values(), ids=READ)
def test_json_is_read(data, value):
    assert loads(data) == value


def test_the_order_of_names_stays():
    text = b'{"b":1,"a":2,"10":3,"9":4}'
    assert dumps(loads(text)) == text


def test_text_is_written_in_utf_8():
    assert dumps({"é": "😀"}) == '{"é":"😀"}'.encode()


# Whatever comes

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda below: st.lists(below) | st.dictionaries(TEXT, below),
    max_leaves=20,
)


@given(VALUES)
@example(10**400)
@example([10**400, 1e300, -0.0, "\x00\ufeff\U0010ffff", {"": None}])
def test_what_is_written_is_read_as_it_was(value):
    assert loads(dumps(value)) == value


@given(VALUES)
def test_other_writers_are_understood(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert loads(text.encode()) == value


@given(st.binary(max_size=100))
@example(b"[" * 300)
@example(b"9" * 5000)
def test_any_bytes_are_refused_or_read_as_by_others(data):
    try:
        value = loads(data)
    except Refusal:
        return
    assert value == json.loads(data)
    assert loads(dumps(value)) == value


JSONISH = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"a"',
            '"\\u0061"',
            '"b"',
            "1",
            "-",
            "1e999",
            "NaN",
            "null",
            " ",
        ]
    ),
    max_size=14,
).map("".join)


@given(JSONISH)
@example('{"a":1,"\\u0061":1}')
def test_what_is_read_is_what_a_careful_reader_reads(text):
    def once(pairs):
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            raise ValueError(names)
        return dict(pairs)

    def never(word):
        raise ValueError(word)

    try:
        expected = json.loads(text, object_pairs_hook=once, parse_constant=never)
    except ValueError:
        reason(text.encode())
        return
    if "1e999" in text:
        reason(text.encode())
    else:
        assert loads(text.encode()) == expected
