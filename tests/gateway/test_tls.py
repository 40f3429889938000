"""The gateway's own port ends TLS, and sees the certificates of its clients (RFC 8705 3)."""

import base64
import hashlib
import http.client
import json
import logging
import ssl
from pathlib import Path

import pytest

from rolecall.config import ListenerTls
from rolecall.gateway import Gateway, compile_snapshot, tls_context
from tests.parts.clock import Asyncio, Uvloop
from tests.upstream.parts.certificates import Authority

from .parts import serving
from .parts.doors import CHAT
from .parts.polling import SECONDS
from .parts.tokens import token


class Client:
    """Speaks HTTPS, over one connection; ``certificate`` is shown in the handshake."""

    def __init__(self, port, authority, certificate=None, version=None):
        context = ssl.create_default_context(cafile=authority.file)
        if certificate is not None:
            context.load_cert_chain(certificate)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=SECONDS, context=context
        )

    def call(self, held, **headers):
        """The status of a chat call, and the reason code if it is refused."""
        said = {"Authorization": f"Bearer {held}", "Content-Type": "application/json", **headers}
        self._connection.request("POST", CHAT.path, json.dumps(CHAT.body()), said)
        answer = self._connection.getresponse()
        body = json.loads(answer.read())
        return answer.status, body["error"]["code"] if answer.status != 200 else None

    def stream(self, **fields):
        """The events of a streamed chat call."""
        said = {
            "Authorization": f"Bearer {token('basic_user')}",
            "Content-Type": "application/json",
        }
        body = json.dumps(CHAT.body(stream=True, **fields))
        self._connection.request("POST", CHAT.path, body, said)
        answer = self._connection.getresponse()
        assert answer.status == 200
        return answer.read()

    def certificate(self):
        """The server's, DER."""
        return self._connection.sock.getpeercert(binary_form=True)

    def close(self):
        self._connection.close()


OK = (200, None)
MISMATCH = (401, "sender_mismatch")
CLIENTS = ("ours", "theirs", None)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "Clients and servers")


def sections(folder, upstream, authority, **tls):
    found = serving.configuration(folder, upstream.url)
    found["issuers"][0]["certificate_bound"] = "optional"
    server = {"certificate": authority.sign("127.0.0.1"), "client_ca": authority.file, **tls}
    return {**found, "server": {"tls": server}}


@pytest.fixture(scope="module", params=[Asyncio, Uvloop])
def gateway(request, the_upstream, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    found = sections(folder, the_upstream, authority)
    with serving.running(folder, found, request.param) as running:
        yield running


@pytest.fixture
def client(gateway, authority):
    """A function of a certificate's name, if it is to show one: a client."""
    made = []

    def client(name=None, **how):
        certificate = authority.sign(name) if name is not None else None
        made.append(Client(gateway.port, authority, certificate, **how))
        return made[-1]

    yield client
    for one in made:
        one.close()


def der(pem):
    return ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])


