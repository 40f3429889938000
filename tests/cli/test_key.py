"""``rolecall key new``: a key, and the entry that admits it."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from rolecall.config import load


def made(result):
    assert (result.exit_code, result.stderr) == (0, "")
    key, _, entry = result.stdout.partition("\n\n")
    return key, entry


def test_a_key_is_made_and_the_entry_admits_it(rolecall, tmp_path):
    key, entry = made(rolecall("key", "new", "--subject", "nightly", "--role", "a", "--role", "b"))
    assert re.fullmatch("rolecall_[0-9a-f]{64}", key)
    assert key not in entry
    file = tmp_path / "gw.yaml"
    file.write_text(entry)
    (admitted,) = load(file, {}).settings.keys
    assert admitted.digest == sha256(key.encode()).digest()
    assert (admitted.subject, admitted.roles) == ("nightly", {"a", "b"})
    in_90_days = datetime.now(UTC) + timedelta(days=90)
    assert -86_400 * 2 < admitted.expires - in_90_days.timestamp() <= 0


@pytest.mark.parametrize("name", ["a: b", "#", "'", '"', "null", "Zoë", "- x", "{", "1"])
def test_any_name_is_written_so_that_it_is_read_again(rolecall, tmp_path, name):
    _, entry = made(rolecall("key", "new", "--subject", name, "--role", name, "--days", "1"))
    file = tmp_path / "gw.yaml"
    file.write_text(entry)
    (admitted,) = load(file, {}).settings.keys
    assert (admitted.subject, admitted.roles) == (name, {name})


def test_no_two_keys_are_alike(rolecall):
    keys = {made(rolecall("key", "new", "--subject", "x", "--role", "r"))[0] for _ in range(20)}
    assert len(keys) == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--role", "r"], "Missing option '--subject'"),
        (["--subject", "s"], "Missing option '--role'"),
        (["--subject", "s", "--role", "r", "--days", "0"], "0 is not in the range"),
    ],
)
def test_a_key_without_a_holder_or_a_role_or_a_life_is_not_made(rolecall, arguments, said):
    result = rolecall("key", "new", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
