"""``resource:``, what the gateway says of itself to clients."""

import pytest

BASE = """\
rules: [{allow: ['*'], models: ['*']}]
models: [{name: a, model: gpt-4o, api_key: k}]
issuers:
  - {issuer: https://one.example, audience: a}
  - {issuer: https://two.example, audience: a}
resource:
"""


def errors(problems):
    return [problem for problem in problems if " error: " in problem]


def test_without_it_nothing_is_said(settings):
    assert settings(BASE.replace("resource:\n", "")).resource is None


def test_the_issuers_are_the_authorization_servers(settings):
    resource = settings(BASE + "  url: https://llm.example.com").resource
    assert resource.url == "https://llm.example.com"
    assert resource.authorization_servers == ("https://one.example", "https://two.example")
    assert resource.scopes == ()


def test_others_may_be_named(settings):
    resource = settings(
        BASE + "  url: https://llm.example.com\n"
        "  authorization_servers: [https://one.example]\n"
        "  scopes: [llm.call]"
    ).resource
    assert resource.authorization_servers == ("https://one.example",)
    assert resource.scopes == ("llm.call",)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://llm.example.com", "uses plain http"),
        ("https://llm.example.com/?a=b", "must not hold a query"),
        ("https://llm.example.com/#a", "must not hold a fragment"),
        ("llm.example.com", "is not a URL"),
        ("https://llm.example.com/ä", "holds characters that a URL does not"),
        ("https://llm.example.com/\\", "holds characters that a URL does not"),
    ],
)
def test_the_url_is_one_that_clients_can_use(told, url, why):
    (problem,) = errors(told(f"{BASE}  url: '{url}'"))
    assert problem.startswith(f"7:8: error: resource.url: {why}")


def test_an_authorization_server_is_a_url(told):
    text = BASE + "  url: https://a.example\n  authorization_servers: [one]"
    (problem,) = errors(told(text))
    assert problem.startswith("8:27: error: resource.authorization_servers[0]: is not a URL")


ISSUER = (
    BASE.replace("resource:\n", "")
    + "  - {issuer: https://three.example, audience: a, dpop: %s%s}\n"
)
RESOURCE = "resource: {url: https://llm.example.com}\n"


@pytest.mark.parametrize("dpop", ["optional", "required"])
def test_an_issuer_s_tokens_may_be_bound(settings, dpop):
    found = settings(ISSUER % (dpop, "") + RESOURCE).issuers
    assert [issuer.dpop for issuer in found] == [None, None, dpop]


def test_a_proof_needs_the_url_that_it_is_of(told):
    (problem,) = errors(told(ISSUER % ("required", "")))
    assert problem.startswith("6:56: error: issuers[2].dpop: needs resource.url: ")


def test_userinfo_does_not_tell_whose_key_a_token_is_bound_to(told):
    with_userinfo = ISSUER % ("optional", ", userinfo: {endpoint: 'https://three.example/me'}")
    (problem,) = errors(told(with_userinfo + RESOURCE))
    assert "issuers[2].dpop: does not go with userinfo" in problem


def test_proofs_may_have_to_hold_a_nonce(settings):
    found = settings(ISSUER % ("required", ", dpop_nonce: true") + RESOURCE)
    assert [issuer.dpop_nonce for issuer in found.issuers] == [False, False, True]
    assert found.nonce_key is None


def test_several_gateways_may_share_the_key_of_the_nonces(settings, told):
    text = ISSUER % ("required", ", dpop_nonce: true") + RESOURCE
    key = "0123456789abcdef0123456789abcdef"
    text += "dpop: {nonce_key: os.environ/KEY}\n"
    found = settings(text, {"KEY": key})
    assert found.nonce_key == key.encode()
    assert key not in repr(found)
    (problem,) = errors(told(text, {"KEY": key[1:]}))
    assert problem.startswith("8:19: error: dpop.nonce_key")
    assert key[1:] not in problem


def test_a_nonce_needs_a_proof_to_stand_in(told):
    text = BASE.replace("resource:\n", "").replace("audience: a}", "audience: a, dpop_nonce: true}")
    first, second = errors(told(text + RESOURCE))
    assert first.startswith("4:60: error: issuers[0].dpop_nonce: needs dpop beside it")
    assert "issuers[1].dpop_nonce" in second


def test_there_is_no_third_way(told):
    (problem,) = errors(told(ISSUER % ("maybe", "") + RESOURCE))
    assert "issuers[2].dpop" in problem
