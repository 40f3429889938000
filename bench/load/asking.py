"""What the callers send, in files that wrk and the streaming client read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import calls


@dataclass(frozen=True, slots=True)
class Asking:
    """One kind of request to one gateway."""

    port: int
    headers: Path
    body: Path

    @property
    def url(self) -> str:
        """Where it is sent."""
        return f"http://127.0.0.1:{self.port}{calls.PATH}"


def write(folder: Path, port: int, headers: Mapping[str, str], body: bytes) -> Asking:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    asking = Asking(port, folder / "headers", folder / "body")
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    asking.headers.write_text(lines, encoding="ascii")
    asking.body.write_bytes(body)
    return asking


def read_headers(path: Path) -> dict[str, str]:
    """The headers as they were written."""
    lines = path.read_text(encoding="ascii").splitlines()
    return dict(line.split(": ", 1) for line in lines)
