import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config import claim_path

SPELLINGS = {
    "one key": ("roles", ("roles",)),
    "dots part keys": ("realm_access.roles", ("realm_access", "roles")),
    "the page's Keycloak path": (
        "resource_access.litellm-test-client-id.roles",
        ("resource_access", "litellm-test-client-id", "roles"),
    ),
    "a backslash escapes a dot": (
        r"resource_access.com\.example\.gw.roles",
        ("resource_access", "com.example.gw", "roles"),
    ),
    "a JSON pointer": (
        "/resource_access/com.example.gw/roles",
        ("resource_access", "com.example.gw", "roles"),
    ),
    "a pointer's ~1 is a slash and ~0 a tilde": ("/a~1b/m~0n/~01", ("a/b", "m~n", "~1")),
    "a list is literal": (["/a", "b.c", "~1"], ("/a", "b.c", "~1")),
    "a claim named by a URL": (["https://acme.example/roles"], ("https://acme.example/roles",)),
    "sixteen keys": (".".join("abcdefghijklmnop"), tuple("abcdefghijklmnop")),
}
REFUSED = {
    "nothing": "",
    "a pointer to the whole": "/",
    "an empty list": [],
    "an empty key": ["a", ""],
    "two dots": "a..b",
    "a dot at the end": "a.",
    "two slashes": "/a//b",
    "seventeen keys": ".".join("abcdefghijklmnopq"),
}
keys = st.lists(st.text(min_size=1), min_size=1, max_size=16)


@pytest.mark.parametrize(("spelling", "path"), SPELLINGS.values(), ids=SPELLINGS)
def test_three_spellings_lead_to_literal_keys(spelling, path):
    assert claim_path.parse(spelling) == path


@pytest.mark.parametrize("spelling", REFUSED.values(), ids=REFUSED)
def test_a_path_has_keys_and_none_is_empty(spelling):
    with pytest.raises(ValueError, match="a claim path has at"):
        claim_path.parse(spelling)


@given(keys)
def test_a_list_written_as_a_pointer_is_the_same_path(path):
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)
    assert claim_path.parse(pointer) == claim_path.parse(path) == tuple(path)


@given(keys.filter(lambda path: "\\" not in "".join(path) and not path[0].startswith("/")))
def test_a_list_written_with_dots_is_the_same_path(path):
    assert claim_path.parse(".".join(key.replace(".", "\\.") for key in path)) == tuple(path)
