"""Whom a token is bound to (``cnf``): a key, a client certificate (RFC 8705 3), or both."""

import pytest

from rolecall.core import KEYS_ISSUER, Caller, Reason, Refusal
from rolecall.identity.binding import UNBOUND, Binding, bound_to, check_certificate, check_sender
from rolecall.identity.dpop import ProvenRequest
from rolecall.identity.verdicts import fingerprint

from .parts import gate
from .parts.bindings import nonsense_shown, nothing_shown, shown, x5t
from .parts.gate import CLAIMS, ISSUER, NOW, SIGNER, settings
from .parts.proofs import HOLDER, URL, bound, proof, thumbprint

OURS, THEIRS = b"our certificate", b"their certificate"
CERTIFICATE = {"x5t#S256": x5t(OURS)}
TOKENS = {
    "unbound": SIGNER.token(CLAIMS),
    "certificate": SIGNER.token({**CLAIMS, "cnf": CERTIFICATE}),
    "key": SIGNER.token({**CLAIMS, "cnf": bound()}),
    "both": SIGNER.token({**CLAIMS, "cnf": {**bound(), **CERTIFICATE}}),
}
SHOWN = {
    "ours": shown(OURS),
    "theirs": shown(THEIRS),
    "none": nothing_shown,
    "nonsense": nonsense_shown,
    "unseen": None,
}


@pytest.mark.parametrize(
    ("cnf", "expected"),
    [
        (bound(), Binding(key=thumbprint(HOLDER))),
        (CERTIFICATE, Binding(certificate=x5t(OURS))),
        ({**bound(), **CERTIFICATE}, Binding(thumbprint(HOLDER), x5t(OURS))),
    ],
    ids=["key", "certificate", "both"],
)
def test_c42_c46_a_confirmation_names_a_key_or_a_certificate_or_both(cnf, expected):
    assert bound_to({"cnf": cnf}) == expected
    assert bound_to({}) == UNBOUND


@pytest.mark.parametrize(
    "cnf",
    [
        None,
        {},
        [],
        "x",
        {"jkt": None},
        {"jkt": "short"},
        {"jkt": "=" * 43},
        {"x5t#S256": None},
        {"x5t#S256": "short"},
        {"x5t#S256": ["x" * 43]},
        {"x5t": "x" * 43},
        {"X5T#S256": "x" * 43},
        {"jwk": {}},
        {**bound(), "x5t#S256": "x" * 42},
        {**bound(), "x": 1},
        {**CERTIFICATE, "x": 1},
        {**CERTIFICATE, "jkt": 1},
    ],
    ids=repr,
)
def test_c42_c46_a_confirmation_that_is_not_understood_binds_to_nothing_known(cnf):
    assert bound_to({"cnf": cnf}) is None
    for proven in (False, True):
        with pytest.raises(Refusal) as caught:
            check_sender(Caller(ISSUER, "john", claims={"cnf": cnf}), proven=proven)
        assert caught.value.reason is Reason.SENDER_MISMATCH


def test_c42_a_static_key_is_bound_to_nothing():
    caller = Caller(issuer=KEYS_ISSUER, subject="nightly")
    assert check_sender(caller, proven=False) == UNBOUND
    with pytest.raises(Refusal) as caught:
        check_sender(caller, proven=True)
    assert caught.value.reason is Reason.SENDER_MISMATCH


def test_c46_where_nothing_is_bound_nobody_asks_for_a_certificate():
    check_certificate(UNBOUND, nonsense_shown)
    check_certificate(Binding(key=thumbprint(HOLDER)), None)


async def outcome(verifier, token, certificate, *, proven=False):
    """``accepted`` or the reason of the refusal."""
    try:
        if proven:
            request = ProvenRequest("POST", URL, (proof(token, verifier.clock.now),))
            await verifier.authenticate_bound(token, request, SHOWN[certificate])
        else:
            await verifier.authenticate(token, SHOWN[certificate])
    except Refusal as refusal:
        return refusal.reason.value
    return "accepted"


