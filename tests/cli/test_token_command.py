"""``rolecall token inspect``."""

import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

KEY = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
ISSUER = "https://login.example.com"
CONFIG = """\
issuers:
  - {issuer: https://login.example.com, audience: [gw], jwks_file: keys.json}
rules:
  - {allow: [staff], models: [small]}
models:
  - {name: small, model: gpt-4o-mini, api_key: os.environ/NOT_SET}
"""


@pytest.fixture
def config(tmp_path):
    """A configuration with its keys beside it; what it needs of the environment is not set."""
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    (tmp_path / "gw.yaml").write_text(CONFIG)
    return "gw.yaml"


def token(**changes):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "gw", "sub": "ada", "iat": now, "exp": now + 60, **changes}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, KEY, algorithms=["ES256"])


def shown(result):
    """The checks and what came of each."""
    lines = [line.split() for line in result.output.splitlines()]
    return [line for line in lines if {"passed", "failed", "skipped"} & set(line[1:3])]


def test_a_good_token_passes(rolecall, config):
    result = rolecall("token", "inspect", "--config", config, token())
    assert result.exit_code == 0, result.output
    assert ["signature", "passed"] in shown(result)
    assert '"sub": "ada"' in result.output
    assert '"kid": "k1"' in result.output


def test_the_first_check_that_fails_is_marked(rolecall, config):
    result = rolecall("token", "inspect", "-c", config, token(aud="other"))
    assert result.exit_code == 1
    assert shown(result)[-1][:3] == ["audience", "failed", "wrong_audience:"]


def test_a_token_is_read_from_standard_input(rolecall, config):
    result = rolecall("token", "inspect", "-c", config, "-", stdin=f"{token()}\n")
    assert result.exit_code == 0, result.output


def test_offline_no_signature_is_checked(rolecall, config, tmp_path):
    (tmp_path / "keys.json").write_text("{}")
    assert rolecall("token", "inspect", "-c", config, token()).exit_code == 1
    result = rolecall("token", "inspect", "-c", config, "--offline", token())
    assert result.exit_code == 0
    assert ["signature", "skipped", "is", "not", "checked", "offline"] in shown(result)


def test_without_a_configuration_form_and_claims_are_looked_at(rolecall):
    result = rolecall("token", "inspect", token())
    assert result.exit_code == 0
    assert ["signature", "skipped", "needs", "--config"] in shown(result)
    assert rolecall("token", "inspect", "opaque").exit_code == 1
    assert rolecall("token", "inspect", token(exp=1)).exit_code == 1


def test_claims_do_not_steer_the_terminal(rolecall):
    result = rolecall("token", "inspect", token(sub="\x1b[31m\u202e"))
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


def test_a_configuration_that_cannot_be_used(rolecall, tmp_path):
    (tmp_path / "gw.yaml").write_text("rules: 1")
    assert rolecall("token", "inspect", "-c", "gw.yaml", token()).exit_code == 2
