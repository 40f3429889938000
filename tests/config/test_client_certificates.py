"""``certificate_bound`` and ``server.client_certificate``: whose certificates, and who tells."""

from ipaddress import ip_network

import pytest

BASE = """\
rules: [{allow: ['*'], models: ['*']}]
models: [{name: a, model: gpt-4o, api_key: k}]
issuers:
  - {issuer: https://one.example, audience: a%s}
"""
BOUND = BASE % ", certificate_bound: required"
HEADER = "server: {client_certificate: {%s}}\n"


def errors(problems):
    return [problem for problem in problems if " error: " in problem]


def test_tokens_may_be_bound_to_certificates(settings):
    for written in ("optional", "required"):
        text = BASE % f", certificate_bound: {written}" + HEADER % "proxies: 10.0.0.1"
        (issuer,) = settings(text).issuers
        assert issuer.certificate_bound == written
    (issuer,) = settings(BASE % "").issuers
    assert issuer.certificate_bound is None


@pytest.mark.parametrize(
    ("written", "name", "form"),
    [
        ("", "client-cert", "rfc9440"),
        ("form: rfc9440, header: X-Client", "x-client", "rfc9440"),
        ("form: xfcc", "x-forwarded-client-cert", "xfcc"),
        ("form: pem, header: ssl-client-cert", "ssl-client-cert", "pem"),
    ],
)
def test_a_proxy_tells_in_a_header(settings, written, name, form):
    text = BOUND + HEADER % f"proxies: [10.0.0.1, 'fd00::/8'], {written}".rstrip(", ")
    header = settings(text).certificate_header
    assert (header.name, header.form) == (name, form)
    assert header.proxies == (ip_network("10.0.0.1/32"), ip_network("fd00::/8"))


def test_without_it_no_header_is_read(settings):
    assert settings(BASE % "").certificate_header is None


@pytest.mark.parametrize(
    ("written", "place", "why"),
    [
        ("proxies: [proxy.example]", "proxies[0]", "is neither an IP address nor a network"),
        ("proxies: [10.0.0.1/8]", "proxies[0]", "is neither an IP address nor a network"),
        ("proxies: [10.0.0.1, 0.0.0.0/0]", "proxies[1]", "is everybody"),
        ("proxies: ['::/0']", "proxies[0]", "is everybody"),
        ("proxies: 10.0.0.1, form: pem", "header", "is missing: form pem has no header"),
        ("proxies: 10.0.0.1, header: 'a b'", "header", ""),
        ("proxies: 10.0.0.1, form: der", "form", ""),
        ("form: rfc9440", "proxies", ""),
    ],
)
def test_a_proxy_that_cannot_be_known_is_an_error(told, written, place, why):
    (problem,) = errors(told(BOUND + HEADER % written))
    assert f"server.client_certificate.{place}: {why}" in problem
    assert problem.startswith("5:")


def test_a_certificate_that_nobody_sees_is_an_error(told):
    (problem,) = errors(told(BOUND))
    assert problem.startswith(
        "4:67: error: issuers[0].certificate_bound: needs server.client_certificate"
    )


def test_userinfo_does_not_tell_whose_certificate_it_is(told):
    more = ", certificate_bound: optional, userinfo: {endpoint: 'https://one.example/me'}"
    (problem,) = errors(told(BASE % more + HEADER % "proxies: 10.0.0.1"))
    assert "issuers[0].certificate_bound: does not go with userinfo" in problem


def test_there_is_no_third_way(told):
    text = BASE % ", certificate_bound: maybe" + HEADER % "proxies: 10.0.0.1"
    (problem,) = errors(told(text))
    assert "issuers[0].certificate_bound" in problem
