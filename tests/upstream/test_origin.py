"""Where a connection leads is read out of the URL and the environment."""

import pytest

from rolecall.config import Proxy, Tls
from rolecall.upstream.origin import Target


@pytest.mark.parametrize(
    ("url", "host", "port", "shown", "path"),
    [
        ("http://a.example", "a.example", 80, b"a.example", b"/"),
        ("https://a.example/v1/chat", "a.example", 443, b"a.example", b"/v1/chat"),
        ("http://A.Example:80/", "a.example", 80, b"a.example", b"/"),
        ("https://a.example:80/", "a.example", 80, b"a.example:80", b"/"),
        ("https://[2001:DB8::1]/", "2001:db8::1", 443, b"[2001:db8::1]", b"/"),
        ("http://[::1]:8080/", "::1", 8080, b"[::1]:8080", b"/"),
        ("https://b\u00fccher.example:8443/", "xn--bcher-kva.example", 8443,
         b"xn--bcher-kva.example:8443", b"/"),
        ("https://example.b\u00fccher:8443/", "example.xn--bcher-kva", 8443,
         b"example.xn--bcher-kva:8443", b"/"),
        ("http://under_score.example/%2F%20", "under_score.example", 80,
         b"under_score.example", b"/%2F%20"),
    ],
)  # fmt: skip
def test_a_url_is_taken_apart(url, host, port, shown, path):
    target = Target.of(url, None)
    assert (target.origin.host, target.origin.port) == (host, port)
    assert (target.host, target.path) == (shown, path)
    assert target.origin.secure is url.startswith("https")


def test_connections_are_shared_by_address_trust_and_way(monkeypatch):
    def origin(url, tls=None):
        return Target.of(url, tls).origin

    one = origin("https://a.example/1")
    assert one == origin("https://A.example:443/2")
    assert one != origin("http://a.example:443/1")
    assert one != origin("https://b.example/1")
    assert one != origin("https://a.example/1", Tls("ca.pem"))
    assert origin("https://a.example", Tls("ca.pem")) == origin("https://a.example", Tls("ca.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert one != origin("https://a.example/1")


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128, None)),
        ("proxy.example:3128", Proxy("proxy.example", 3128, None)),
        ("http://proxy.example/", Proxy("proxy.example", 80, None)),
        ("http://a:b@[::1]:1", Proxy("::1", 1, b"Basic YTpi")),
        ("http://a@proxy.example", Proxy("proxy.example", 80, b"Basic YTo=")),
        ("http://%3A:%40@proxy.example", Proxy("proxy.example", 80, b"Basic OjpA")),
    ],
)
def test_a_proxy_is_read_out_of_the_environment(monkeypatch, value, proxy):
    monkeypatch.setenv("HTTPS_PROXY", value)
    assert Target.of("https://a.example/", None).origin.proxy == proxy
    assert Target.of("http://a.example/", None).origin.proxy is None


@pytest.mark.parametrize(
    ("bypass", "straight"),
    [("a.example", True), (".example", True), ("*", True), ("b.example", False), ("", False)],
)
def test_no_proxy_names_what_goes_straight(monkeypatch, bypass, straight):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", bypass)
    assert (Target.of("https://a.example/", None).origin.proxy is None) is straight


@pytest.mark.parametrize("proxy", ["https://proxy.example", "socks5://proxy.example", "http://"])
def test_a_proxy_that_cannot_be_used_is_an_error_and_no_way_around_it(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ValueError, match=r"plain HTTP|no host"):
        Target.of("https://a.example/", None)
