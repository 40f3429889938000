"""Where the client's certificate of a request comes from: its connection, or a proxy that tells."""

import base64
import hashlib
import ssl
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote

import pytest

from rolecall.config import CertificateHeader
from rolecall.core import Refusal
from rolecall.gateway.client_certificate import shown_certificate
from rolecall.gateway.http1 import CLIENT_CERTIFICATE
from tests.upstream.parts.certificates import Authority

PROXY, NEIGHBOUR, CLIENT = ("10.1.2.3", 1), ("10.1.2.4", 1), ("203.0.113.7", 1)
NETWORKS = (ip_network("10.1.2.3"), ip_network("192.168.0.0/16"), ip_network("fd00::/8"))
RFC9440 = CertificateHeader("client-cert", "rfc9440", NETWORKS)
PEM = CertificateHeader("x-client-pem", "pem", NETWORKS)
XFCC = CertificateHeader("x-forwarded-client-cert", "xfcc", NETWORKS)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A client's certificate, DER."""
    return der(tmp_path_factory.mktemp("certificates"), "client")


def der(folder, name):
    text = Path(Authority(folder, "Test").sign(name)).read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])


def x5t(certificate):
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")


def byte_sequence(certificate):
    return b":" + base64.b64encode(certificate) + b":"


def escaped(certificate, safe=""):
    """nginx's ``$ssl_client_escaped_cert``; with ``+=/`` as AWS's balancers write it."""
    return quote(ssl.DER_cert_to_PEM_cert(certificate), safe).encode()


def hashed(certificate):
    return b"Hash=" + hashlib.sha256(certificate).hexdigest().encode()


def found(header, *values, client=PROXY, extensions=None):
    """The thumbprint, or the reason of the refusal."""
    scope = {
        "client": client,
        "headers": [
            (b"host", b"gateway.example"),
            *((header.name.encode() if header else b"client-cert", value) for value in values),
        ],
    }
    if extensions is not None:
        scope["extensions"] = extensions
    try:
        return shown_certificate(scope, header)
    except Refusal as refusal:
        return refusal.reason.value


ENVOY = (
    b'By=spiffe://mesh/gateway;%b;Cert="%b";Subject="CN=a\\"b,O=x;y";URI=spiffe://mesh/a=b;'
    b"DNS=client.example"
)


@pytest.mark.parametrize(
    ("header", "write"),
    [
        (RFC9440, byte_sequence),
        (RFC9440, lambda one: b" " + byte_sequence(one) + b" "),
        (PEM, escaped),
        (PEM, lambda one: escaped(one, "+=/ ")),
        (PEM, lambda one: escaped(one).replace(b"%0A", b"%0D%0A")),
        (PEM, lambda one: escaped(one).removesuffix(b"%0A")),
        (XFCC, hashed),
        (XFCC, lambda one: hashed(one).upper().replace(b"HASH", b"hash")),
        (XFCC, lambda one: ENVOY % (hashed(one), escaped(one))),
        (XFCC, lambda one: b'Subject="";' + hashed(one)),
    ],
    ids=[
        "RFC 9440",
        "spaces around it",
        "nginx",
        "AWS",
        "CRLF",
        "no last line break",
        "Envoy's hash",
        "in another case",
        "Envoy's details",
        "an empty subject",
    ],
)
def test_c46_a_proxy_tells_of_a_certificate_in_the_form_that_is_configured(
    certificate, header, write
):
    assert found(header, write(certificate)) == x5t(certificate)


