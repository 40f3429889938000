"""``keys:`` and LiteLLM's ``master_key``."""

import math
from hashlib import sha256

import pytest

from rolecall.config import KeysFrom

HASH = "sha256:" + "0a" * 32
POLICY = "rules: [{allow: ['*'], models: ['*']}]\nmodels: [{name: a, model: gpt-4o, api_key: k}]\n"
MASTER = "sk-a-master-key-that-is-long-enough"


def one(**fields):
    entry = {"hash": HASH, "subject": "nightly", "roles": "[batch]", "expires": "never", **fields}
    return POLICY + "keys: [{" + ", ".join(f"{k}: {v}" for k, v in entry.items() if v) + "}]"


def test_a_key_needs_no_issuer(settings):
    found = settings(one())
    assert found.issuers == ()
    (key,) = found.keys
    assert key.digest == bytes.fromhex("0a" * 32)
    assert (key.subject, key.roles, key.expires) == ("nightly", {"batch"}, math.inf)
    assert (key.source.line, key.source.text) == (3, "")


def test_a_hash_may_be_written_in_upper_case(settings):
    (key,) = settings(one(hash=HASH[:7] + HASH[7:].upper())).keys
    assert key.digest == bytes.fromhex("0a" * 32)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2100-01-01", 4_102_444_800),
        ("2100-01-01T00:00:00Z", 4_102_444_800),
        ("'2100-01-01T02:00:00+02:00'", 4_102_444_800),
        ("2100-01-01 12:00:00Z", 4_102_488_000),
        ("never", math.inf),
    ],
)
def test_a_key_expires_at_a_date_s_beginning_or_at_a_time(settings, written, seconds):
    (key,) = settings(one(expires=written)).keys
    assert key.expires == seconds


NO_TIME = (
    "is neither a date (2027-01-31), nor a time with its offset (2027-01-31T12:00:00Z), nor never."
)
NO_HASH = "is not sha256: and 64 hexadecimal digits; rolecall key new makes one."
FAULTS = {
    "no expiry": (one(expires=None), "keys[0].expires: is missing."),
    "no roles": (one(roles="[]"), "keys[0].roles: should have at least 1 item"),
    "no subject": (one(subject="''"), "keys[0].subject: should have at least 1 character."),
    "a time without an offset": (one(expires="2100-01-01T00:00:00"), f"keys[0].expires: {NO_TIME}"),
    "a month": (one(expires="2100-01"), f"keys[0].expires: {NO_TIME}"),
    "a day that is none": (one(expires="2100-02-30"), f"keys[0].expires: {NO_TIME}"),
    "soon": (one(expires="soon"), f"keys[0].expires: {NO_TIME}"),
    "the key itself": (one(hash="rolecall_S3CRET"), f"keys[0].hash: {NO_HASH}"),
    "another hash": (one(hash="sha512:" + "0a" * 64), f"keys[0].hash: {NO_HASH}"),
    "a hash cut short": (one(hash=HASH[:-1]), f"keys[0].hash: {NO_HASH}"),
    "a hash of other digits": (one(hash=HASH[:-1] + "g"), f"keys[0].hash: {NO_HASH}"),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_a_key_that_cannot_be_used_is_an_error(told, text, said):
    (line,) = [line for line in told(text) if "error" in line]
    assert said in line
    assert "S3CRET" not in line


def test_a_key_that_is_configured_twice_is_an_error(told):
    twice = one()[:-1] + f", {{hash: '{HASH}', subject: b, roles: [b], expires: never}}]"
    (line,) = [line for line in told(twice) if "error" in line]
    assert line.endswith("keys[1].hash: is configured twice; keep one entry.")


def test_a_key_that_has_expired_is_a_warning(told):
    (line,) = told(one(expires="2020-01-01"))
    assert line.endswith("warning: keys[0].expires: is past: the key opens nothing any more.")


def test_a_key_s_role_without_a_rule_is_a_warning(told):
    text = one(roles="[batch, other]").replace("allow: ['*']", "allow: [batch]")
    (line,) = told(text)
    assert line.endswith(
        "warning: keys[0].roles: role 'other' has no rule that allows anything: it calls nothing."
    )


def test_the_master_key_is_a_proxy_admin(settings):
    text = POLICY + "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}"
    found = settings(text, {"LITELLM_MASTER_KEY": MASTER})
    (key,) = found.keys
    assert key.digest == sha256(MASTER.encode()).digest()
    assert (key.subject, key.roles, key.expires) == ("master_key", {"proxy_admin"}, math.inf)
    assert MASTER not in repr(found)


def test_a_short_master_key_is_a_warning(told):
    assert told(POLICY + "general_settings: {master_key: sk-1234}") == [
        (
            "3:32: warning: general_settings.master_key: is shorter than 20 characters, and may be"
            " guessed; make one with rolecall key new."
        )
    ]


def test_a_master_key_without_a_rule_for_it_calls_nothing(told):
    text = (POLICY + f"general_settings: {{master_key: {MASTER}}}").replace("'*'", "staff", 1)
    assert (
        "3:32: warning: general_settings.master_key: role 'proxy_admin' has no rule that allows"
        " anything: it calls nothing."
    ) in told(text)


def test_the_master_key_may_stand_beside_tokens(settings):
    text = POLICY + f"general_settings: {{enable_jwt_auth: true, master_key: {MASTER}}}"
    url = "https://sso.example.com/realms/acme/protocol/openid-connect/certs"
    found = settings(text, {"JWT_PUBLIC_KEY_URL": url, "JWT_AUDIENCE": "gw"})
    assert [issuer.keys for issuer in found.issuers] == [KeysFrom(jwks_url=url)]
    assert len(found.keys) == 1


def test_no_issuer_may_have_the_name_of_the_keys_issuer(told):
    text = POLICY + "issuers: [{issuer: 'rolecall:keys', audience: gw, jwks_file: keys.json}]"
    (line,) = [line for line in told(text) if "error" in line]
    assert line.endswith(
        "error: issuers[0].issuer: is the name that static keys have as their issuer."
    )
