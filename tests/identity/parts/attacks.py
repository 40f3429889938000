"""Forged, stolen and broken tokens by the numbers of the threat table in docs/security.md.

Each is built against the world of `World`: issuers of three kinds, and a key set in which good keys
stand beside bad ones. What is expected of each is a reason code.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .bindings import x5t
from .proofs import GATEWAY, HOLDER, bound, proof, public
from .signing import Signer, b64, bare, key_set, number, unb64

ISSUER = "https://login.example.com/realms/acme"
OTHER = "https://other.example"
BINDING = "https://binding.example"
NONCES = "https://nonces.example"
GITHUB = "https://token.actions.githubusercontent.com"
TENANT = "11111111-2222-4333-8444-555555555555"
UNLISTED = "33333333-2222-4333-8444-555555555555"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
PERSONAL = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
AUDIENCE = "llm-gateway"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
STATIC_KEY = "rolecall_" + "5a" * 32
CERTIFICATE = b"the DER of a client's certificate"
SECRET = b"a-published-secret-of-32-bytes!!"

EC = Signer("k1", "ES256")
RSA = Signer("rsa", "RS256")
ATTACKER = Signer("k1", "ES256", name="attacker")
THEIRS = Signer("k1", "ES256", name="theirs")
THEIRS_ALONE = Signer("theirs-alone", "ES256")
FOR_ENCRYPTION = Signer("enc", "RS256", name="rsa")
SHORT = Signer("short", "RS256", material=rsa.generate_private_key(65537, 1024))
EXPONENT_3 = Signer("e3", "RS256", material=rsa.generate_private_key(3, 2048))
OAEP = Signer("oaep", "RS256", name="rsa")
TO_ENCRYPT = Signer("ops", "ES256")
OFF_CURVE = Signer("off", "ES256")
FOR_ANY = Signer("any", "RS256", name="rsa")
PERSONAL_KEY = Signer("personal", "RS256", name="rsa")

OUR_KEYS = key_set(
    EC,
    RSA,
    FOR_ENCRYPTION.jwk(use="enc"),
    OAEP.jwk(alg="RSA-OAEP"),
    TO_ENCRYPT.jwk(key_ops=["encrypt"]),
    SHORT,
    EXPONENT_3,
    OFF_CURVE.jwk(x=number(5, 32)),
    {"kty": "oct", "kid": "oct", "alg": "HS256", "k": b64(SECRET).decode()},
)
THEIR_KEYS = key_set(THEIRS, THEIRS_ALONE)
ENTRA_KEYS = key_set(
    RSA.jwk(alg=None, issuer="https://login.microsoftonline.com/{tenantid}/v2.0"),
    PERSONAL_KEY.jwk(alg=None, issuer=PERSONAL),
    FOR_ANY.jwk(alg=None),
)


@dataclass(frozen=True)
class World:
    """The configuration that the attacks are made against; ``now`` in seconds since the epoch."""

    now: int

    def configuration(self, folder):
        """Sections of a configuration file whose key sets lie in ``folder``."""

        def keys(name, document):
            (folder / name).write_text(json.dumps(document))
            return str(folder / name)

        github = {"profile": "github-actions", "require": {"repository_owner_id": "123456"}}
        entra = {"issuer": ENTRA, "profile": "entra"}
        rest = {"audience": AUDIENCE}
        ours = keys("ours.json", OUR_KEYS)
        return {
            "issuers": [
                {"issuer": ISSUER, "jwks_file": ours, **rest},
                {"issuer": OTHER, "jwks_file": keys("theirs.json", THEIR_KEYS), **rest},
                {
                    "issuer": BINDING,
                    "jwks_file": ours,
                    "dpop": "optional",
                    "certificate_bound": "optional",
                    **rest,
                },
                {
                    "issuer": NONCES,
                    "jwks_file": ours,
                    "dpop": "required",
                    "dpop_nonce": True,
                    **rest,
                },
                {**entra, "jwks_file": keys("entra.json", ENTRA_KEYS), **rest},
                {**github, "jwks_file": ours, **rest},
            ],
            "keys": [
                {
                    "hash": f"sha256:{hashlib.sha256(STATIC_KEY.encode()).hexdigest()}",
                    "subject": "nightly",
                    "roles": ["user"],
                    "expires": "never",
                }
            ],
            "resource": {"url": GATEWAY},
            "server": {"client_certificate": {"proxies": "127.0.0.1"}},
            "roles": [{"role": "user"}, {"role": "admin"}],
            "rules": [{"allow": ["user", "admin"], "models": ["m"]}],
            "models": [
                {"name": "m", "model": "openai/m", "api_base": "http://127.0.0.1:9/v1"},
            ],
        }

    def claims(self, **changes):
        whole = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "john",
            "iat": self.now - 10,
            "exp": self.now + 300,
            "roles": ["user"],
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not MISSING}

    def good(self, **changes):
        return EC.token(self.claims(**changes))

    def entra(self, signer=RSA, **changes):
        own = {"iss": ENTRA, "tid": TENANT, "azp": "ui", "oid": "o", "scp": "x", **changes}
        return signer.token(self.claims(**own))

    def bound(self, **changes):
        """A token that is bound to `HOLDER`'s key."""
        return self.good(**{"iss": BINDING, "cnf": bound(), **changes})

    def raw(self, header=None, payload=None):
        """A rightly signed token with a header or payload as it is written."""
        return EC.token(payload if payload is not None else self.claims(), header)


