"""Proxies that end TLS in front of a gateway, and tell it of their clients' certificates."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.peers.envoy import program
from bench.peers.peer import Unavailable
from bench.places import CACHE
from bench.programs import free_port

from ...upstream.parts.certificates import Authority
from .cache import alone
from .missing import missing
from .process import Process, environment

_NGINX: Final = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
    ssl_client_certificate {authority}; ssl_verify_client optional;
    location / {{
      proxy_pass {gateway};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
    }}
  }}
}}
"""
_TYPE: Final = "type.googleapis.com/envoy.extensions"


@contextmanager
def nginx(folder: Path, authority: Authority, gateway: str) -> Iterator[int]:
    """Run nginx in front of a gateway; its port."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        missing("nginx", "install nginx-light")
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(
        _NGINX.format(
            folder=folder,
            port=port,
            certificate=authority.sign("127.0.0.1"),
            authority=authority.file,
            gateway=gateway,
        )
    )
    command = [found, "-c", str(file), "-p", str(folder), "-e", "stderr"]
    with _started(command, folder, port):
        yield port


@contextmanager
def envoy(folder: Path, authority: Authority, gateway: str) -> Iterator[int]:
    """Run Envoy in front of a gateway; its port."""
    try:
        with alone("envoy"):
            binary, _ = program(CACHE / "peers" / "envoy")
    except Unavailable as unavailable:
        missing("Envoy", str(unavailable))
    port = free_port()
    file = folder / "envoy.json"
    file.write_text(json.dumps(_bootstrap(authority, port, int(gateway.rpartition(":")[2]))))
    command = [str(binary), "-c", str(file), "--use-dynamic-base-id", "--log-level", "error"]
    with _started(command, folder, port):
        yield port


@contextmanager
def _started(command: list[str], folder: Path, port: int) -> Iterator[None]:
    process = Process(command, folder / "proxy.log", environment())
    try:
        process.wait_for(lambda: _listens(port), what="the proxy listens")
        yield
    finally:
        process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _bootstrap(authority: Authority, port: int, gateway: int) -> dict[str, Any]:
    own = {"filename": authority.sign("127.0.0.1")}
    manager = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "cert": True, "uri": True},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.filters.http.router.v3.Router"},
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "gateway"}}],
                }
            ]
        },
    }
    tls = {
        "@type": f"{_TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [{"certificate_chain": own, "private_key": own}],
            "validation_context": {"trusted_ca": {"filename": authority.file}},
        },
    }
    chain = {
        "filters": [{"name": "http", "typed_config": manager}],
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }
    cluster = {
        "name": "gateway",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "gateway",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(gateway)}}]}],
        },
    }
    listener = {"name": "tls", "address": _address(port), "filter_chains": [chain]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


PROXIES: Final[Mapping[str, tuple[Callable[..., Any], str]]] = {
    "nginx": (nginx, "form: pem, header: X-Client-Cert"),
    "Envoy": (envoy, "form: xfcc"),
}
"""By name: how each is run, and what the gateway's configuration says of its header."""
