"""The model behind the demo: a small real one, or an echo where that cannot be had."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

from rolecall.demo.model.echo import EchoModel
from rolecall.demo.model.fetch import DOWNLOAD_LIMIT, ModelFiles, fetch_model
from rolecall.demo.model.llama import LocalModel
from rolecall.demo.model.progress import Report, shown, silent
from rolecall.demo.model.unavailable import ModelUnavailable

__all__ = [
    "EchoModel",
    "LocalModel",
    "Model",
    "ModelFiles",
    "ModelUnavailable",
    "Report",
    "fetch_model",
    "shown",
    "start_model",
]

ALIASES: Final = ("smollm2",)

Model: TypeAlias = LocalModel | EchoModel


def start_model(
    *,
    progress: Report = silent,
    aliases: Sequence[str] = ALIASES,
    echo: bool = False,
    cache: Path | None = None,
    limit: float = DOWNLOAD_LIMIT,
) -> Model:
    """Start the local model, or the echo model where the local one cannot be had.

    Args:
        progress: told of bytes downloaded and unpacked; ``shown`` renders them.
        aliases: the model names that are listed.
        echo: start the echo model without trying for the local one.
        cache: where the download is kept; the platform's cache folder when it is not given.
        limit: seconds that the download may take.

    Returns:
        A running model. An ``EchoModel`` says in ``reason`` why it stands in.
    """
    if echo:
        return EchoModel.start(aliases=aliases)
    try:
        files = fetch_model(cache=cache, report=progress, limit=limit)
        return LocalModel.start(files, aliases=aliases)
    except ModelUnavailable as unavailable:
        return EchoModel.start(aliases=aliases, reason=str(unavailable))