MISSING = object()


def _with(text, name, value):
    """An object's JSON with one more member, also of a name that it has."""
    return (json.dumps(text)[:-1] + f", {json.dumps(name)}: {value}}}").encode()


def _forged(header, claims, secret, digest):
    signing_input = bare(header, claims).rpartition(b".")[0]
    return signing_input + b"." + b64(hmac.digest(secret, signing_input, digest))


def _resigned(token, change):
    signing_input, _, signature = token.rpartition(b".")
    return signing_input + b"." + b64(change(unb64(signature)))


def _pair(r, s):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def t01(world):
    for name in ("none", "None", "nOnE", "NONE", "none "):
        header = {"alg": name, "kid": "k1"}
        yield f"{name!r}, no signature", "malformed_token", bare(header, world.claims())
        yield f"{name!r}, junk", "algorithm_not_allowed", bare(header, world.claims(), b"junk")
        yield f"{name!r}, a good one", "algorithm_not_allowed", world.raw(header)


def t02(world):
    public = RSA.private.public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, info)
    secrets = {
        "PEM": pem,
        "stripped PEM": pem.strip(),
        "PEM behind a space": b" " + pem,
        "DER": public.public_bytes(serialization.Encoding.DER, info),
        "PKCS 1": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
        "JWK": json.dumps(RSA.jwk()).encode(),
        "nothing": b"",
    }
    for name, secret in secrets.items():
        for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512")):
            header = {"alg": algorithm, "kid": "rsa"}
            token = _forged(header, world.claims(), secret, digest)
            yield f"{algorithm}, {name}", "algorithm_not_allowed", token


def t03(world):
    for algorithm in ("RS384", "RS512", "PS256", "PS384", "PS512"):
        token = RSA.token(world.claims(), {"alg": algorithm}, algorithm=algorithm)
        yield f"{algorithm} with the key of RS256", "algorithm_not_allowed", token
    yield "RS256 said, PS256 made", "bad_signature", RSA.token(world.claims(), algorithm="PS256")


def t04(world):
    evil = "https://evil.example/keys"
    for name, header in {
        "jwk": {"jwk": ATTACKER.jwk()},
        "jku": {"jku": evil},
        "x5u": {"x5u": evil},
        "x5c": {"x5c": ["MIIB"]},
        "x5t": {"x5t": "dGh1bWI", "x5t#S256": "dGh1bWI"},
    }.items():
        yield name, "bad_signature", ATTACKER.token(world.claims(), header)
        token = ATTACKER.token(world.claims(), {**header, "kid": None})
        yield f"{name}, no kid", "unknown_key", token


