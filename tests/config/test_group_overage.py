"""``group_overage:`` of an issuer: whom the groups are asked of that a token leaves out."""

import base64
import datetime as dt
import hashlib
import pickle

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from rolecall.config import Client, GroupOverage, Reach
from rolecall.config.signing_key import read_certified_key

POLICY = (
    "roles: [{role: r}]\nrules: [{allow: [r], models: [a]}]\n"
    "models: [{name: a, model: gpt-4o, api_key: k}]\n"
)
TENANT = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
LOGIN = "https://login.microsoftonline.com"
ASK = "client_id: gw, client_secret: s3cret"
PKCS8 = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


def one(overage, whose=f"tenant: {TENANT}", rest=""):
    whole = f"profile: entra, {whose}, audience: gw, group_overage: {{{overage}}}{rest}"
    return f"{POLICY}issuers: [{{{whole}}}]"


def test_a_client_of_the_gateway_is_enough(settings):
    found = settings(one(ASK)).issuers
    assert [issuer.issuer for issuer in found] == [
        f"{LOGIN}/{TENANT}/v2.0",
        f"https://sts.windows.net/{TENANT}/",
    ]
    for issuer in found:
        assert issuer.group_overage == GroupOverage(
            tenant=TENANT,
            token_endpoint=f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
            endpoint="https://graph.microsoft.com",
            client=Client("client_secret_post", "gw", "s3cret"),
            reach=Reach(),
            security_groups_only=True,
            ttl=300,
            timeout=5,
        )
        assert "s3cret" not in repr(issuer)


def test_without_it_nobody_is_asked(settings):
    text = POLICY + f"issuers: [{{profile: entra, tenant: {TENANT}, audience: gw}}]"
    assert {issuer.group_overage for issuer in settings(text).issuers} == {None}


def test_each_of_several_tenants_is_asked_by_itself(settings):
    found = settings(one(ASK, f"tenant: [{TENANT}, {OTHER}]")).issuers
    assert [(i.group_overage.tenant, i.group_overage.token_endpoint) for i in found] == [
        (tenant, f"{LOGIN}/{tenant}/oauth2/v2.0/token")
        for tenant in (TENANT, OTHER)
        for _ in range(2)
    ]


def test_everything_can_be_said(settings):
    text = one(
        f"{ASK}, endpoint: 'https://graph.example/', token_endpoint: 'https://login.example/t',"
        " security_groups_only: false, ttl: 0, timeout: 0.5",
        rest=", ca_file: ca.pem, private_network: true, bearer_file: b",
    )
    found = settings(text).issuers[0].group_overage
    assert found == GroupOverage(
        tenant=TENANT,
        token_endpoint="https://login.example/t",
        endpoint="https://graph.example",
        client=Client("client_secret_post", "gw", "s3cret"),
        reach=Reach(ca_file="ca.pem", private_network=True),
        security_groups_only=False,
        ttl=0,
        timeout=0.5,
    )


GLOBAL = "https://graph.microsoft.com"


def test_another_issuer_may_vouch_for_the_gateway(settings):
    text = one("client_id: gw, client_assertion_file: os.environ/AZURE_FEDERATED_TOKEN_FILE")
    found = settings(text, {"AZURE_FEDERATED_TOKEN_FILE": "/run/token"}).issuers[0].group_overage
    assert found.client == Client("private_key_jwt", "gw", assertion_file="/run/token")


PLACES = {
    "v2.0": (f"{LOGIN}/{TENANT}/v2.0", "", f"{LOGIN}/{TENANT}", GLOBAL),
    "v1.0": (f"https://sts.windows.net/{TENANT}/", "", f"{LOGIN}/{TENANT}", GLOBAL),
    "the United States' government": (
        f"https://login.microsoftonline.us/{TENANT}/v2.0",
        ", endpoint: 'https://graph.microsoft.us'",
        f"https://login.microsoftonline.us/{TENANT}",
        "https://graph.microsoft.us",
    ),
    "a development one": (
        f"http://127.0.0.1:8080/{TENANT}/v2.0",
        ", endpoint: 'http://127.0.0.1:8080'",
        f"http://127.0.0.1:8080/{TENANT}",
        "http://127.0.0.1:8080",
    ),
}


