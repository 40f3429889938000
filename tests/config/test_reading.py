"""What is read in a process of its own is what would have been read here."""

import os
import pickle
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from rolecall.config import ConfigurationError, load, load_apart
from rolecall.config.signing_key import read_signing_key

EVERYTHING = """\
issuers:
  - issuer: https://login.example.com
    audience: gw
    roles: [[realm_access, roles]]
    dpop: optional
  - issuer: https://other.example.com
    audience: [gw]
    introspection:
      endpoint: https://other.example.com/introspect
      client_id: rolecall
      client_secret: os.environ/SECRET
roles:
  - role: gold
    any_of: [gold]
    when: '"/ml" in caller.groups'
rules:
  - allow: [gold]
    models: ["gpt-*"]
    ceilings: {max_tokens: 100, reasoning_effort: low}
    when: 'call.stream || source_ip == "10.0.0.1"'
models:
  - name: gpt-4o
    provider: openai
    model: gpt-4o
    api_key: os.environ/SECRET
metrics: {roles: [gold]}
resource: {url: "https://gateway.example.com"}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    return tmp_path / "rolecall.yaml"


def test_settings_are_the_same(file):
    file.write_text(EVERYTHING)
    assert load_apart(file) == load(file, os.environ)


def test_so_is_all_that_is_wrong(file):
    file.write_text(EVERYTHING.replace("gold]", "gold").replace("audience: gw", "audiense: gw"))
    with pytest.raises(ConfigurationError) as here:
        load(file, os.environ)
    with pytest.raises(ConfigurationError) as apart:
        load_apart(file)
    assert apart.value.problems == here.value.problems


def test_unknown_keys_can_be_allowed(file):
    file.write_text(EVERYTHING + "colour: red\n")
    with pytest.raises(ConfigurationError, match="colour"):
        load_apart(file)
    found = load_apart(file, allow_unknown=True)
    assert found.warnings == load(file, os.environ, allow_unknown=True).warnings
    assert "colour" in str(found.warnings)


def test_a_reader_that_fails_is_an_error_of_the_configuration(file, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConfigurationError) as caught:
        load_apart(file)
    assert str(caught.value).startswith(f"{file}: error: cannot be read: the process that read it")


@pytest.mark.parametrize(
    "private",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["RSA", "EC", "Ed25519"],
)
def test_a_private_key_is_the_same_one(tmp_path, private):
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(pem)
    key = read_signing_key(tmp_path / "key.pem", "k1")
    sent = pickle.loads(pickle.dumps(key))
    assert (sent.algorithm, sent.key_id) == (key.algorithm, "k1")
    assert sent.key.as_dict(private=True) == key.key.as_dict(private=True)
