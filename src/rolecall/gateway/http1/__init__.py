"""The server's side of HTTP/1.1: a protocol class for uvicorn, on httptools (RFC 9112).

uvicorn's own class costs as much as the rest of a request's way, and its ``http`` option is the
documented place for another one. This one writes head and body in one piece, keeps one timer for
a connection instead of one for each request, and bounds what uvicorn leaves open: the size of a
head, and how long a client may take to send its body or to read its answer.
"""

from rolecall.gateway.http1.client_certificate import CLIENT_CERTIFICATE
from rolecall.gateway.http1.connection import Connection
from rolecall.gateway.http1.cycle import SENT
from rolecall.gateway.http1.repeated import KEPT

__all__ = ["CLIENT_CERTIFICATE", "KEPT", "SENT", "Connection"]
