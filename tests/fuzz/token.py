"""A coverage-guided fuzzer (atheris) for everything that a stranger can send as a token.

``python -m tests.fuzz.token [SECONDS] [libFuzzer options]``, a minute unless told. A crash is
written to the working directory, and given as an argument it is repeated.

The first byte of an input chooses what the rest is: a token as it is sent; a header and a payload
that are signed rightly, so that what is behind the signature is reached too; changes to the claims
of a token that a profile lets in; or a key set. Whatever comes, the answer is a caller or a
refusal, and a caller is only whom an independent reading agrees to.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import atheris
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

with atheris.instrument_imports(include=["rolecall"]):
    from rolecall.config import IssuerSettings, KeysFrom, Limits
    from rolecall.config.profiles import DEFAULTS
    from rolecall.core import Refusal, Source
    from rolecall.identity import Verifier, base64url
    from rolecall.identity.fetch import Fetched
    from rolecall.identity.keyset import import_keys
    from rolecall.wire import strict_json

NOW = 1_800_000_000
TENANT = "11111111-2222-4333-8444-555555555555"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
NUMBERS = PRIVATE.public_key().public_numbers()
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "k",
    "x": base64url.encode(NUMBERS.x.to_bytes(32, "big")).decode(),
    "y": base64url.encode(NUMBERS.y.to_bytes(32, "big")).decode(),
}
ISSUERS = {f"https://{profile}.example/{TENANT}/v2.0": profile for profile in DEFAULTS}


def settings(issuer, profile):
    """An issuer of each profile, with every claim path set."""
    return IssuerSettings(
        issuer=issuer,
        profile=profile,
        audience=("gw",),
        clients=("c",) if profile == "cognito" else None,
        keys=KeysFrom(jwks_url=f"{issuer}/keys"),
        algorithms=("ES256",),
        roles=(("roles",), ("realm_access", "roles")),
        role_words=(("scope",),),
        role_values=(("sub",),),
        groups=(("groups",),),
        scopes=(("scope",), ("scp",)),
        teams=(("team",),),
        organization=("org", "id"),
        end_user=("act", "sub"),
        max_lifetime=86_400,
        leeway=60,
        source=Source("fuzz.yaml", 1),
    )


async def fetch(_url, _reach):
    return Fetched({"keys": [KEY]})


LOOP = asyncio.new_event_loop()
VERIFIER = Verifier(
    [settings(issuer, profile) for issuer, profile in ISSUERS.items()],
    limits=Limits(),
    complete=lambda caller: caller,
    clock=lambda: NOW,
    fetch=fetch,
)
LOOP.run_until_complete(VERIFIER.start())


def signed(header, payload):
    """Header and payload as they are, under a right signature."""
    signing_input = base64url.encode(header) + b"." + base64url.encode(payload)
    r, s = decode_dss_signature(PRIVATE.sign(signing_input, ec.ECDSA(hashes.SHA256())))
    return signing_input + b"." + base64url.encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def strictly(pairs):
    """An object in which every name stands once, as an independent reader sees it."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), names
    return dict(pairs)


def authenticate(token):
    """The caller, if there is one; anything but a refusal is a finding."""
    refusal = None
    try:
        return LOOP.run_until_complete(VERIFIER.authenticate(token))
    except Refusal as caught:
        refusal = caught
    assert refusal.status in {401, 503}, refusal
    assert "\n" not in refusal.message
    return None


def check_token(token):
    assert authenticate(token) is None, "nobody signed it"


def check_signed(header, payload):
    caller = authenticate(signed(header, payload))
    if caller is None:
        return
    claims = json.loads(payload, object_pairs_hook=strictly)
    said = json.loads(header, object_pairs_hook=strictly)
    assert said["alg"] == "ES256"
    assert not said.keys() & {"crit", "b64", "zip", "enc", "cty"}
    assert caller.issuer == claims["iss"]
    assert claims["exp"] + 60 > NOW
    assert claims["exp"] - claims.get("iat", NOW) <= 86_400
    assert "events" not in claims
    assert "cnf" not in claims
    audiences = claims.get("aud", [])
    if ISSUERS[caller.issuer] != "cognito" or "aud" in claims:
        assert "gw" in ([audiences] if isinstance(audiences, str) else audiences)
    assert all(isinstance(claim.value, str) for claim in caller.role_claims)
    assert isinstance(caller.subject, str)


def check_keys(text):
    try:
        document = strict_json.loads(text)
    except Refusal:
        return
    try:
        keys = import_keys(document).keys
    except ValueError:
        return
    for key in keys:
        assert key.algorithms
        assert len(key.thumbprint) == 43


