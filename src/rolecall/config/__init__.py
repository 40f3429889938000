"""YAML in two dialects becomes typed settings with line numbers."""

from rolecall.config.loading import Loaded, load
from rolecall.config.problems import ConfigurationError, Problem
from rolecall.config.proxies import proxy_for
from rolecall.config.settings import (
    IssuerSettings,
    KeysFrom,
    Limits,
    ModelSettings,
    ProviderName,
    Settings,
    Timeouts,
    Tls,
)

__all__ = [
    "ConfigurationError",
    "IssuerSettings",
    "KeysFrom",
    "Limits",
    "Loaded",
    "ModelSettings",
    "Problem",
    "ProviderName",
    "Settings",
    "Timeouts",
    "Tls",
    "load",
    "proxy_for",
]
