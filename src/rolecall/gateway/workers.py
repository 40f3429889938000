"""The processes that share a port tell each other their figures, so that each can speak for all."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rolecall.record import Figures

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_PATIENCE: Final = 1.0
_MOST: Final = 1024 * 1024


@cache
def _form() -> "TypeAdapter[Figures]":
    # it takes as much memory as all else of the gateway, and few are scraped with siblings
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(Figures)


class Workers:
    """This process and its siblings: each listens at a Unix socket of its own in one folder.

    Nothing is counted together and nothing is locked: whoever is scraped asks the others. One that
    has died leaves a socket that nobody answers, which is removed.

    Args:
        folder: theirs alone (mode 0700); None where this process is the only one.
        read: this process's figures.
    """

    def __init__(self, folder: Path | None, read: Callable[[], Figures]) -> None:
        self._folder = folder
        self._read = read
        self._name = str(os.getpid())
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen for siblings."""
        if self._folder is not None:
            place = self._folder / self._name
            self._server = await asyncio.start_unix_server(self._tell, place)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None and self._folder is not None:
            self._server.close()
            _remove(self._folder / self._name)

    async def figures(self) -> dict[str, Figures]:
        """Everybody's figures by process ID; by an empty name where there is but one process."""
        if self._folder is None:
            return {"": self._read()}
        others = [place for place in _listed(self._folder) if place.name != self._name]
        told = await asyncio.gather(*map(_ask, others))
        found = {
            place.name: figures for place, figures in zip(others, told, strict=True) if figures
        }
        return {self._name: self._read(), **found}

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(_form().dump_json(self._read()))
            writer.write_eof()
            await writer.drain()
        writer.close()


def _remove(place: Path) -> None:
    with suppress(OSError):
        place.unlink()


def _listed(folder: Path) -> list[Path]:
    # what else they share lies there too
    return sorted(place for place in folder.iterdir() if place.is_socket())


async def _ask(place: Path) -> Figures | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(place, limit=_MOST)
            try:
                return _form().validate_json(await reader.read(-1))
            finally:
                writer.close()
    except ConnectionRefusedError:
        _remove(place)
    except (OSError, TimeoutError, ValueError):
        pass
    return None
