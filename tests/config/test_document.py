"""YAML as a configuration means it: plain values, positions, and no surprises."""

import itertools

import pytest

from rolecall.config import ConfigurationError
from rolecall.config.document import Document, dotted, parse, read

REFUSED = {
    "an empty file": ("", "1:1: error: holds no settings: write keys and values, as in the"),
    "comments alone": ("# nothing\n", "1:1: error: holds no settings"),
    "a null": ("~", "1:1: error: holds no settings"),
    "a list": ("- a\n", "1:1: error: holds no settings"),
    "a word": ("serve", "1:1: error: holds no settings"),
    "a tab for indentation": ("rules:\n\t- allow: [a]\n", "2:1: error: not valid YAML: found ch"),
    "an open bracket": ("rules: [\n", "2:1: error: not valid YAML: "),
    "an open quote": ("rules: 'a\n", "2:1: error: not valid YAML: "),
    "two values in one line": ("a: b: c", "1:5: error: not valid YAML: mapping values are not"),
    "two documents": ("a: 1\n---\nb: 2\n", "2:1: error: not valid YAML: but found another docu"),
    "an alias of nothing": ("a: *b", "1:4: error: not valid YAML: found undefined alias."),
    "a control character": ("a: \x00", "error: not valid YAML: unacceptable character #x0000"),
    "a Latin-1 letter": ("a: é".encode("latin-1"), "error: is not UTF-8 text."),
    "UTF-16": ("a: b".encode("utf-16"), "error: is not UTF-8 text."),
    "half a surrogate": (b"a: \xed\xa0\x80", "error: is not UTF-8 text."),
    "a list as a key": ("[a]: b", "1:1: error: has a key that is not a plain word."),
    "a mapping as a key": ("{a: b}: c", "1:1: error: has a key that is not a plain word."),
    "many open brackets": ("a: " + "[" * 500, "error: is nested too deeply."),
    "many levels": ("a: " + "[" * 500 + "]" * 500, "error: is nested too deeply."),
}
TAGS = {
    "a word of our own": ("a: !secret b", "1:4: error: a: has a tag;"),
    "a string": ("a: !!str no", "1:4: error: a: has a tag;"),
    "no number": ("a: !!int abc", "1:4: error: a: has a tag;"),
    "binary": ("a: !!binary aGk=", "1:4: error: a: has a tag;"),
    "a Python object": ("a: !!python/object/apply:os.system ['id']", "1:4: error: a: has a tag;"),
    "a list": ("a: !x [b]", "1:4: error: a: has a tag;"),
    "a mapping": ("a:\n  - !x {b: c}", "2:5: error: a[0]: has a tag;"),
    "the whole file": ("!x\na: b", "1:1: error: has a tag;"),
    "a key": ("!!str a: b", "1:1: error: has a key that is not a plain word."),
    "the mark of no tag": ("a: ! b", "1:4: error: a: has a tag;"),
}
SCALARS = {
    "no": "no",
    "yes": "yes",
    "on": "on",
    "Off": "Off",
    "y": "y",
    "NO": "NO",
    "true": True,
    "False": False,
    "tRue": "tRue",
    "'true'": "true",
    "~": None,
    "null": None,
    "": None,
    "'null'": "null",
    "12": 12,
    "-7": -7,
    "+7": 7,
    "'12'": "12",
    "0o17": "0o17",
    "0x1F": "0x1F",
    "1_000": "1_000",
    "010": 10,
    "12:30": "12:30",
    "190:20:30": "190:20:30",
    "1.5": 1.5,
    ".5": 0.5,
    "1e3": 1000.0,
    "1.2.3": "1.2.3",
    ".inf": ".inf",
    ".nan": ".nan",
    "2026-01-31": "2026-01-31",
    "2026-01-31T12:00:00Z": "2026-01-31T12:00:00Z",
    "=": "=",
    "9" * 18: int("9" * 18),
    "9" * 5000: "9" * 5000,
    '"a\\tb"': "a\tb",
    "os.environ/KEY": "os.environ/KEY",
    "gpt-4o # the large one": "gpt-4o",
}


def data_of(text):
    return parse(text, Document("rolecall.yaml")).data