def bound_to(authority, name):
    digest = hashlib.sha256(der(Path(authority.sign(name)).read_text())).digest()
    return token(
        "basic_user", cnf={"x5t#S256": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
    )


@pytest.mark.parametrize("name", CLIENTS)
def test_clients_may_show_a_certificate_or_none(client, name):
    one = client(name)
    for _ in range(3):
        assert one.call(token("basic_user")) == OK


def test_streams_and_long_bodies_come_whole(client):
    one = client()
    for events in (one.stream(), one.stream(padding="x" * 50_000)):
        assert events.startswith(b"data: ")
        assert events.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_c46_a_token_comes_over_a_connection_with_its_certificate(client, authority, version):
    held = bound_to(authority, "ours")
    one = client("ours", version=version)
    for _ in range(4):
        assert one.call(held) == OK


@pytest.mark.parametrize("name", ["theirs", None])
def test_c46_t29_over_any_other_it_is_of_no_use(client, authority, name):
    held = bound_to(authority, "ours")
    right, wrong = client("ours"), client(name)
    for _ in range(4):
        assert right.call(held) == OK
        assert wrong.call(held) == MISMATCH


def test_c46_t29_a_header_makes_no_certificate(client, authority):
    told = base64.b64encode(der(Path(authority.sign("ours")).read_text())).decode()
    header = {"Client-Cert": f":{told}:"}
    assert client("theirs").call(bound_to(authority, "ours"), **header) == MISMATCH


def test_a_certificate_of_another_authority_is_not_let_in(gateway, authority, tmp_path):
    foreign = Authority(tmp_path, "Somebody else").sign("ours")
    one = Client(gateway.port, authority, foreign)
    with pytest.raises((ssl.SSLError, OSError, http.client.RemoteDisconnected)):
        one.call(token("basic_user"))
    one.close()


def test_every_client_may_have_to_show_one(upstream, authority, tmp_path):
    required = sections(tmp_path, upstream, authority, client_certificates="require")
    with serving.running(tmp_path, required) as gateway:
        with_one = Client(gateway.port, authority, authority.sign("ours"))
        assert with_one.call(token("basic_user")) == OK
        with_one.close()
        without = Client(gateway.port, authority)
        with pytest.raises((ssl.SSLError, OSError, http.client.RemoteDisconnected)):
            without.call(token("basic_user"))
        without.close()


def shown_by(gateway, authority):
    """The certificate of the gateway's port, DER, and whether a call goes through."""
    one = Client(gateway.port, authority)
    assert one.call(token("basic_user")) == OK
    shown = one.certificate()
    one.close()
    return shown


def with_certificates(gateway, authority, folder):
    """Clients' certificates are asked for, and looked at, as before."""
    held = bound_to(authority, "ours")
    foreign = Authority(folder, "Foreign").sign("foreign")
    for certificate, expected in (
        (authority.sign("ours"), OK),
        (authority.sign("theirs"), MISMATCH),
        (foreign, None),
    ):
        one = Client(gateway.port, authority, certificate)
        if expected is None:
            with pytest.raises((ssl.SSLError, OSError, http.client.RemoteDisconnected)):
                one.call(held)
        else:
            assert one.call(held) == expected
        one.close()


@pytest.mark.parametrize("loop", [Asyncio, Uvloop])
def test_a_renewed_certificate_counts_from_the_next_handshake_on(
    upstream, authority, tmp_path, caplog, loop
):
    caplog.set_level(logging.WARNING)
    file, first = tmp_path / "port.pem", Path(authority.sign("127.0.0.1")).read_text()
    file.write_text(first)
    found = sections(tmp_path, upstream, authority, certificate=str(file))
    with serving.running(tmp_path, found, loop) as gateway:
        before = Client(gateway.port, authority)
        assert before.call(token("basic_user")) == OK
        assert shown_by(gateway, authority) == der(first)
        other = Path(Authority(tmp_path, "Unknown").sign("127.0.0.1"))
        Path(authority.file).with_name("127.0.0.1.pem").unlink()
        second = Path(authority.sign("127.0.0.1")).read_text()
        file.write_text(second)
        assert shown_by(gateway, authority) == der(second) != der(first)
        with_certificates(gateway, authority, tmp_path)
        file.write_text("half writ")
        for _ in range(2):
            assert shown_by(gateway, authority) == der(second)
        assert caplog.text.count("the files have changed and cannot be used") == 1
        assert before.call(token("basic_user")) == OK
        before.close()
        file.write_text(other.read_text())
        with pytest.raises(ssl.SSLCertVerificationError):
            shown_by(gateway, authority)


def test_older_versions_of_tls_are_not_spoken(authority):
    context = tls_context(ListenerTls(authority.sign("127.0.0.1")))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize("broken", ["certificate", "client_ca"])
def test_files_that_hold_something_else_are_told_at_once(authority, tmp_path, broken):
    (tmp_path / "x.pem").write_text("nothing")
    files = {"certificate": authority.sign("127.0.0.1"), broken: str(tmp_path / "x.pem")}
    with pytest.raises(ssl.SSLError):
        tls_context(ListenerTls(**files))


async def test_a_reload_does_not_change_the_port(authority, tmp_path, upstream, caplog):
    plain = serving.settings_of(tmp_path, serving.configuration(tmp_path, upstream.url))
    with_tls = serving.settings_of(tmp_path, sections(tmp_path, upstream, authority))
    caplog.set_level(logging.WARNING)
    gateway = Gateway(compile_snapshot(plain))
    await gateway.replace(compile_snapshot(plain))
    assert "server.tls" not in caplog.text
    await gateway.replace(compile_snapshot(with_tls))
    assert "server.tls has changed" in caplog.text
