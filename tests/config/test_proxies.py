import os

import pytest

from rolecall.config.proxies import proxy_for

HTTPS = {"HTTPS_PROXY": "http://proxy.example:3128"}


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://api.example.com", None),
        (HTTPS, "https://api.example.com/v1", "http://proxy.example:3128"),
        (HTTPS, "http://api.example.com", None),
        ({"HTTP_PROXY": "http://plain:1"}, "http://api.example.com", "http://plain:1"),
        (HTTPS | {"NO_PROXY": "example.com"}, "https://api.example.com", None),
        (HTTPS | {"NO_PROXY": "api.example.com"}, "https://api.example.com", None),
        (HTTPS | {"NO_PROXY": "*"}, "https://api.example.com", None),
        (HTTPS | {"NO_PROXY": "ple.com"}, "https://api.example.com", "http://proxy.example:3128"),
        (HTTPS, "https://localhost/", None),
        (HTTPS, "https://127.0.0.1:8080/", None),
        (HTTPS, "https://[::1]/", None),
    ],
)
def test_a_proxy_is_named_by_the_environment_and_is_not_used_for_loopback(
    monkeypatch, environ, url, proxy
):
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy
