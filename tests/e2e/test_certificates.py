"""Tokens that a certified provider has bound to a client certificate (RFC 8705), behind proxies."""

import hashlib
import http.client
import json
import ssl
from pathlib import Path
from urllib.parse import quote

import pytest

from ..upstream.parts.certificates import Authority
from .parts import gateway as gateways
from .parts.native import native
from .parts.polling import SECONDS
from .parts.tls_proxies import PROXIES
from .parts.web import ask

pytestmark = pytest.mark.e2e

CALL = {"model": "openai-gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
OK = (200, None)
PATH = "/v1/chat/completions"
ISSUER = """
certificate_bound: optional
introspection:
  endpoint: {issuer}/token/introspection
  client_id: gateway
  client_secret: os.environ/SECRET
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "Clients and servers")


class Front:
    """A proxy in front of a gateway, both running."""

    def __init__(self, port, gateway, authority):
        self._port = port
        self._gateway = gateway
        self._authority = authority

    def der(self, name):
        """A client's certificate."""
        text = Path(self._authority.sign(name)).read_text()
        return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])

    def call(self, token, name, **headers):
        """The status of a chat call over a connection with a certificate, and the reason code."""
        context = ssl.create_default_context(cafile=self._authority.file)
        if name is not None:
            context.load_cert_chain(self._authority.sign(name))
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self._port, timeout=SECONDS, context=context
        )
        headers |= {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        connection.request("POST", PATH, json.dumps(CALL), headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return _outcome(answer.status, body)

    def call_directly(self, token, name):
        """The same without the proxy, with what it would tell."""
        der = self.der(name)
        pem = quote(ssl.DER_cert_to_PEM_cert(der), safe="")
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Client-Cert": pem,
            "X-Forwarded-Client-Cert": f"Hash={hashlib.sha256(der).hexdigest()}",
        }
        answer = ask(f"{self._gateway.url}{PATH}", body=CALL, headers=headers)
        return _outcome(answer.status, answer.body)


def _outcome(status, body):
    return status, json.loads(body)["error"]["code"] if status != 200 else None


@pytest.fixture(scope="module", params=PROXIES)
def front(request, oidc_provider, upstream, authority, tmp_path_factory):
    run, header = PROXIES[request.param]
    folder = tmp_path_factory.mktemp("front")
    config = native(oidc_provider, upstream, ISSUER.format(issuer=oidc_provider.issuer))
    config["config"] += f"""
server: {{client_certificate: {{proxies: 127.0.0.1, {header}}}}}
"""
    with (
        gateways.running(folder, **config, SECRET="gateway-secret/+ &") as gateway,
        run(folder, authority, gateway.url) as port,
    ):
        yield Front(port, gateway, authority)


@pytest.mark.parametrize("resource", ["RS256", "opaque"])
def test_a_token_comes_over_a_connection_with_its_certificate(front, oidc_provider, resource):
    token = oidc_provider.token("certified", resource, certificate=front.der("ours"))
    for _ in range(3):
        assert front.call(token, "ours") == OK


@pytest.mark.parametrize("resource", ["RS256", "opaque"])
def test_a_stolen_token_is_of_no_use(front, oidc_provider, resource):
    token = oidc_provider.token("certified", resource, certificate=front.der("ours"))
    forged = {
        "X-Client-Cert": quote(ssl.DER_cert_to_PEM_cert(front.der("ours")), safe=""),
        "X-Forwarded-Client-Cert": f"Hash={hashlib.sha256(front.der('ours')).hexdigest()}",
    }
    for _ in range(2):
        for name in (None, "theirs"):
            assert front.call(token, name) == (401, "sender_mismatch")
            # the proxy replaces what its clients send
            assert front.call(token, name, **forged) == (401, "sender_mismatch")
        assert front.call(token, "ours") == OK


def test_other_tokens_of_the_same_issuer_go_on(front, oidc_provider):
    for name in (None, "ours"):
        assert front.call(oidc_provider.token(), name) == OK


def test_a_listed_address_is_believed_and_so_must_be_a_proxy_s_alone(front, oidc_provider):
    token = oidc_provider.token("certified", certificate=front.der("ours"))
    assert front.call_directly(token, "ours") == OK
    assert front.call_directly(token, "theirs") == (401, "sender_mismatch")
