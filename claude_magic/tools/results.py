"""Converts the return value of a tool to content blocks; files and images are checked as attachments are.

Text stays text; pictures, figures and the bytes of images and PDFs become blocks of their own; everything else is JSON
where that loses nothing, and otherwise formatted as in a prompt. What is cut, scaled or not sent is stated.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import CellError
from ..prompt.attachments import figures
from ..prompt.attachments.limits import amount
from ..prompt.attachments.media import of_bytes
from ..prompt.digits import short_floats
from ..prompt.values import in_json
from ..wire import Block, fix_surrogates
from ..wire.attachment_kinds import recognize
from ..wire.tool import Content, File, Items

_MOST_IMAGES = 20  # in one result: from there on the API takes only smaller ones
_MOST_BYTES = 12_000_000  # of base64 in one result: it is sent again with each later request, of which 32 MB are taken
_MOST_LISTED = 1_000  # values of an array within a result that are listed
_SOUND_OR_VIDEO = ("audio/", "video/")  # may look like text


def blocks(
    value: Any, name: str, *, write: Callable[[Any], str], hide: Callable[[str], str], most: int
) -> tuple[Block, ...]:
    """The content of a `tool_result`; empty for blank text.

    Args:
        name: The name of the tool.
        write: Formats a value as text, as in a prompt.
        hide: Redacts API keys; called before text is cut, which could split a key.
        most: The most characters of a text; the middle of a longer one is left out.

    Raises:
        CellError: The value cannot be formatted.
    """
    result: list[Block] = []
    for item in _blocks(value, f"the result of {name}", write):
        block = _redact(item, hide)
        if block.get("type") == "text":
            block = {**block, "text": _shorten(fix_surrogates(str(block.get("text") or "")), most)}
            if not block["text"].strip():
                continue
        result.append(block)
    return tuple(_bound(result))


def _bound(items: list[Block]) -> Iterator[Block]:
    """The blocks as far as they fit into one result, and a note on those left out."""
    images = size = left_out = 0
    for block in items:
        images += block.get("type") == "image"
        own = len(str(block.get("source", {}).get("data", "")))
        if own and (size + own > _MOST_BYTES or images > _MOST_IMAGES):
            left_out += 1
            continue
        size += own
        yield block
    if left_out:
        yield _text_block(f"(cut: {left_out:,} more {'images' if images > _MOST_IMAGES else 'files'})")


def _blocks(value: Any, where: str, write: Callable[[Any], str]) -> Iterator[Block]:
    if isinstance(value, Items):
        yield from _blocks(list(value.values), where, write)
        if value.cut:
            yield _text_block(f"(cut: only the first {len(value.values):,} items were read)")
    elif (whole := _files(value, where, write)) is not None:
        yield from whole
    elif isinstance(value, Mapping):
        file_blocks = {name: _files(item, where, write) for name, item in value.items()}
        rest = {name: item if file_blocks[name] is None else "(below)" for name, item in value.items()}
        yield _text_block(_text(rest if any(file_blocks.values()) else value, write))
        for name, several in file_blocks.items():
            yield from [_text_block(f"{name}:"), *several] if several else []
    elif isinstance(value, list | tuple) and any(files := [_files(item, where, write) for item in value]):
        for item, own in zip(value, files, strict=True):
            yield from _blocks(item, where, write) if own is None else own
    else:
        yield _text_block(_text(value, write))


def _files(value: Any, where: str, write: Callable[[Any], str]) -> list[Block] | None:
    """The blocks of bytes, of a value with pictures, or of `Content`; `None` for any other value."""
    if isinstance(value, Content):
        return [each for b in value.blocks for each in (_file(b, where) if isinstance(b, File) else [b])]
    if isinstance(value, bytes | bytearray | memoryview):
        return list(_file(File(data=bytes(value)), where, write))
    if value is None or isinstance(value, str | int | float | dict):
        return None
    try:
        images = figures.figures(value, where)
    except CellError as error:  # of several, each is tried alone
        return None if isinstance(value, list | tuple) else [_text_block(f"[a picture: not sent. {error}]")]
    return [block for data in images for block in _file(File(data=data, media_type="image/png"), where)] or None


def _file(file: File, where: str, write: Callable[[Any], str] | None = None) -> Iterator[Block]:
    """The block for a file, by its content and not its claimed type; text, or a note why it is not sent.

    Args:
        write: Formats bytes of unknown type as text; `None` for a note instead.
    """
    claimed = file.media_type.split(";")[0].strip().lower()
    what = f"{claimed or 'a file'}, {amount(len(file.data))}"
    try:
        if claimed.startswith(_SOUND_OR_VIDEO) and not recognize(file.data)[0]:
            raise CellError("the API takes images, PDFs and text.")
        media = of_bytes(file.data, "", where, many=True)  # an image beside any number of others, of later steps too
        if media.note and media.block["source"]["type"] == "text" and not claimed.startswith("text/"):
            raise CellError(f"it is no text for sure: {media.note}.")  # a digest, say, which any encoding reads
    except CellError as error:
        yield _text_block(write(file.data) if write and file.data else f"[{what}: not sent. {error}]")
        return
    source = media.block["source"]
    if source["type"] == "text":
        if claimed.startswith("image/") and not claimed.startswith("image/svg"):
            yield _text_block(f"[{what}: it is no image but text]")
        yield _text_block(str(source["data"]))
        if media.note:
            yield _text_block(f"(the text: {media.note})")
        return
    yield {key: inner for key, inner in media.block.items() if key != "title" or inner}
    if media.note:
        yield _text_block(f"({'the image' if media.block['type'] == 'image' else 'the file'}: {media.note})")


def _text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def _redact(value: Any, hide: Callable[[str], str]) -> Any:
    """A JSON value with `hide` applied to every string."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {name: _redact(inner, hide) for name, inner in value.items()}
    return [_redact(inner, hide) for inner in value] if isinstance(value, list | tuple) else value


def _text(value: Any, write: Callable[[Any], str]) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if (plain := _plain(value)) is not None:
        with contextlib.suppress(TypeError, ValueError, RecursionError):  # what JSON cannot say
            return json.dumps(plain, ensure_ascii=False, allow_nan=False, default=_in_json)
    try:
        return write(value)
    except CellError:
        raise CellError(f"it returned a {type(value).__qualname__}, which cannot be written. Return text.") from None


def _in_json(value: Any) -> Any:
    """A JSON value for what `json` cannot encode, formatted as in a prompt.

    Raises:
        TypeError: It is a table or an array, whose text would leave values out silently.
    """
    if hasattr(value, "__array__") and hasattr(value, "shape") and value.shape != ():
        if getattr(value, "ndim", 0) == 1 and value.size <= _MOST_LISTED and callable(getattr(value, "tolist", None)):
            return list(short_floats(value.tolist(), value.dtype))
        raise TypeError
    if (plain := _plain(value)) is not None:
        return plain
    try:
        return in_json(value)
    except TypeError:
        return str(value)


def _plain(value: Any) -> Any:
    """`value` as plain Python data; `None` if it is better formatted as in a prompt."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if callable(dump := getattr(type(value), "model_dump", None)):
        try:
            return dump(value, mode="json")
        except Exception:  # it holds what JSON cannot say
            return dump(value)
    return value if isinstance(value, bool | int | float | dict | list | tuple) else None


def _shorten(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = most // 4
    head = most - tail
    return f"{text[:head]}\n… cut: {len(text) - most:,} characters left out …\n{text[len(text) - tail :]}"
