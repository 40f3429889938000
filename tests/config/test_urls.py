import re

import pytest

from rolecall.config import urls

PLAIN_HTTP = "uses plain http, which is accepted on loopback addresses alone; use https"
NO_URL = "is not a URL; write https://host/path"
USER = "must not hold a user name or password"
FRAGMENT = "must not hold a fragment (#…)"
SCHEME = "must begin with https://"

ACCEPTED = [
    "https://login.example.com/keys",
    "https://login.example.com",
    "https://login.example.com:8443/keys?appid=1",
    "HTTPS://login.example.com/",
    "https://10.0.0.7/keys",
    "https://[2001:db8::1]/keys",
    "http://localhost/keys",
    "http://LOCALHOST:8080/keys",
    "http://localhost.:8080/keys",
    "http://127.0.0.1:8080/keys",
    "http://127.8.9.10/keys",
    "http://[::1]:8080/keys",
]
REFUSED = {
    "http://login.example.com/keys": PLAIN_HTTP,
    "http://127.0.0.1.evil.com/keys": PLAIN_HTTP,
    "http://localhost.evil.com/keys": PLAIN_HTTP,
    "http://localhost.evil/keys": PLAIN_HTTP,
    "http://evil-localhost/keys": PLAIN_HTTP,
    "http://evil.com/localhost": PLAIN_HTTP,
    "http://evil.com?localhost": PLAIN_HTTP,
    "http://localhost\\.evil.com/keys": PLAIN_HTTP,
    "http://128.0.0.1/keys": PLAIN_HTTP,
    "http://10.0.0.7/keys": PLAIN_HTTP,
    "http://0.0.0.0/keys": PLAIN_HTTP,
    "http://127.1/keys": PLAIN_HTTP,
    "http://2130706433/keys": PLAIN_HTTP,
    "http://0x7f000001/keys": PLAIN_HTTP,
    "http://[::2]/keys": PLAIN_HTTP,
    "http://[::]/keys": PLAIN_HTTP,
    "https://user:pass@login.example.com/keys": USER,
    "https://user@login.example.com/keys": USER,
    "https://@login.example.com/keys": USER,
    "http://localhost@evil.com/keys": USER,
    "http://localhost:80@evil.com/keys": USER,
    "http://localhost\\@evil.com/keys": USER,
    "https://login.example.com/keys#top": FRAGMENT,
    "https://login.example.com/keys#": FRAGMENT,
    "http://evil.com#@localhost": FRAGMENT,
    "ftp://login.example.com/keys": SCHEME,
    "file://localhost/etc/passwd": SCHEME,
    "javascript://localhost/%0aalert(1)": SCHEME,
    "ws://localhost/": SCHEME,
    "//login.example.com/keys": SCHEME,
    "": NO_URL,
    "login.example.com/keys": NO_URL,
    "https:///keys": NO_URL,
    "https://:443/keys": NO_URL,
    "https:login.example.com": NO_URL,
    "file:///etc/passwd": NO_URL,
    " https://login.example.com": NO_URL,
    "https://login.example.com/a b": NO_URL,
    "https://login.exam\tple.com/": NO_URL,
    "https://login.example.com/\r\nHost: evil.com": NO_URL,
    "https://login.example.com/\x00": NO_URL,
    "https://login.example.com/\x7f": NO_URL,
    "https://login.example.com:99999/": "is not a URL",
    "https://login.example.com:x/": "is not a URL",
    "https://[::1/keys": "is not a URL",
    "https://[1.2.3.4]/keys": "is not a URL",
    "https://ex\u2100mple.com/": "is not a URL",
}


@pytest.mark.parametrize("url", ACCEPTED)
def test_https_is_accepted_and_http_on_loopback(url):
    urls.check(url)


@pytest.mark.parametrize(("url", "sentence"), REFUSED.items())
def test_every_other_url_is_refused_with_what_to_do(url, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        urls.check(url)


@pytest.mark.parametrize("url", ["https://api.example.com/v1?key=1", "https://api.example.com/?"])
def test_a_query_is_refused_where_a_path_will_be_added(url):
    urls.check(url)
    with pytest.raises(ValueError, match="must not hold a query"):
        urls.check(url, query=False)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("10.0.0.7", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd00::7", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("93.184.216.34", False),
        ("login.example.com", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_a_private_address_may_be_written_out(host, private):
    assert urls.is_private(host) == private
