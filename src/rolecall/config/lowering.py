"""The native sections become settings."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rolecall.config import issuers, schema, urls
from rolecall.config.document import Document, KeyPath
from rolecall.config.environment import MissingVariable, variable
from rolecall.config.providers import DEFAULTS, infer
from rolecall.config.settings import (
    Limits,
    Metrics,
    ModelSettings,
    ProviderName,
    Timeouts,
    Tls,
)


def models(
    sections: list[schema.Model], document: Document, environ: Mapping[str, str]
) -> list[ModelSettings]:
    """``models:``."""
    result = []
    for index, section in enumerate(sections):
        model = deployment(
            section,
            name=section.name,
            path=("models", index),
            name_key="name",
            timeouts=Timeouts(),
            document=document,
            environ=environ,
        )
        if model is not None:
            result.append(model)
    return result


def deployment(  # noqa: PLR0913 - both dialects meet here
    section: schema.Model | schema.LiteLLMParams,
    *,
    name: str,
    path: KeyPath,
    name_key: str,
    timeouts: Timeouts,
    document: Document,
    environ: Mapping[str, str],
) -> ModelSettings | None:
    """One deployment out of the keys that both dialects share, or None after reporting why not.

    ``timeouts`` hold for what the entry does not say itself.
    """
    params: KeyPath = (*path, "litellm_params") if name_key != "name" else path
    if "*" in name:
        document.report(
            (*path, name_key), "holds a *; a deployment serves one name, list each that it serves."
        )
        return None
    try:
        provider, upstream_model = _provider(section)
    except ValueError as error:
        document.report((*params, "model"), f"{error}.")
        return None
    api_base = section.api_base or DEFAULTS[provider].api_base
    try:
        urls.check(api_base, query=False)
    except ValueError as error:
        document.report((*params, "api_base"), f"{error}.")
        return None
    try:
        key = section.api_key or variable(DEFAULTS[provider].key_variable, environ)
    except MissingVariable as error:
        document.report(params, f"has no api_key, and {error}.")
        return None
    if key is None and section.api_base is None:
        document.warn(
            params,
            f"has no api_key, and {DEFAULTS[provider].key_variable} is not set: the provider will"
            f" refuse every call of {name}.",
        )
    return ModelSettings(
        name=name,
        provider=provider,
        model=upstream_model,
        api_base=api_base,
        api_key=key,
        timeouts=_timeouts(section, timeouts),
        tls=_tls(section, path, document) if isinstance(section, schema.Model) else None,
        # without the text: the line may hold the key
        source=replace(document.source(path), text=""),
        transport=section.transport if isinstance(section, schema.Model) else "http1",
    )


def _provider(section: schema.Model | schema.LiteLLMParams) -> tuple[ProviderName, str]:
    explicit = (
        section.provider if isinstance(section, schema.Model) else section.custom_llm_provider
    )
    if explicit is None:
        return infer(section.model)
    model = section.model.removeprefix(f"{explicit}/")
    if not model:
        raise ValueError(f"names no model after {explicit}/")
    return explicit, model


def _timeouts(section: schema.Model | schema.LiteLLMParams, default: Timeouts) -> Timeouts:
    return Timeouts(
        connect=getattr(section, "connect_timeout", None) or default.connect,
        first_byte=section.timeout or default.first_byte,
        stream=section.stream_timeout or section.timeout or default.stream,
        idle=getattr(section, "idle_timeout", None) or default.idle,
        total=getattr(section, "total_timeout", None) or default.total,
    )


def _tls(section: schema.Model, path: KeyPath, document: Document) -> Tls | None:
    if section.client_key is not None and section.client_cert is None:
        document.report((*path, "client_key"), "needs client_cert beside it.")
    for key in ("ca_file", "client_cert", "client_key"):
        file = getattr(section, key)
        if file is not None and not Path(file).is_file():
            document.report((*path, key), "is no file that can be read.")
    if section.ca_file is None and section.client_cert is None:
        return None
    return Tls(section.ca_file, section.client_cert, section.client_key)


def metrics(section: schema.MetricsSection | None, document: Document) -> Metrics | None:
    """``metrics:``; ``any`` alone admits everybody."""
    if section is None:
        return None
    if section.roles == [issuers.ANY]:
        return Metrics(None)
    if issuers.ANY in section.roles:
        document.report(("metrics", "roles"), "mixes 'any' with roles; write one or the other.")
    return Metrics(frozenset(section.roles))


def limits(section: schema.LimitsSection) -> Limits:
    """``limits:``."""
    default = Limits()
    return Limits(
        body=section.body_bytes or default.body,
        token=section.token_bytes or default.token,
        token_header=section.token_header_bytes or default.token_header,
        token_depth=section.token_depth or default.token_depth,
        remembered_tokens=section.remembered_tokens or default.remembered_tokens,
        remembered_bytes=section.remembered_bytes or default.remembered_bytes,
        refused_tokens=section.refused_tokens or default.refused_tokens,
        unknown_keys=section.unknown_keys or default.unknown_keys,
        proofs=section.proofs or default.proofs,
    )
