"""YAML in two dialects becomes typed settings with line numbers."""

from rolecall.config.addresses import is_public
from rolecall.config.problems import ConfigurationError, Problem
from rolecall.config.proxies import Proxy, forward_proxy
from rolecall.config.reading import Loaded, load, load_apart
from rolecall.config.settings import (
    CertificateForm,
    CertificateHeader,
    Client,
    DecisionSettings,
    IssuerSettings,
    KeysFrom,
    Limits,
    ListenerTls,
    Metrics,
    ModelSettings,
    Opaque,
    ProviderName,
    Reach,
    Resource,
    Settings,
    ShadowSettings,
    StaticKey,
    Timeouts,
    Tls,
    TransportName,
)

__all__ = [
    "CertificateForm",
    "CertificateHeader",
    "Client",
    "ConfigurationError",
    "DecisionSettings",
    "IssuerSettings",
    "KeysFrom",
    "Limits",
    "ListenerTls",
    "Loaded",
    "Metrics",
    "ModelSettings",
    "Opaque",
    "Problem",
    "ProviderName",
    "Proxy",
    "Reach",
    "Resource",
    "Settings",
    "ShadowSettings",
    "StaticKey",
    "Timeouts",
    "Tls",
    "TransportName",
    "forward_proxy",
    "is_public",
    "load",
    "load_apart",
]
