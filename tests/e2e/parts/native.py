"""A configuration in the native dialect, for node's oidc-provider and our own upstream."""

from textwrap import dedent, indent

from .node_oidc_provider import AUDIENCE, RESOURCE_ACCESS_KEY, OidcProvider
from .upstream import Upstream

COMPANY_KEY = "the-company-key"

_CONFIG = """
issuers:
  - issuer: {issuer}
    audience: {audience}
    roles: [roles, [resource_access, "{key}", roles]]
{more}
metrics: {{roles: any}}
roles:
  - role: internal_user
    any_of: [basic_user]
rules:
  - allow: [internal_user]
    models: [anthropic-claude, openai-gpt-4o, "claude-*", "gpt-*"]
models:
"""
_MODEL = """
  - name: {name}
    provider: {provider}
    model: {model}
    api_base: {url}
    api_key: os.environ/COMPANY_KEY
"""
_ENDINGS = ("400", "429", "500", "529", "hang", "cut")


def native(provider: OidcProvider, upstream: Upstream, more: str = "") -> dict[str, str]:
    """The arguments to start a gateway with; ``more`` is YAML for the issuer's entry.

    Callers with a role may call ``anthropic-claude`` and ``openai-gpt-4o``, ``claude-429`` and the
    like (`upstream`), and ``gpt-nowhere``, which no upstream serves, but not ``openai-o3``.
    """
    models = [
        ("anthropic-claude", "anthropic", "claude-3-5-haiku-20241022"),
        ("openai-gpt-4o", "openai", "gpt-4o"),
        ("openai-o3", "openai", "o3"),
        *((f"claude-{ending}", "anthropic", f"claude-{ending}") for ending in _ENDINGS),
        *((f"gpt-{ending}", "openai", f"gpt-{ending}") for ending in _ENDINGS),
    ]
    head = _CONFIG.format(
        issuer=provider.issuer,
        audience=AUDIENCE,
        key=RESOURCE_ACCESS_KEY,
        more=indent(dedent(more), "    "),
    )
    entries = [
        _MODEL.format(name=name, provider=vendor, model=model, url=upstream.url)
        for name, vendor, model in models
    ]
    return {"config": head + "".join(entries), "COMPANY_KEY": COMPANY_KEY}
