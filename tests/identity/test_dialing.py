"""Where a URL leads, and the head of a request as it is written."""

import pytest

from rolecall.identity.dialing import Place, written

PLACES = {
    "https": ("https://a.example/keys", Place("a.example", 443, True, "a.example", "/keys")),
    "a port": ("https://a.example:8443/", Place("a.example", 8443, True, "a.example:8443", "/")),
    "http": ("http://127.0.0.1:80", Place("127.0.0.1", 80, False, "127.0.0.1", "/")),
    "a query": ("https://a.example?p=1", Place("a.example", 443, True, "a.example", "/?p=1")),
    "an address": ("https://[::1]:1/k", Place("::1", 1, True, "[::1]:1", "/k")),
    "letters beyond ASCII": (
        "https://bücher.example/ä b",
        Place("xn--bcher-kva.example", 443, True, "xn--bcher-kva.example", "/%C3%A4%20b"),
    ),
    "a fragment": ("https://a.example/k#f", Place("a.example", 443, True, "a.example", "/k")),
}


@pytest.mark.parametrize(("url", "place"), PLACES.values(), ids=PLACES)
def test_a_url_leads_to_a_place(url, place):
    assert Place.of(url) == place


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://a.example/", "data:,x", "/keys", "https://", "https://a:b/", ""],
)
def test_k05_what_is_no_http_url_leads_nowhere(url):
    with pytest.raises(ValueError, match=r"."):
        Place.of(url)


def test_a_head_is_a_line_and_its_fields():
    head = written("GET /keys HTTP/1.1", {"host": "a.example", "accept": "application/json"})
    assert head == b"GET /keys HTTP/1.1\r\nhost: a.example\r\naccept: application/json\r\n\r\n"


@pytest.mark.parametrize("text", ["a\r\nb: c", "a\nb", "a\r", "\n"])
def test_nothing_that_is_written_breaks_a_line(text):
    """CWE-113."""
    for line, fields in ((f"GET /{text} HTTP/1.1", {}), ("GET / HTTP/1.1", {"a": text})):
        with pytest.raises(ValueError, match="line break"):
            written(line, fields)
    with pytest.raises(ValueError, match="line break"):
        written("GET / HTTP/1.1", {text: "a"})