def t05(world):
    for kid in ("../../dev/null", "' OR 1=1 --", "k1\x00", "file:///dev/null", "K1", "$(id)"):
        yield repr(kid), "unknown_key", world.raw({"kid": kid})
    for kid in ("", 1, [], ["k1"], {}, True, "k" * 10_000):
        yield repr(kid)[:20], "malformed_token", world.raw({"kid": kid})
    text = b'{"alg":"ES256","kid":null}'
    yield "null", "malformed_token", world.raw(text)


def t06(world):
    yield "several keys", "unknown_key", world.raw({"kid": None})


def t07(world):
    token = _forged({"alg": "HS256", "kid": "oct"}, world.claims(), SECRET, "sha256")
    yield "HS256 with the published secret", "algorithm_not_allowed", token
    signing_input = bare({"alg": "ES256", "kid": "oct"}, world.claims()).rpartition(b".")[0]
    mac = hmac.digest(SECRET, signing_input, hashlib.sha256)
    yield "an HMAC called ES256", "unknown_key", signing_input + b"." + b64(mac + mac)


def t08(world):
    for signer in (FOR_ENCRYPTION, OAEP, TO_ENCRYPT):
        yield signer.kid, "unknown_key", signer.token(world.claims())


def t09(world):
    for signer in (SHORT, EXPONENT_3, OFF_CURVE):
        yield signer.kid, "unknown_key", signer.token(world.claims())


def t10(world):
    for crit in (["exp"], ["unknown"], [], ["alg"], ["exp", "exp"], None, "exp", [1], {}):
        header = json.dumps({"alg": "ES256", "kid": "k1", "crit": crit, "exp": 1}).encode()
        yield json.dumps(crit), "malformed_token", world.raw(header)


def t11(world):
    for name, value in (("b64", False), ("zip", "DEF"), ("cty", "JWT"), ("enc", "A128GCM")):
        yield name, "malformed_token", world.raw({name: value})
    yield "b64 and crit", "malformed_token", world.raw({"b64": False, "crit": ["b64"]})


def t12(world):
    header = {"alg": "none", "kid": "k1"}
    yield "alg", "malformed_token", world.raw(_with(header, "alg", '"ES256"'))
    for name, value in (("roles", '["admin"]'), ("exp", "9"), ("aud", '"x"'), ("iss", '"x"')):
        token = world.raw(payload=_with(world.claims(), name, value))
        yield name, "malformed_token", token
    escaped = json.dumps(world.claims())[:-1] + ', "\\u0072oles": ["admin"]}'
    yield "escaped", "malformed_token", world.raw(payload=escaped.encode())
    nested = _with(world.claims(), "realm_access", '{"roles": [], "roles": ["admin"]}')
    yield "nested", "malformed_token", world.raw(payload=nested)


def t13(world):
    good = world.good()
    head, _, signature = good.rpartition(b".")
    # 64 bytes leave four bits of the last character without data
    last = b"AQgw".index(signature[-1:])
    unused = head + b"." + signature[:-1] + b"BRhx"[last : last + 1]
    for name, token in {
        "padding": good + b"==",
        "the standard alphabet": head + b"." + b"+/" + signature[2:],
        "unused bits": unused,
        "a line feed": good[:30] + b"\n" + good[30:],
        "a space within": good[:30] + b" " + good[30:],
        "NUL": good + b"\x00",
        "a trailing dot": good + b".",
        "a fourth segment": good + b".AAAA",
        "junk": good + b"!",
        "a short last character": good[:-1],
    }.items():
        yield name, "malformed_token", token


def t14(world):
    header, payload, signature = world.good().decode().split(".")
    flat = {"protected": header, "payload": payload, "signature": signature}
    yield "flattened", "malformed_token", json.dumps(flat, separators=(",", ":")).encode()
    general = {"payload": payload, "signatures": [{"protected": header, "signature": signature}]}
    yield "general", "malformed_token", json.dumps(general, separators=(",", ":")).encode()
    yield "JWE", "malformed_token", world.good() + b".AAAA.AAAA"
    yield "in JSON", "malformed_token", b'{"' + world.good() + b'":1}'


def t15(world):
    good = world.good()
    r, s = (int.from_bytes(unb64(good.rpartition(b".")[2])[i : i + 32], "big") for i in (0, 32))
    for name, change in {
        "r and s are 0": lambda _: _pair(0, 0),
        "r is 0": lambda _: _pair(0, s),
        "s is 0": lambda _: _pair(r, 0),
        "r and s are the order": lambda _: _pair(P256_ORDER, P256_ORDER),
        "DER": lambda _: encode_dss_signature(r, s),
        "63 bytes": lambda signature: signature[:-1],
        "65 bytes": lambda signature: signature + b"\x00",
    }.items():
        yield name, "bad_signature", _resigned(good, change)
    yield "empty", "malformed_token", good.rpartition(b".")[0] + b"."


def t16(world):
    def exp(text):
        return world.raw(payload=_with(world.claims(exp=MISSING), "exp", text))

    yield "missing", "invalid_claim", world.good(exp=MISSING)
    yield "past", "expired", world.good(exp=world.now - 61)
    yield "0", "expired", exp("0")
    for text in (f'"{world.now + 300}"', '"soon"', "null", "true", "[9]", "{}", "-1", "1e18"):
        yield text, "invalid_claim", exp(text)
    yield "10**400", "invalid_claim", exp("1" + "0" * 400)
    for text in ("NaN", "Infinity", "1e400", "9" * 5000):
        yield text[:10], "malformed_token", exp(text)
    yield "in ten years", "invalid_claim", world.good(exp=world.now + 315_360_000)


def t17(world):
    for name in ("nbf", "iat"):
        yield f"{name} later", "not_yet_valid", world.good(**{name: world.now + 120})
        for value in ("1", True, None, [1], {}):
            yield f"{name} {value!r}", "invalid_claim", world.good(**{name: value})


def t18(world):
    for value in (MISSING, None, "", [], "llm", "llm-gateway2", "LLM-GATEWAY", ["x", "y"]):
        yield f"{value!r}"[:24], "wrong_audience", world.good(aud=value)
    for value in ([[AUDIENCE]], {"x": AUDIENCE}, 1, True, [AUDIENCE, 1]):
        yield f"{value!r}", "invalid_claim", world.good(aud=value)


def t19(world):
    for value in (
        f"{ISSUER}/",
        f"{ISSUER}2",
        ISSUER[:-1],
        ISSUER.upper(),
        "https://login.example.com@evil.example/realms/acme",
        "https://login.ex\u0430mple.com/realms/acme",
        "https://login.example.com/realms/%61cme",
        MISSING,
    ):
        yield f"{value!r}"[:60], "unknown_issuer", world.good(iss=value)
    for value in ([ISSUER], {"iss": ISSUER}, None, 1):
        yield f"{value!r}", "invalid_claim", world.good(iss=value)


def t20(world):
    for name in ("sub", "jti", "client_id", "azp"):
        for value in (1, ["john"], None, {}, "", "j" * 2000):
            yield f"{name} {value!r}"[:24], "invalid_claim", world.good(**{name: value})
    yield "no sub", "invalid_claim", world.good(sub=MISSING)


def t21(world):
    for typ in (
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "client-authentication+jwt",
        "id+jwt",
        "refresh+jwt",
    ):
        yield typ, "wrong_token_kind", world.raw({"typ": typ})
    for name, claims in {
        "an ID token": {"nonce": "n"},
        "an ID token with at_hash": {"at_hash": "h", "azp": "ui"},
        "a logout token": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        "a refresh token": {"typ": "Refresh"},
        "Cognito's ID token": {"token_use": "id"},
    }.items():
        yield name, "wrong_token_kind", world.good(**claims)
    job = {"repository_owner_id": "999", "sub": "repo:evil/app:ref:refs/heads/main"}
    token = RSA.token(world.claims(iss=GITHUB, **job))
    yield "another repository's job", "invalid_claim", token


def t22(world):
    for name, text in {
        "[]": b"[]",
        "null": b"null",
        "a string": b'"x"',
        "1": b"1",
        "a space": b" ",
        "BOM": b"\xef\xbb\xbf" + json.dumps(world.claims()).encode(),
        "UTF-16": json.dumps(world.claims()).encode("utf-16"),
        "invalid UTF-8": b'{"sub":"\xff"}',
        "a lone surrogate": json.dumps(world.claims())[:-1].encode() + b',"x":"\\ud800"}',
        "trailing junk": json.dumps(world.claims()).encode() + b"x",
        "a comment": b"{/**/}",
    }.items():
        yield name, "malformed_token", world.raw(payload=text)


def t23(world):
    deep = b'{"x":' + b"[" * 1200 + b"]" * 1200 + b"}"
    yield "1,200, signed", "malformed_token", world.raw(payload=deep)
    yield "1,200, unsigned", "malformed_token", bare({"alg": "ES256"}, deep, b"s")
    yield "1,200 in the header", "malformed_token", bare(deep, world.claims(), b"s")
    yield "unclosed", "malformed_token", bare({"alg": "ES256"}, b"[" * 9000, b"s")


def t24(world):
    yield "a payload of 200 kB", "malformed_token", world.good(x="x" * 200_000)
    yield "a header of 5 kB", "malformed_token", world.raw({"x": "x" * 5000})
    yield "60 kB of dots", "malformed_token", b"." * 60_000


def t25(world):
    for value in ("admin", {"admin": True}, [["admin"]], ["admin", 1], None, True, [" admin"]):
        yield repr(value), "no_role", world.good(roles=value)
    for value in ("ADMIN", "\u0430dmin", "admin\u200b", "\uff41dmin", "*", "user,admin"):
        yield repr(value), "no_role", world.good(roles=[value])
    yield "1,100 roles", "invalid_claim", world.good(roles=["r"] * 1100)


def t26(world):
    rest = {"roles": MISSING}
    for name, value in {
        "nested": {"realm_access": {"roles": ["admin"]}},
        "__proto__": {"__proto__": {"roles": ["admin"]}},
        "an empty key": {"": {"roles": ["admin"]}},
        "in a list": {"x": [{"roles": ["admin"]}]},
        "another case": {"Roles": ["admin"]},
    }.items():
        yield name, "no_role", world.good(**rest, **value)


def t27(world):
    yield "the same kid", "bad_signature", THEIRS.token(world.claims())
    yield "a kid of theirs", "unknown_key", THEIRS_ALONE.token(world.claims())
    yield "ours as theirs", "bad_signature", world.good(iss=OTHER)
    yield "one of ours as Entra's", "unknown_key", world.entra(Signer("k1", "RS256", name="ours"))


def t28(world):
    yield "no tid", "unknown_key", world.entra(tid=MISSING)
    yield "no tid, a key for any tenant", "invalid_claim", world.entra(FOR_ANY, tid=MISSING)
    yield "another tid, a key for any tenant", "invalid_claim", world.entra(FOR_ANY, tid=UNLISTED)
    yield "another tid", "unknown_key", world.entra(tid="x" * 36)
    yield (
        "a tenant that is not listed",
        "unknown_issuer",
        world.entra(iss=f"https://login.microsoftonline.com/{UNLISTED}/v2.0", tid=UNLISTED),
    )
    yield "the key of personal accounts", "unknown_key", world.entra(PERSONAL_KEY)
    yield (
        "the placeholder",
        "unknown_issuer",
        world.entra(iss="https://login.microsoftonline.com/{tenantid}/v2.0", tid="{tenantid}"),
    )


