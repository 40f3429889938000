"""How nginx is set up here, as a gateway and as the mock provider."""

from pathlib import Path
from typing import Final

from bench import programs

_FRAME: Final = """\
worker_processes {workers};
error_log stderr error;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    keepalive_timeout 3600;
    keepalive_requests 1000000000;
    {inside}
}}
"""


def find() -> str:
    """The program.

    Raises:
        Missing: it is not installed.
    """
    return programs.find("nginx", "nginx-light")


def command(folder: Path, workers: int, inside: str) -> list[str]:
    """Write a configuration with this inside its ``http`` block; the command that runs nginx."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nginx.conf"
    text = _FRAME.format(folder=folder, workers=workers, inside=inside)
    config.write_text(text, encoding="ascii")
    return [find(), "-p", str(folder), "-c", str(config), "-g", "daemon off;"]
