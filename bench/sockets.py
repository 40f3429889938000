"""Single requests on loopback, to see whether somebody is there and answers as he should."""

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def listening(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def post(
    port: int, path: str, headers: Mapping[str, str], body: bytes, seconds: float = 30.0
) -> Answer:
    """Post a JSON body.

    Raises:
        OSError: nobody is there.
        http.client.HTTPException: the answer is not HTTP.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(
            "POST", path, body, headers={**headers, "content-type": "application/json"}
        )
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()
