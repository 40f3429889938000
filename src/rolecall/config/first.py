"""A first configuration, with a word on each part of it."""

from dataclasses import dataclass

from rolecall.config.providers import DEFAULTS, infer


@dataclass(frozen=True, slots=True)
class First:
    """What a first configuration is made of.

    Attributes:
        issuer: the identity provider's ``iss``.
        profile: which provider it is.
        audience: what its tokens for this gateway name in ``aud``.
        value: the value of a role claim that opens the gateway.
        role: the role that it gives.
        model: the upstream's name of the model.
    """

    issuer: str
    profile: str
    audience: str
    value: str
    role: str
    model: str


def first_configuration(first: First) -> str:
    """The text of the file.

    Raises:
        ValueError: the model's name does not tell its provider.
    """
    provider, upstream = infer(first.model)
    return f"""\
# yaml-language-server: $schema=rolecall.schema.json
# rolecall schema > rolecall.schema.json gives editors the keys and their meaning;
# rolecall check --config THIS says what is wrong; rolecall serve --config THIS serves it.

# Whose tokens open the gateway. Its keys are found at the issuer.
issuers:
  - issuer: {_quoted(first.issuer)}
    profile: {first.profile}
    audience: [{_quoted(first.audience)}]

# What in a token gives which role.
roles:
  - role: {_quoted(first.role)}
    any_of: [{_quoted(first.value)}]

# What a role may call. What no rule allows is refused; a deny rule wins over every allow.
rules:
  - allow: [{_quoted(first.role)}]
    models: [{_quoted(upstream)}]
    # ceilings: {{max_tokens: 4096}}
    # when: 'now.getHours("Europe/Berlin") < 18'

# Who serves a model, and with which key; write references, and never a key itself.
models:
  - name: {_quoted(upstream)}
    provider: {provider}
    model: {_quoted(upstream)}
    api_key: os.environ/{DEFAULTS[provider].key_variable}
"""


def _quoted(text: str) -> str:
    """A double-quoted scalar of YAML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