@pytest.mark.parametrize(("text", "beginning"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_configuration_is_refused_where_it_goes_wrong(told, text, beginning):
    assert told(text)[0].strip().startswith(beginning)


@pytest.mark.parametrize(("text", "beginning"), TAGS.values(), ids=TAGS)
def test_tags_are_refused_everywhere(told, text, beginning):
    assert any(line.startswith(beginning) for line in told(text))


@pytest.mark.parametrize(("written", "value"), SCALARS.items(), ids=[s[:20] for s in SCALARS])
def test_words_stay_words(written, value):
    read_back = data_of(f"a: {written}")["a"]
    assert (read_back, type(read_back)) == (value, type(value))


def test_a_byte_order_mark_is_read_over(told):
    assert told(b"\xef\xbb\xbfroutes: []") == [
        "1:1: error: routes: unknown key: did you mean rules?"
    ]


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
def test_every_line_break_counts(told, break_):
    assert told(f"# a comment{break_}zzz: 1{break_}") == [
        "2:1: error: zzz: unknown key: remove it, or see the list of keys."
    ]


def test_an_alias_stands_for_its_anchor():
    assert data_of("a: &names [x, y]\nb: *names")["b"] == ["x", "y"]


def test_a_merge_key_is_a_key_like_any_other():
    assert data_of("a: &a {x: 1}\nb: {<<: *a, y: 2}")["b"] == {"<<": {"x": 1}, "y": 2}


def test_aliases_of_aliases_are_counted():
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in itertools.pairwise(names):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    with pytest.raises(ConfigurationError, match="one value too many: a file holds at most 100000"):
        data_of("\n".join(lines))


def test_an_alias_of_itself_ends():
    document = parse("a: &a [*a]", Document("rolecall.yaml"))
    assert [p.message for p in document.problems] == ["is nested deeper than 32 levels."]


def test_thirty_two_levels_are_read():
    within, beyond = ("a: " + "[" * depth + "]" * depth for depth in (32, 33))
    assert parse(within, Document("rolecall.yaml")).problems == []
    assert len(parse(beyond, Document("rolecall.yaml")).problems) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "rules: []\nmodels: []\nrules: []\n",
            "3:1: error: rules: stands twice in this mapping, first in line 1; keep one.",
        ),
        (
            "limits:\n  body_bytes: 2048\n  'body_bytes': 4096\n",
            (
                "3:3: error: limits.body_bytes: stands twice in this mapping, first in line 2;"
                " keep one."
            ),
        ),
        (
            'limits: {"body_bytes": 2048, "body\\u005fbytes": 4096}',
            (
                "1:30: error: limits.body_bytes: stands twice in this mapping, first in line 1;"
                " keep one."
            ),
        ),
    ],
    ids=["at the top", "quoted", "escaped"],
)
def test_a_duplicate_key_is_an_error(told, text, line):
    assert line in told(text)


def test_a_file_that_cannot_be_read_is_a_problem_without_a_line(tmp_path):
    for path, sentence in [
        (tmp_path / "absent.yaml", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: error: cannot be read: {sentence}."


def test_a_key_path_is_written_as_people_do():
    assert dotted(("model_list", 0, "litellm_params", "model")) == (
        "model_list[0].litellm_params.model"
    )


@pytest.mark.parametrize(
    ("text", "line", "source"),
    [
        ("rules:\n  - allow: [a] # ours\n    models: [m]\n", 2, "- allow: [a] # ours"),
        ("rules: [{allow: [a], models: [m]}, {deny: [b]}]", 1, "{allow: [a], models: [m]}"),
        ('{"rules": [{"allow": ["a"]}], "models": []}', 1, '{"allow": ["a"]}'),
        ("rules: [\n  {allow: [a],\n   models: [m]}]", 2, "{allow: [a],"),
    ],
    ids=["a block", "a flow list", "one line of JSON", "a flow over lines"],
)
def test_the_source_of_a_value_is_its_own_text(text, line, source):
    found = parse(text, Document("rolecall.yaml")).source(("rules", 0))
    assert (found.line, found.text) == (line, source)


def test_the_text_says_nothing_about_other_values_in_its_line():
    text = "{rules: [{allow: [a], models: [m]}], models: [{name: m, api_key: k}]}"
    assert "api_key" not in parse(text, Document("rolecall.yaml")).source(("rules", 0)).text
