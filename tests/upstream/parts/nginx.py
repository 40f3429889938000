"""A real nginx with a configuration of ours."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.programs import free_port

from ...e2e.parts.missing import missing
from ...e2e.parts.process import Process, environment
from .certificates import Authority

LARGE = b"0123456789abcdef" * 65_536

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  client_max_body_size 64m;
  default_type text/plain;
  gzip_types *; gzip_min_length 1;
  ssl_certificate {certificate}; ssl_certificate_key {certificate};
  ssl_session_cache shared:s:1m;
  server {{
    listen 127.0.0.1:{plain} backlog=4096;
    listen 127.0.0.1:{tls} ssl backlog=4096;
    listen 127.0.0.1:{plain2} http2 backlog=4096;
    listen 127.0.0.1:{tls2} ssl http2 backlog=4096;
    root {folder};
    # a POST of a file is refused, and the refusal is the file
    error_page 405 =200 $uri;
    location = /short {{ return 200 "{short}"; }}
    location = /none {{ return 204; }}
    location = /missing {{ return 404 "no such thing"; }}
    location = /elsewhere {{ return 307 /short; }}
    location = /large {{ }}
    location = /chunked {{ gzip on; alias {folder}/large; error_page 405 =200 $uri; }}
    location = /closing {{ keepalive_timeout 0; return 200 "closed"; }}
    location = /resumed {{ return 200 "$ssl_session_reused"; }}
    location = /client {{ return 200 "$ssl_client_verify"; }}
  }}
  server {{
    listen 127.0.0.1:{mutual} ssl;
    listen 127.0.0.1:{mutual2} ssl http2;
    ssl_client_certificate {authority}; ssl_verify_client on;
    location / {{ return 200 "$ssl_client_verify"; }}
  }}
  server {{
    listen 127.0.0.1:{few};
    listen 127.0.0.1:{few2} http2;
    keepalive_requests 3;
    location / {{ return 200 "few"; }}
  }}
}}
"""

KINDS = ("plain", "tls", "mutual", "few")
SHORT = b"y" * 300


@dataclass(frozen=True)
class Site:
    """Where a server listens: plain, TLS, TLS with our certificate, closing after three requests.

    Each once for HTTP/1.1 and once for HTTP/2.
    """

    version: str
    http1: Mapping[str, str]
    http2: Mapping[str, str]


def url(kind: str, port: int) -> str:
    """Where a listener is found."""
    return f"{'https' if kind in {'tls', 'mutual'} else 'http'}://127.0.0.1:{port}"


@contextmanager
def running(folder: Path, authority: Authority) -> Iterator[Site]:
    """Run nginx, or skip the test loudly where there is none."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        missing("nginx", "install nginx-light")
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    ports = {f"{kind}{version}": free_port() for kind in KINDS for version in ("", "2")}
    (folder / "large").write_bytes(LARGE)
    file = folder / "nginx.conf"
    file.write_text(
        _CONFIGURATION.format(
            folder=folder,
            certificate=authority.sign("127.0.0.1"),
            authority=authority.file,
            short=SHORT.decode(),
            **ports,
        )
    )
    process = Process(
        [program, "-c", str(file), "-p", str(folder), "-e", "stderr"],
        folder / "log",
        environment(),
    )
    try:
        process.wait_for((folder / "pid").exists, what="nginx is ready")
        yield Site(
            re.sub(r"\s+", " ", told).strip(),
            {kind: url(kind, ports[kind]) for kind in KINDS},
            {kind: url(kind, ports[f"{kind}2"]) for kind in KINDS},
        )
    finally:
        process.kill()
