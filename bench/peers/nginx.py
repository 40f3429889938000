"""nginx as a bare proxy: no token, no policy. What remains is the price of forwarding."""

from pathlib import Path
from typing import Final

from bench import programs
from bench.peers.peer import Launch, Setting, Unavailable
from bench.upstream import answers
from bench.upstream.servers import nginx

_CONFIG: Final = """\
worker_processes {setting.workers};
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
    keepalive_requests 1000000000;
    upstream provider {{
        server 127.0.0.1:{setting.upstream};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer {key}";
            proxy_buffering off;
        }}
    }}
}}
"""


class Nginx:
    """The limit that everything else is held against."""

    name = "nginx"
    title = "nginx"
    manner = "a bare proxy: no token, no policy"
    guards = False

    def install(self, folder: Path) -> str:  # noqa: ARG002 - it is the system's own
        """Ask for the version."""
        try:
            return (
                programs.run([programs.find("nginx", "nginx-light"), "-v"]).split("/")[-1].strip()
            )
        except (programs.Missing, programs.ProgramFailed) as error:
            raise Unavailable(str(error)) from None

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:
        """One server that forwards everything over connections that are kept."""
        config = folder / "nginx.conf"
        text = _CONFIG.format(setting=setting, folder=folder, port=port, key=answers.PROVIDER_KEY)
        config.write_text(text, encoding="ascii")
        return Launch(nginx(config))

    def headers(self, token: str) -> dict[str, str]:
        """The same as for the others, though nobody reads it."""
        return {"authorization": f"Bearer {token}"}
