"""What every translation looks like from outside, whichever two formats it stands between.

Files are named for their direction, from the format that is read to the one that is written:
``chat_to_messages_*`` reads OpenAI's Chat Completions and writes Anthropic's Messages.
"""

from typing import Any, Protocol


class UpstreamFormatError(Exception):
    """The upstream's answer is not of the format that it claims; the message says where."""


class StreamTranslation(Protocol):
    """One streamed answer on its way to the caller."""

    def feed(self, data: bytes) -> bytes:
        """Translate the next bytes of the upstream's event stream, cut at any byte.

        Raises:
            UpstreamFormatError: for what the format does not allow. What was translated before
                the fault is not lost: ``end`` hands it out.
        """
        ...

    def end(self) -> bytes:
        """The upstream's stream is over: what the caller must still be sent.

        Nothing after a complete answer; otherwise an error in the caller's format, so that a
        truncated answer never looks complete. Callable after ``feed`` raised.
        """
        ...


class Translation(Protocol):
    """The answers to one request: the upstream's format in, the caller's format out."""

    def answer(self, body: Any) -> dict[str, Any]:
        """Translate the parsed body of a success.

        Raises:
            UpstreamFormatError: for a body that is not of the upstream's format.
        """
        ...

    def error(self, status: int, body: bytes) -> bytes:
        """Translate the body of a failure, which may be anything; the status stays as it is."""
        ...

    def stream(self) -> StreamTranslation:
        """Translate a streamed success."""
        ...
