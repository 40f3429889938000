"""Tokens that are bound to a client certificate (RFC 8705 3), behind a proxy that ends TLS."""

import base64
import hashlib

import pytest

from . import test_bound_tokens as with_keys
from .parts import serving
from .parts.doors import CHAT, refused
from .parts.tokens import token

OURS, THEIRS = b"our certificate's DER", b"their certificate's DER"


@pytest.fixture(scope="module")
def gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    with serving.running(folder, sections(folder, the_upstream, "127.0.0.1")) as running:
        yield running


def sections(folder, upstream, proxy, **more):
    url = {"url": with_keys.URL}
    found = serving.configuration(folder, upstream.url, resource=url)
    found["issuers"][0] |= {"certificate_bound": "optional", "dpop": "optional", **more}
    found["server"] = {"client_certificate": {"proxies": proxy}}
    return found


def x5t(certificate):
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")


def bound(**more):
    return token("basic_user", cnf={"x5t#S256": x5t(OURS), **more})


def sent(held, *certificates, name="Authorization", scheme="Bearer "):
    return [
        (name, f"{scheme}{held}"),
        *(("Client-Cert", f":{base64.b64encode(one).decode()}:") for one in certificates),
    ]


def test_c46_every_endpoint_takes_a_token_with_its_certificate(gateway):
    held = sent(bound(), OURS)
    for _ in range(2):
        assert gateway.post(CHAT.path, CHAT.body(), *held, authorised=False).status == 200
        for path in ("/v1/models", "/v1/models/gpt", "/whoami"):
            assert gateway.get(path, *held, authorised=False).status == 200
    body = {"model": "gpt"}
    assert gateway.post("/explain", body, *held, authorised=False).status == 200


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "x-goog-api-key"])
def test_c46_so_does_every_header_for_tokens(gateway, name):
    held = sent(bound(), OURS, name=name, scheme="")
    assert gateway.get("/whoami", *held, authorised=False).status == 200
    held = sent(bound(), THEIRS, name=name, scheme="")
    refused(gateway.get("/whoami", *held, authorised=False), "sender_mismatch", "openai")


@pytest.mark.parametrize(
    ("certificates", "reason"),
    [
        ([], "sender_mismatch"),
        ([THEIRS], "sender_mismatch"),
        ([OURS, OURS], "invalid_client_certificate"),
        ([b""], "invalid_client_certificate"),
    ],
    ids=["none", "another's", "two", "an empty one"],
)
def test_c46_t29_without_it_the_token_is_of_no_use_remembered_or_not(gateway, certificates, reason):
    held = bound()
    for _ in range(2):
        reply = gateway.post(CHAT.path, CHAT.body(), *sent(held, *certificates), authorised=False)
        sentence = refused(reply, reason, "openai")
        assert base64.b64encode(THEIRS).decode() not in sentence
        right = sent(held, OURS)
        assert gateway.post(CHAT.path, CHAT.body(), *right, authorised=False).status == 200


def test_c46_t29_a_token_that_is_bound_both_ways_needs_both(gateway):
    held = bound(**with_keys.BOUND)
    proven = [*with_keys.sent(held, "GET", "/whoami"), sent(held, OURS)[1]]
    assert gateway.get("/whoami", *proven, authorised=False).status == 200
    without_certificate = with_keys.sent(held, "GET", "/whoami")
    without_proof = sent(held, OURS)
    for headers in (without_certificate, without_proof):
        reply = gateway.get("/whoami", *headers, authorised=False)
        refused(reply, "sender_mismatch", "openai")


def test_c46_t29_whoever_is_no_proxy_shows_nothing_with_a_header(tmp_path, upstream):
    with serving.running(tmp_path, sections(tmp_path, upstream, "10.0.0.1")) as gateway:
        reply = gateway.get("/whoami", *sent(bound(), OURS), authorised=False)
        refused(reply, "sender_mismatch", "openai")


def test_c46_bearer_tokens_go_on_whatever_the_header_holds(gateway):
    assert gateway.get("/whoami").status == 200
    assert gateway.get("/whoami", ("Client-Cert", "nonsense")).status == 200


def test_c46_t29_the_certificate_never_goes_upstream(gateway, upstream):
    held = sent(bound(), OURS)
    assert gateway.post(CHAT.path, CHAT.body(), *held, authorised=False).status == 200
    (received,) = upstream.received
    assert "accept" in received.names or "content-type" in received.names
    assert "client-cert" not in received.names
    assert base64.b64encode(OURS).decode() not in repr(received)


def test_c31_the_metadata_say_so(gateway, tmp_path, upstream):
    path = "/.well-known/oauth-protected-resource"
    told = gateway.get(path, authorised=False).json
    assert told["tls_client_certificate_bound_access_tokens"] is True
    plain = serving.configuration(tmp_path, upstream.url, resource={"url": with_keys.URL})
    with serving.running(tmp_path, plain) as other:
        told = other.get(path, authorised=False).json
        assert "tls_client_certificate_bound_access_tokens" not in told