@pytest.mark.parametrize(
    ("header", "write"),
    [
        (RFC9440, base64.b64encode),
        (RFC9440, lambda one: byte_sequence(one)[:-1]),
        (RFC9440, lambda one: byte_sequence(one)[1:]),
        (RFC9440, lambda one: byte_sequence(one) + b";a=1"),
        (RFC9440, lambda one: byte_sequence(one) + b", " + byte_sequence(one)),
        (RFC9440, lambda one: b":" + base64.b64encode(one)[:-2] + b"!!:"),
        (RFC9440, lambda one: b":" + base64.b64encode(one + b"x")[:-1] + b":"),
        (RFC9440, lambda _: b"::"),
        (RFC9440, lambda _: b":"),
        (RFC9440, lambda _: b'"text"'),
        (RFC9440, lambda _: b"\xff\xfe"),
        (RFC9440, escaped),
        (PEM, byte_sequence),
        (PEM, lambda one: escaped(one) * 2),
        (PEM, lambda one: escaped(one)[:200]),
        (PEM, lambda one: escaped(one).replace(b"CERTIFICATE", b"PRIVATE%20KEY")),
        (PEM, lambda one: escaped(one).replace(b"%0A", b"%00")),
        (PEM, lambda _: b"-----BEGIN CERTIFICATE-----%0A%0A-----END CERTIFICATE-----"),
        (PEM, lambda _: b"%"),
        (XFCC, lambda one: hashed(one) + b"," + hashed(one)),
        (XFCC, lambda one: hashed(one) + b";" + hashed(one)),
        (XFCC, lambda one: hashed(one)[:-1]),
        (XFCC, lambda one: hashed(one) + b"0"),
        (XFCC, lambda one: b'Subject="' + hashed(one)),
        (XFCC, lambda one: b'Subject=";' + hashed(one) + b'"'),
        (XFCC, lambda one: b"Subject=x," + hashed(one)),
        (XFCC, lambda one: hashed(one) + b";"),
        (XFCC, lambda one: b"XHash=" + hashed(one)[5:]),
        (XFCC, lambda one: b"URI=a;Cert=" + escaped(one)),
        (XFCC, lambda _: b"Hash="),
        (XFCC, lambda _: b";"),
    ],
)
def test_c46_a_header_that_is_not_understood_is_refused(certificate, header, write):
    assert found(header, write(certificate)) == "invalid_client_certificate"


@pytest.mark.parametrize("header", [RFC9440, PEM, XFCC], ids=lambda header: header.form)
def test_c46_a_header_that_is_sent_twice_is_refused(certificate, header):
    write = {"rfc9440": byte_sequence, "pem": escaped, "xfcc": hashed}[header.form]
    twice = [write(certificate)] * 2
    assert found(header, *twice) == "invalid_client_certificate"


@pytest.mark.parametrize("values", [[], [b""], [b"", b""]], ids=["none", "empty", "empty twice"])
def test_c46_a_proxy_whose_client_has_shown_none_says_nothing(values):
    assert found(RFC9440, *values) == "sender_mismatch"


@pytest.mark.parametrize(
    ("client", "believed"),
    [
        (PROXY, True),
        (("192.168.255.255", 1), True),
        (("::ffff:10.1.2.3", 1), True),
        (("fd00::1", 1), True),
        (NEIGHBOUR, False),
        (CLIENT, False),
        (("127.0.0.1", 1), False),
        (("::1", 1), False),
        (("fe80::1", 1), False),
        (("not an address", 1), False),
        (None, False),
    ],
)
def test_c46_a_header_is_believed_of_the_configured_proxies_alone(certificate, client, believed):
    told = found(RFC9440, byte_sequence(certificate), client=client)
    assert told == (x5t(certificate) if believed else "sender_mismatch")


def test_c46_where_no_proxy_is_configured_no_header_is_believed(certificate):
    assert found(None, byte_sequence(certificate), client=PROXY) == "sender_mismatch"


def test_c46_a_connection_s_own_certificate_is_its_client_s(certificate):
    own = {CLIENT_CERTIFICATE: certificate}
    for header in (None, RFC9440):
        assert found(header, client=CLIENT, extensions=own) == x5t(certificate)
        # whoever is no proxy may write what it wants
        forged = byte_sequence(b"another")
        assert found(header, forged, client=CLIENT, extensions=own) == x5t(certificate)


def test_c46_a_proxy_s_own_certificate_is_nobody_else_s(certificate):
    own = {CLIENT_CERTIFICATE: b"the proxy's own"}
    assert found(RFC9440, extensions=own) == "sender_mismatch"
    assert found(RFC9440, byte_sequence(certificate), extensions=own) == x5t(certificate)
