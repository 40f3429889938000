"""A threaded HTTP server that listens on the loopback interface and nowhere else."""

import socket
import threading
from dataclasses import dataclass, field
from typing import Final

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from rolecall.demo.idp.loopback import is_loopback_address

_BACKLOG: Final = 128
_POLL: Final = 0.05
_SLOW_CLIENT: Final = 30


def listen(host: str, port: int) -> socket.socket:
    """Bind to a port of a loopback address; port 0 takes a free one.

    Raises:
        ValueError: for an address that others could reach, and for a name, which could be one.
        OSError: where the port is taken.
    """
    if not is_loopback_address(host):
        raise ValueError(
            f"The development identity provider listens on loopback only, not on {host!r}: "
            "its passwords are known to everyone. Give 127.0.0.1 or ::1."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def base_url(bound: socket.socket) -> str:
    """Return the URL of a bound socket, without a path."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs in a daemon thread."""

    _server: BaseWSGIServer = field(repr=False)
    _thread: threading.Thread = field(repr=False)

    @classmethod
    def start(cls, bound: socket.socket, app: Flask) -> "Serving":
        """Serve an application on a bound socket, which the server takes over."""
        host, port = bound.getsockname()[:2]
        with bound:
            # The socket is bound here since werkzeug leaves the process where a port is taken.
            server = make_server(
                host, port, app, threaded=True, request_handler=_Quiet, fd=bound.fileno()
            )
        thread = threading.Thread(
            target=server.serve_forever, args=(_POLL,), name="development-idp", daemon=True
        )
        thread.start()
        return cls(server, thread)

    def stop(self) -> None:
        """Stop listening; again does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()


class _Quiet(WSGIRequestHandler):
    """Logs nothing, since a request line may hold a code.

    HTTP/1.0 closes each connection, so that a provider that was stopped answers nobody.
    """

    protocol_version = "HTTP/1.0"
    timeout = _SLOW_CLIENT

    def version_string(self) -> str:
        return "rolecall-development-idp"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        pass
