"""The configuration that Rolecall is measured with, and the tokens that it is shown."""

import json
import time

import pytest

from bench import tokens
from bench.calls import ALLOWED, DENIED
from bench.peers import Setting
from bench.peers.rolecall import configuration
from rolecall.config import load
from rolecall.core import Call
from rolecall.gateway import compile_snapshot
from rolecall.policy import decide


@pytest.fixture(scope="module")
def keys():
    return [tokens.new_key("RS256"), tokens.new_key("ES256")]


@pytest.fixture
def compiled(tmp_path, keys):
    """Compiles what is written for a setting."""

    def compile_(**setting):
        shown = tokens.key_set(*keys)
        (tmp_path / "jwks.json").write_text(shown)
        wanted = configuration(Setting(upstream=9, keys=shown, **setting), tmp_path)
        path = tmp_path / "rolecall.yaml"
        path.write_text(json.dumps(wanted))
        loaded = load(path, {})
        assert not loaded.warnings
        return compile_snapshot(loaded.settings)

    return compile_


@pytest.mark.parametrize("rules", [1, 50])
async def test_every_token_is_let_in_and_calls_the_one_model(compiled, keys, rules):
    snapshot = compiled(rules=rules)
    await snapshot.verifier.start()
    try:
        for key in keys:
            token = tokens.sign(key, 7, time.time()).encode()
            caller = await snapshot.verifier.authenticate(token)
            assert decide(snapshot.table, caller, Call("chat", ALLOWED)).allowed
            assert not decide(snapshot.table, caller, Call("chat", DENIED)).allowed
    finally:
        await snapshot.verifier.stop()


@pytest.mark.parametrize("setting", [{"keys_url": "http://127.0.0.1:9/jwks"}, {"rules": 200}])
def test_every_setting_is_a_configuration_without_a_warning(compiled, setting):
    assert compiled(**setting).settings.issuers


def test_there_are_as_many_rules_as_asked_for(compiled):
    assert len(compiled(rules=50).settings.rules) == 50
