"""nginx as a bare proxy: no token, no policy. What remains is the price of forwarding."""

from pathlib import Path
from typing import Final

from bench import nginx, programs
from bench.peers.peer import Launch, Setting, Unavailable
from bench.upstream import answers

_INSIDE: Final = """\
upstream provider {{
        server 127.0.0.1:{upstream};
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
    }}"""


class Nginx:
    """The limit that everything else is held against."""

    name = "nginx"
    title = "nginx"
    manner = "a bare proxy: no token, no policy"
    guards = False
    warm = 1

    def install(self, folder: Path) -> str:  # noqa: ARG002 - it is the system's own
        """Ask for the version."""
        try:
            return programs.run([nginx.find(), "-v"]).split("/")[-1].strip()
        except (programs.Missing, programs.ProgramFailed) as error:
            raise Unavailable(str(error)) from None

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:
        """One server that forwards everything over connections that are kept."""
        inside = _INSIDE.format(upstream=setting.upstream, port=port, key=answers.PROVIDER_KEY)
        return Launch(nginx.command(folder, setting.workers, inside))

    def headers(self, token: str) -> dict[str, str]:
        """The same as for the others, though nobody reads it."""
        return {"authorization": f"Bearer {token}"}