def t29(world):
    token, now = world.bound(), world.now
    yield "as a bearer token", "sender_mismatch", token
    yield "without a proof", "invalid_dpop_proof", [with_proofs(token)]
    good = proof(token, now)
    yield "two proofs", "invalid_dpop_proof", [with_proofs(token, good, proof(token, now))]
    yield "a replay", "invalid_dpop_proof", [with_proofs(token, good), with_proofs(token, good)]
    yield (
        "a bearer token after a proof",
        "sender_mismatch",
        [
            with_proofs(token, proof(token, now)),
            [(b"authorization", b"Bearer " + token)],
        ],
    )
    unbound = world.good(iss=BINDING)
    yield "a token without a key", "sender_mismatch", [with_proofs(unbound, proof(unbound, now))]
    stolen = with_proofs(token, proof(token, now, signer=ATTACKER))
    yield "a thief's own proof", "sender_mismatch", [stolen]
    guarded = world.bound(iss=NONCES)
    for name, changes in {
        "no nonce": {},
        "a made-up nonce": {"nonce": "A" * 22},
        "null for a nonce": {"nonce": None},
    }.items():
        yield name, "use_dpop_nonce", [with_proofs(guarded, proof(guarded, now, **changes))]
    for name, changes in {
        "htu: a path more": {"htu": f"{GATEWAY}/v1/chat/completions/x"},
        "htu: another case": {"htu": f"{GATEWAY}/v1/Chat/completions"},
        "htu: another port": {"htu": f"{GATEWAY}:8443/v1/chat/completions"},
        "htu: http": {"htu": "http://gateway.example/v1/chat/completions"},
        "htu: what Host says": {"htu": "https://evil.example/v1/chat/completions"},
        "htm": {"htm": "GET"},
        "ath": {"ath": b64(hashlib.sha256(world.good()).digest()).decode()},
        "iat: the smallest int64": {"iat": -(2**63)},
        "iat: old": {"iat": now - 90},
        "a private key": {"header": {"jwk": public(HOLDER, d="AQAB")}},
        "alg none": {"header": {"alg": "none"}},
        "another's signature": {"signer": ATTACKER, "header": {"jwk": public(HOLDER)}},
        "an access token's typ": {"header": {"typ": "at+jwt"}},
    }.items():
        yield name, "invalid_dpop_proof", [with_proofs(token, proof(token, now, **changes))]
    certified = world.bound(cnf={"x5t#S256": x5t(CERTIFICATE)})
    both = world.bound(cnf={**bound(), "x5t#S256": x5t(CERTIFICATE)})
    for name, reason, told in (
        ("no certificate", "sender_mismatch", []),
        ("a thief's certificate", "sender_mismatch", [byte_sequence(b"a thief's")]),
        ("two certificates", "invalid_client_certificate", [byte_sequence(CERTIFICATE)] * 2),
        ("no structured field", "invalid_client_certificate", [b64(CERTIFICATE)]),
    ):
        headers = [(b"client-cert", one) for one in told]
        good = (b"client-cert", byte_sequence(CERTIFICATE))
        stolen = [(b"authorization", b"Bearer " + certified)]
        yield name, reason, [[*stolen, good], [*stolen, *headers]]
        yield f"{name} beside a proof", reason, [[*with_proofs(both, proof(both, now)), *headers]]


def t30(_):
    digest = hashlib.sha256(STATIC_KEY.encode()).hexdigest()
    for name, guess in {
        "nothing right": "rolecall_" + "0" * 64,
        "half right": STATIC_KEY[:41] + "0" * 32,
        "all but the last right": STATIC_KEY[:-1] + "b",
        "one short": STATIC_KEY[:-1],
        "one more": STATIC_KEY + "a",
        "its hash": f"rolecall_{digest}",
    }.items():
        yield name, "unknown_key", guess.encode()
    yield "its hash alone", "malformed_token", digest.encode()


def byte_sequence(certificate):
    """``Client-Cert`` (RFC 9440)."""
    return b":" + base64.b64encode(certificate) + b":"


def with_proofs(token, *proofs):
    """The headers of a request with a bound token."""
    return [(b"authorization", b"DPoP " + token), *((b"dpop", one) for one in proofs)]


ATTACKS = {
    name.upper(): make
    for name, make in sorted(globals().items())
    if name.startswith("t") and name[1:].isdigit()
}
"""By number: a function of the world that yields (name, reason, what is sent).

Sent is a bearer token, or the credentials of requests, each but the last of which is let through.
"""
