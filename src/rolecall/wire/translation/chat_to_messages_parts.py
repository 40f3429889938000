"""Content parts of Chat Completions as content blocks of Messages: text, images, PDF files.

Sources: the OpenAI API reference, "Chat completion content part"; Anthropic's "Vision" and "PDF
support".
"""

import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from rolecall.wire.translation.fields import a_list, a_name, a_string, an_object, invalid

Block = dict[str, Any]

_DATA_URL: Final = re.compile(r"data:([^;,]*)(?:;[^;,]*)*?;base64,", re.IGNORECASE)
_WEB_URL: Final = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)
_IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_PDF: Final = "application/pdf"


def text_blocks(content: Any, path: str, *kinds: str) -> list[Block]:
    """The blocks of a content that is a string or an array of parts.

    Empty texts carry nothing and Anthropic refuses them, so they are left out.

    Args:
        content: the field as sent.
        path: where it stands, for refusals.
        kinds: the part types that may stand here besides ``text``.

    Raises:
        Refusal: for a part of another type, or one that Anthropic cannot be given.
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    parts = a_list(content, path) if content is not None else None
    if parts is None:
        raise invalid(path, f"{path} must be a string or an array of parts.")
    blocks = (_block(part, f"{path}[{place}]", kinds) for place, part in enumerate(parts))
    return [block for block in blocks if block is not None]


def cached(block: Block, holder: Mapping[str, Any], path: str) -> Block:
    """The block with its holder's ``cache_control``, where the holder has one."""
    if holder.get("cache_control") is not None:
        block["cache_control"] = an_object(holder["cache_control"], f"{path}.cache_control")
    return block


def _block(value: Any, path: str, kinds: tuple[str, ...]) -> Block | None:
    part = an_object(value, path)
    kind = a_string(part.get("type"), f"{path}.type")
    if kind == "text":
        text = a_string(part.get("text"), f"{path}.text")
    elif kind not in kinds:
        raise invalid(
            f"{path}.type",
            f"A part of type {kind!r} cannot be sent to this model here; "
            f"use {', '.join(('text', *kinds))}.",
        )
    elif kind == "image_url":
        return cached(_image(part, f"{path}.image_url"), part, path)
    elif kind == "file":
        return cached(_document(part, f"{path}.file"), part, path)
    else:
        text = a_string(part.get("refusal"), f"{path}.refusal")
    return cached({"type": "text", "text": text}, part, path) if text else None


def _image(part: Block, path: str) -> Block:
    image = an_object(part.get("image_url"), path)
    path = f"{path}.url"
    url = a_name(image.get("url"), path)
    if _WEB_URL.match(url):
        return {"type": "image", "source": {"type": "url", "url": url}}
    media_type, data = _inline(url, path, "an http(s) URL or a base64 data URL")
    if media_type == "image/jpg":
        media_type = "image/jpeg"
    if media_type not in _IMAGE_TYPES:
        raise invalid(path, f"{path} must hold one of {', '.join(_IMAGE_TYPES)}.")
    return {"type": "image", "source": _base64(media_type, data)}


def _document(part: Block, path: str) -> Block:
    file = an_object(part.get("file"), path)
    if file.get("file_id") is not None:
        raise invalid(
            f"{path}.file_id", "A file of OpenAI's storage cannot be read here; send file_data."
        )
    data_path = f"{path}.file_data"
    url = a_name(file.get("file_data"), data_path)
    media_type, data = _inline(url, data_path, "a base64 data URL")
    if media_type != _PDF:
        raise invalid(data_path, f"{data_path} must be a PDF ({_PDF}).")
    block: Block = {"type": "document", "source": _base64(_PDF, data)}
    if file.get("filename") is not None:
        block["title"] = a_string(file["filename"], f"{path}.filename")
    return block


def _inline(url: str, path: str, wanted: str) -> tuple[str, str]:
    head = _DATA_URL.match(url)
    if head is None:
        raise invalid(path, f"{path} must be {wanted}.")
    data = url[head.end() :]
    try:
        whole = bool(binascii.a2b_base64(data, strict_mode=True))
    except ValueError:
        whole = False
    if not whole:
        raise invalid(path, f"{path} is not valid base64.")
    return head[1].lower(), data


def _base64(media_type: str, data: str) -> Block:
    return {"type": "base64", "media_type": media_type, "data": data}