def any_value(provider, depth=0):
    """A JSON value of any type; strings are often such as mean something."""
    kind = provider.ConsumeIntInRange(0, 8 if depth < 3 else 5)
    match kind:
        case 0:
            return provider.PickValueInList([None, True, False])
        case 1:
            return provider.ConsumeInt(8)
        case 2:
            return NOW + provider.ConsumeIntInRange(-100_000, 100_000)
        case 3:
            return provider.PickValueInList(WORDS)
        case 4:
            return provider.ConsumeString(12).encode("utf-8", "replace").decode()
        case 5:
            return provider.ConsumeRegularFloat()
        case 6 | 7:
            number = provider.ConsumeIntInRange(0, 3)
            return [any_value(provider, depth + 1) for _ in range(number)]
    number = provider.ConsumeIntInRange(0, 3)
    return {provider.PickValueInList(NAMES): any_value(provider, depth + 1) for _ in range(number)}


def check_changed(data):
    """A token that a profile lets in, with some of its members changed."""
    provider = atheris.FuzzedDataProvider(data)
    issuer, profile = provider.PickValueInList(list(ISSUERS.items()))
    header, claims = json.loads(HEADER), good_claims(issuer, profile)
    header["typ"] = "JWT"
    for _ in range(provider.ConsumeIntInRange(0, 6)):
        changed = header if provider.ConsumeIntInRange(0, 7) == 0 else claims
        name = provider.PickValueInList(NAMES)
        if provider.ConsumeBool():
            changed.pop(name, None)
        else:
            changed[name] = any_value(provider)
    check_signed(json.dumps(header).encode(), json.dumps(claims).encode())


def one_input(data):
    kind, rest = data[:1], data[1:]
    if kind == b"c":
        check_changed(rest)
    elif kind == b"t":
        check_token(rest)
    elif kind == b"k":
        check_keys(rest)
    else:
        check_signed(*(rest.split(b"\x00", 1) if b"\x00" in rest else (HEADER, rest)))


HEADER = b'{"alg":"ES256","kid":"k","typ":"at+jwt"}'


MARKS = {
    "typ": "Bearer",
    "azp": "c",
    "cid": "c",
    "client_id": "c",
    "tid": TENANT,
    "token_use": "access",
    "kubernetes.io": {"namespace": "d", "serviceaccount": {"name": "b"}},
    "sub": "system:serviceaccount:d:b",
}
OTHER_NAMES = (
    *("nbf", "jti", "nonce", "at_hash", "events", "cnf", "groups", "hasgroups", "_claim_names"),
    *("scope", "scp", "oid", "uid", "appid", "idtyp", "hd", "email", "email_verified", "gty"),
    *("username", "preferred_username", "realm_access", "team", "org", "id", "act", "crit", "alg"),
    *("kid", "b64", "zip", "cty", "namespace", "serviceaccount", "name", "roles", "issuer"),
)
NAMES = ["iss", "aud", "iat", "exp", "roles", *MARKS, *OTHER_NAMES]
WORDS = ["", "gw", "c", "k", "ES256", "none", "ID", "Refresh", "JWT", "at+jwt", TENANT, *ISSUERS]


def good_claims(issuer, profile):
    whole = {"iss": issuer, "aud": "gw", "iat": NOW, "exp": NOW + 60, "roles": ["r"], **MARKS}
    if profile == "cognito":
        del whole["aud"]
    return whole


def seeds():
    """Inputs to begin with: what each profile lets in, and a key set."""
    yield b"k" + json.dumps({"keys": [KEY]}).encode()
    yield from (b"c" + bytes([number]) * 64 for number in range(0, 256, 8))
    for issuer, profile in ISSUERS.items():
        payload = json.dumps(good_claims(issuer, profile)).encode()
        header = HEADER.replace(b"at+jwt", b"JWT")
        assert authenticate(signed(header, payload)), issuer
        yield b"s" + header + b"\x00" + payload
    yield b"t" + signed(HEADER, b"{}")


def main():
    seconds = sys.argv[1] if sys.argv[1:] and sys.argv[1].isdigit() else "60"
    options = [argument for argument in sys.argv[1:] if not argument.isdigit()]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        dictionary = Path(corpus) / "words.dict"
        words = ["roles", "groups", "hasgroups", "_claim_names", "events", "crit", "nonce", "cnf"]
        dictionary.write_text("".join(f'"\\"{word}\\":"\n' for word in words))
        arguments = [
            sys.argv[0],
            corpus,
            f"-max_total_time={seconds}",
            f"-dict={dictionary}",
            "-max_len=4096",
            "-timeout=30",
            "-rss_limit_mb=1024",
            *options,
        ]
        atheris.Setup(arguments, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
