"""TLS towards a server of an identity provider, with what the configured files hold now."""

import asyncio
import logging
import ssl
from pathlib import Path

from rolecall.config import FileState, Reach, file_state

log = logging.getLogger("rolecall.identity")


class ClientTls:
    """Whom to trust, and the certificate that is shown; files that are renewed are read again.

    A client certificate may live for hours, and a gateway for months. While renewed files cannot be
    used (of certificate and key the second is still to come) the former ones are.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._files = [
            file for file in (reach.ca_file, reach.certificate, reach.key) if file is not None
        ]
        self._seen: list[FileState] | None = None
        self._context: ssl.SSLContext | None = None
        self._reading = asyncio.Lock()

    async def context(self) -> ssl.SSLContext:
        """What the next connection is made with.

        Raises:
            OSError: a file cannot be used, and none could before (`ssl.SSLError` is one).
        """
        async with self._reading:
            seen = self._look()
            if self._context is None or seen != self._seen:
                self._context = await self._read(self._context)
                self._seen = seen
            return self._context

    def _look(self) -> list[FileState]:
        return [file_state(Path(file)) for file in self._files]

    async def _read(self, former: ssl.SSLContext | None) -> ssl.SSLContext:
        try:
            # reading a hundred certificates takes 20 ms, in which others are answered
            return await asyncio.to_thread(_context, self._reach)
        except OSError as error:
            if former is None:
                raise
            log.warning(
                "of %s one has changed and cannot be used: %s; what they held before serves on",
                ", ".join(self._files),
                error,
            )
            return former


def _context(reach: Reach) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=reach.ca_file)
    if reach.certificate is not None:
        context.load_cert_chain(reach.certificate, reach.key, password="")
    return context
