"""A real Envoy in front of a real nginx, and of a server that misbehaves."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.envoy import program
from bench.peers.peer import Unavailable
from bench.places import CACHE
from bench.programs import free_port

from ...e2e.parts.cache import alone
from ...e2e.parts.missing import missing
from ...e2e.parts.process import Process, environment
from .certificates import Authority
from .nginx import KINDS, Site, url

_TYPE = "type.googleapis.com/envoy"
_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


@contextmanager
def running(folder: Path, authority: Authority, upstream: str, bad: int) -> Iterator[Site]:
    """Run Envoy, or skip the test loudly where it cannot be had.

    Args:
        folder: for its configuration and its log.
        authority: signs its certificate, and those that it requires.
        upstream: where all paths lead, but ``/bad/…``.
        bad: the port where those lead.
    """
    try:
        with alone("envoy"):
            binary, version = program(CACHE / "peers" / "envoy")
    except Unavailable as unavailable:
        missing("Envoy", str(unavailable))
    ports = {kind: free_port() for kind in KINDS}
    file = folder / "envoy.json"
    file.write_text(json.dumps(_bootstrap(ports, authority, upstream, bad), indent=1))
    command = [str(binary), "-c", str(file), "--use-dynamic-base-id", "--log-level", "error"]
    process = Process([*command, "--concurrency", "2"], folder / "log", environment())
    try:
        for port in ports.values():
            process.wait_for(lambda port=port: _listens(port), what="Envoy listens")
        urls = {kind: url(kind, port) for kind, port in ports.items()}
        # each of its listeners speaks both
        yield Site(f"envoy {version}", urls, urls)
    finally:
        process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _bootstrap(ports, authority, upstream, bad):
    clusters = [_cluster("nginx", int(upstream.rpartition(":")[2])), _cluster("bad", bad)]
    listeners = [_listener(kind, port, authority) for kind, port in ports.items()]
    return {"static_resources": {"listeners": listeners, "clusters": clusters}}


def _listener(kind, port, authority):
    chain = {"filters": [{"name": "http", "typed_config": _manager(kind)}]}
    if kind in {"tls", "mutual"}:
        chain["transport_socket"] = _tls(authority, required=kind == "mutual")
    return {"name": kind, "address": _address(port), "filter_chains": [chain]}


def _manager(kind):
    routes = [
        {"match": {"prefix": "/bad/"}, "route": {"cluster": "bad", "timeout": "0s"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "nginx", "timeout": "0s"}},
    ]
    return {
        "@type": f"{_TYPE}.{_MANAGER}",
        "stat_prefix": kind,
        "codec_type": "AUTO",
        # how long a client does not learn that an answer has broken off (HTTP/1.1)
        "delayed_close_timeout": "0.1s",
        "common_http_protocol_options": {"max_requests_per_connection": 3} if kind == "few" else {},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.extensions.filters.http.router.v3.Router"},
            }
        ],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
    }


def _tls(authority, *, required):
    own = authority.sign("127.0.0.1")
    certificate = {"certificate_chain": {"filename": own}, "private_key": {"filename": own}}
    common = {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [certificate]}
    if required:
        common["validation_context"] = {"trusted_ca": {"filename": authority.file}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": common,
            "require_client_certificate": required,
        },
    }


def _cluster(name, port):
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
