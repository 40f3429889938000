"""What makes a well signed JWT an access token for this gateway."""

import pytest

from .parts.gate import CLAIMS, SIGNER, gate, settings, verdict

# RFC 9068, to the letter

WHOLE = {**CLAIMS, "client_id": "chat-ui", "jti": "1"}
TYPES = {
    "at+jwt": ("at+jwt", "accepted"),
    "in capitals": ("AT+JWT", "accepted"),
    "in full": ("application/at+jwt", "accepted"),
    "JWT": ("JWT", "wrong_token_kind"),
    "missing": (None, "wrong_token_kind"),
    "a list": (["at+jwt"], "wrong_token_kind"),
}


@pytest.mark.parametrize(("typ", "expected"), TYPES.values(), ids=TYPES)
async def test_c22_an_issuer_may_be_held_to_the_typ_of_rfc_9068(typ, expected):
    async with gate(settings(rfc9068=True)) as verifier:
        assert await verdict(verifier, SIGNER.token(WHOLE, {"typ": typ})) == expected


REQUIRED = {
    "iss": "unknown_issuer",
    "exp": "invalid_claim",
    "aud": "invalid_claim",
    "sub": "invalid_claim",
    "client_id": "invalid_claim",
    "iat": "invalid_claim",
    "jti": "invalid_claim",
}


@pytest.mark.parametrize(("name", "expected"), REQUIRED.items(), ids=REQUIRED)
async def test_c22_an_issuer_may_be_held_to_the_claims_of_rfc_9068(name, expected):
    claims = {key: value for key, value in WHOLE.items() if key != name}
    async with gate(settings(rfc9068=True)) as verifier:
        assert await verdict(verifier, SIGNER.token(claims, {"typ": "at+jwt"})) == expected


async def test_c22_a_subject_is_required_even_where_another_claim_names_the_caller():
    whole = {**WHOLE, "cid": "ui", "uid": "00u1"}
    without = {name: value for name, value in whole.items() if name != "sub"}
    async with gate(settings(profile="okta", rfc9068=True)) as verifier:
        assert await verdict(verifier, SIGNER.token(whole, {"typ": "at+jwt"})) == "accepted"
        assert await verdict(verifier, SIGNER.token(without, {"typ": "at+jwt"})) == "invalid_claim"
    async with gate(settings(profile="okta")) as verifier:
        assert await verdict(verifier, SIGNER.token(without)) == "accepted"


# The clients whose tokens are accepted

CLIENTS = {
    "one of them": ({"azp": "chat-ui"}, "accepted"),
    "as client_id": ({"client_id": "batch"}, "accepted"),
    "another": ({"azp": "other"}, "wrong_audience"),
    "another case": ({"azp": "Chat-UI"}, "wrong_audience"),
    "none": ({}, "wrong_audience"),
}


@pytest.mark.parametrize(("claims", "expected"), CLIENTS.values(), ids=CLIENTS)
async def test_an_issuer_s_tokens_may_be_accepted_from_some_clients_alone(claims, expected):
    async with gate(settings(clients=("chat-ui", "batch"))) as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, **claims})) == expected