@pytest.mark.parametrize(
    ("token", "proven", "certificate", "expected"),
    [
        ("unbound", False, "none", "accepted"),
        ("unbound", False, "nonsense", "accepted"),
        ("unbound", True, "ours", "sender_mismatch"),
        ("certificate", False, "ours", "accepted"),
        ("certificate", False, "theirs", "sender_mismatch"),
        ("certificate", False, "none", "sender_mismatch"),
        ("certificate", False, "unseen", "sender_mismatch"),
        ("certificate", False, "nonsense", "invalid_client_certificate"),
        ("certificate", True, "ours", "sender_mismatch"),
        ("key", False, "ours", "sender_mismatch"),
        ("key", True, "none", "accepted"),
        ("both", False, "ours", "sender_mismatch"),
        ("both", True, "ours", "accepted"),
        ("both", True, "theirs", "sender_mismatch"),
        ("both", True, "none", "sender_mismatch"),
        ("both", True, "nonsense", "invalid_client_certificate"),
    ],
)
async def test_c46_t29_a_token_needs_all_that_it_is_bound_to_each_time(
    token, proven, certificate, expected
):
    issuer = settings(dpop="optional", certificate_bound="optional")
    async with gate.gate(issuer) as verifier:
        for _ in range(3):
            found = await outcome(verifier, TOKENS[token], certificate, proven=proven)
            assert found == expected


@pytest.mark.parametrize(
    ("dpop", "certificate_bound", "accepted"),
    [
        (None, None, {"unbound"}),
        (None, "optional", {"unbound", "certificate"}),
        (None, "required", {"certificate"}),
        ("optional", None, {"unbound", "key"}),
        ("optional", "optional", {"unbound", "certificate", "key", "both"}),
        ("optional", "required", {"certificate", "both"}),
        ("required", "optional", {"key", "both"}),
        ("required", "required", {"both"}),
    ],
)
async def test_c42_c46_an_issuer_s_tokens_may_be_bound_or_must_be(
    dpop, certificate_bound, accepted
):
    issuer = settings(dpop=dpop, certificate_bound=certificate_bound)
    async with gate.gate(issuer) as verifier:
        found = {
            name
            for name, token in TOKENS.items()
            for proven in (False, True)
            if await outcome(verifier, token, "ours", proven=proven) == "accepted"
        }
    assert found == accepted


@pytest.mark.parametrize("others", ["theirs", "none", "nonsense", "unseen"])
async def test_c46_what_is_remembered_of_a_bound_token_is_of_no_use_without_its_certificate(others):
    async with gate.gate(settings(certificate_bound="required")) as verifier:
        token = TOKENS["certificate"]
        assert await outcome(verifier, token, "ours") == "accepted"
        assert verifier.memory == 1
        assert verifier.remembered(fingerprint(token)) is None
        assert await outcome(verifier, token, others) != "accepted"
        assert await outcome(verifier, token, "ours") == "accepted"
        assert verifier.memory == 1


async def test_c46_a_remembered_token_is_not_verified_again():
    verified = []

    def counting(algorithm, key, *rest):
        verified.append(key.key_id)
        return gate.VERIFY(algorithm, key, *rest)

    issuer = settings(certificate_bound="optional")
    async with gate.gate(issuer, verify_signature=counting) as verifier:
        for _ in range(3):
            assert await outcome(verifier, TOKENS["certificate"], "ours") == "accepted"
            assert await outcome(verifier, TOKENS["certificate"], "theirs") == "sender_mismatch"
        assert verified == [SIGNER.kid]


async def test_c46_a_proof_is_not_used_up_where_the_certificate_is_another_s():
    issuer = settings(dpop="required", certificate_bound="required")
    async with gate.gate(issuer) as verifier:
        request = ProvenRequest("POST", URL, (proof(TOKENS["both"], NOW),))
        with pytest.raises(Refusal):
            await verifier.authenticate_bound(TOKENS["both"], request, shown(THEIRS))
        await verifier.authenticate_bound(TOKENS["both"], request, shown(OURS))


async def test_a_missing_certificate_is_counted_with_its_issuer():
    async with gate.gate(settings(certificate_bound="required")) as verifier:
        await outcome(verifier, TOKENS["certificate"], "none")
        await outcome(verifier, TOKENS["certificate"], "nonsense")
        tally = dict(verifier.tallies.items())[ISSUER]
        assert tally.refused == {
            Reason.SENDER_MISMATCH: 1,
            Reason.INVALID_CLIENT_CERTIFICATE: 1,
        }
