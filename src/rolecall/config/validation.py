"""A file's values are held to the shape of its sections, and every fault is told where it is."""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from rolecall.config.document import Document, KeyPath

_PYDANTIC_S_OWN: Final = re.compile(
    r"^(?:Value error, |Input |String |List )| after validation, not \d+$"
)

Shape = TypeVar("Shape", bound=BaseModel)


def validated(
    document: Document,
    model: type[Shape],
    *,
    hints: Mapping[str, str] = MappingProxyType({}),
    allow_unknown: bool = False,
) -> Shape:
    """A document in the shape of a model; what does not fit is reported where it stands.

    Args:
        document: as it was read.
        model: the shape of a whole file.
        hints: what to do about unknown keys, by their paths without list positions.
        allow_unknown: unknown keys are warnings and not errors.

    Raises:
        ConfigurationError: it does not fit.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        unknown: list[KeyPath] = []
        for fault in error.errors(include_url=False, include_input=False):
            if fault["type"] == "extra_forbidden":
                unknown.append(fault["loc"])
                _report_unknown(document, fault["loc"], model, hints, allow_unknown=allow_unknown)
            else:
                document.report(_known_part(fault["loc"], document), _sentence(fault["msg"]))
        if not allow_unknown:
            document.stop_on_errors()
        for path in unknown:
            _remove(document.data, path)
        document.stop_on_errors()
        return model.model_validate(document.data)


def _report_unknown(
    document: Document,
    path: KeyPath,
    model: type[BaseModel],
    hints: Mapping[str, str],
    *,
    allow_unknown: bool,
) -> None:
    names = tuple(key for key in path if isinstance(key, str))
    hint = hints.get(".".join(names))
    if hint is None:
        close = difflib.get_close_matches(str(path[-1]), _siblings(path, model), n=1, cutoff=0.7)
        hint = f"did you mean {close[0]}?" if close else "remove it, or see the list of keys"
    document.report(
        path,
        f"unknown key: {hint}" + ("" if hint.endswith("?") else "."),
        level="warning" if allow_unknown else "error",
        at_key=True,
    )


def _siblings(path: KeyPath, model: type[BaseModel]) -> list[str]:
    for key in path[:-1]:
        if isinstance(key, int):
            continue
        model = _section(model.model_fields[key].annotation)
    return list(model.model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_section(part) for part in get_args(annotation) if part is not type(None))


def _known_part(path: KeyPath, document: Document) -> KeyPath:
    """Cut what pydantic adds to a location behind the keys of the file."""
    end = len(path)
    while end and path[:end] not in document.values and path[: end - 1] not in document.values:
        end -= 1
    return path[:end]


def _sentence(message: str) -> str:
    text = _PYDANTIC_S_OWN.sub("", message)
    text = "is missing" if text == "Field required" else text
    if text.startswith("should be a valid dictionary"):
        text = "should be a mapping: keys and values"
    return text if text.endswith(".") else f"{text}."


def _remove(data: Any, path: KeyPath) -> None:
    for key in path[:-1]:
        data = data[key]
    del data[path[-1]]