@pytest.mark.parametrize(("name", "more", "login", "graph"), PLACES.values(), ids=PLACES)
def test_an_issuer_s_name_says_where_its_tokens_are_issued(settings, name, more, login, graph):
    (issuer,) = settings(one(ASK + more, f"issuer: '{name}'")).issuers
    found = issuer.group_overage
    assert (found.tenant, found.endpoint) == (TENANT, graph)
    assert found.token_endpoint == f"{login}/oauth2/v2.0/token"


AT = "issuers[0].group_overage"
NO_TENANT = f"{AT}: needs an issuer whose path is that of a tenant, /GUID/v2.0 or /GUID/"
FAULTS = {
    "no client": ("client_secret: s", {}, f"{AT}.client_id: is missing."),
    "no secret": (
        "client_id: gw",
        {},
        f"{AT}: needs one of client_secret, client_cert, client_assertion_file.",
    ),
    "two ways": (
        f"{ASK}, client_cert: c.pem",
        {},
        f"{AT}: needs one of client_secret, client_cert, client_assertion_file.",
    ),
    "a secret beside an assertion": (
        f"{ASK}, client_assertion_file: a.jwt",
        {},
        f"{AT}: needs one of client_secret, client_cert, client_assertion_file.",
    ),
    "a certificate's key alone": (
        f"{ASK}, client_key: k.pem",
        {},
        f"{AT}.client_key: needs client_cert beside it.",
    ),
    "a certificate that is not there": (
        "client_id: gw, client_cert: /nowhere.pem",
        {},
        f"{AT}.client_cert: cannot be read, or is no certificate in PEM with its key (client_key).",
    ),
    "a name for the tenant": (
        ASK,
        {"whose": f"issuer: '{LOGIN}/contoso.onmicrosoft.com/v2.0'"},
        NO_TENANT,
    ),
    "all tenants": (ASK, {"whose": f"issuer: '{LOGIN}/common/v2.0'"}, NO_TENANT),
    "another path": (ASK, {"whose": f"issuer: '{LOGIN}/{TENANT}/v2.0/x'"}, NO_TENANT),
    "another cloud": (
        ASK,
        {"whose": f"issuer: 'https://login.microsoftonline.us/{TENANT}/v2.0'"},
        f"{AT}: needs endpoint, the Microsoft Graph of the issuer's cloud",
    ),
    "another cloud's v1.0": (
        f"{ASK}, endpoint: 'https://microsoftgraph.chinacloudapi.cn'",
        {"whose": f"issuer: 'https://sts.chinacloudapi.cn/{TENANT}/'"},
        f"{AT}: needs token_endpoint: v1.0 issuers of this cloud do not say it.",
    ),
    "plain http": (
        f"{ASK}, endpoint: 'http://graph.example'",
        {},
        f"{AT}.endpoint: uses plain http, which is accepted on loopback addresses alone",
    ),
    "a token endpoint in plain http": (
        f"{ASK}, token_endpoint: 'http://login.example/t'",
        {},
        f"{AT}.token_endpoint: uses plain http",
    ),
    "an endpoint with a path": (
        f"{ASK}, endpoint: 'https://graph.microsoft.com/v1.0'",
        {},
        f"{AT}.endpoint: must have no path; write https://host.",
    ),
    "an endpoint with a query": (
        f"{ASK}, endpoint: 'https://graph.microsoft.com/?x'",
        {},
        f"{AT}.endpoint: must not hold a query",
    ),
    "one token endpoint for two tenants": (
        f"{ASK}, token_endpoint: 'https://login.example/t'",
        {"whose": f"tenant: [{TENANT}, {OTHER}]"},
        f"{AT}.token_endpoint: cannot stand beside several tenants: each has its own.",
    ),
    "an issuer in plain http": (
        f"{ASK}, endpoint: 'https://graph.example'",
        {"whose": f"issuer: 'http://login.example/{TENANT}/v2.0', jwks_file: k.json"},
        f"{AT}: needs token_endpoint: http://login.example/{TENANT}/oauth2/v2.0/token uses plain",
    ),
    "a ttl without end": (f"{ASK}, ttl: 3601", {}, f"{AT}.ttl: should be less than or equal to"),
    "introspection beside it": (
        ASK,
        {
            "whose": f"issuer: '{LOGIN}/{TENANT}/v2.0'",
            "rest": ", introspection: {endpoint: 'https://x.example', client_id: g,"
            " client_secret: s}",
        },
        f"{AT}: cannot stand beside introspection.",
    ),
}


@pytest.mark.parametrize(("overage", "more", "said"), FAULTS.values(), ids=FAULTS)
def test_groups_that_could_not_be_asked_for_are_an_error(told, overage, more, said):
    lines = told(one(overage, **more))
    assert len(lines) == 1, lines
    assert f"error: {said}" in lines[0]


def test_it_is_entra_id_s(told):
    text = f"issuers: [{{issuer: 'https://x.example', audience: gw, group_overage: {{{ASK}}}}}]"
    (line,) = told(POLICY + text)
    assert f"error: {AT}: is Entra ID's; write profile: entra beside it." in line


@pytest.mark.parametrize(
    ("rest", "warned"),
    [
        ("", False),
        (", groups: []", True),
        (", groups: [], roles: [groups]", False),
        (", groups: [[teams]]", True),
    ],
)
def test_it_is_of_no_use_where_nobody_reads_groups(told, rest, warned):
    lines = told(one(ASK, rest=rest))
    assert [("warning" in line and "is of no use" in line) for line in lines] == [True] * warned


def test_a_secret_in_the_file_is_found(configure):
    (secret,) = (one_ for one_ in configure(one(ASK)).secrets if "client_secret" in str(one_))
    assert "a secret stands in the file" in str(secret)


# A certificate that the gateway signs with


def certificate(folder, key, named="client"):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, named)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{named}.pem", folder / f"{named}.key.pem"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(*PKCS8))
    digest = hashlib.sha256(signed.public_bytes(serialization.Encoding.DER)).digest()
    return *files, base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return certificate(folder, rsa.generate_private_key(65537, 2048))


def test_a_certificate_signs_as_entra_id_wants_it(settings, certified):
    file, key, thumbprint = certified
    text = one(f"client_id: gw, client_cert: '{file}', client_key: '{key}'")
    client = settings(text).issuers[0].group_overage.client
    assert (client.method, client.client_id, client.secret) == ("private_key_jwt", "gw", None)
    signing = client.signing_key
    assert (signing.algorithm, signing.key_id, signing.certificate) == ("PS256", None, thumbprint)
    # the file is read in a process of its own
    again = pickle.loads(pickle.dumps(signing))
    assert (again.algorithm, again.certificate) == ("PS256", thumbprint)


@pytest.mark.parametrize("turned", [False, True])
def test_a_certificate_may_lie_beside_its_key(tmp_path, certified, turned):
    file, key, thumbprint = certified
    parts = [file.read_text(), key.read_text()]
    whole = tmp_path / "whole.pem"
    whole.write_text("".join(reversed(parts) if turned else parts))
    assert read_certified_key(whole, None).certificate == thumbprint


def test_of_a_chain_the_first_certificate_counts(tmp_path, certified):
    file, key, thumbprint = certified
    above, _, _ = certificate(tmp_path, rsa.generate_private_key(65537, 2048), "above")
    chain = tmp_path / "chain.pem"
    chain.write_text(file.read_text() + above.read_text())
    assert read_certified_key(chain, key).certificate == thumbprint


def test_what_is_no_certificate_with_its_key_is_refused(tmp_path, certified):
    file, key, _ = certified
    _, other_key, _ = certificate(tmp_path, rsa.generate_private_key(65537, 2048), "other")
    elliptic = certificate(tmp_path, ec.generate_private_key(ec.SECP256R1()), "elliptic")[:2]
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("")
    for files in ((file, other_key), (key, None), (file, None), (nothing, key), (file, nothing)):
        with pytest.raises(ValueError, match="no certificate in PEM with its key"):
            read_certified_key(*files)
    with pytest.raises(ValueError, match="an RSA key, which Entra ID asks for"):
        read_certified_key(*elliptic)
