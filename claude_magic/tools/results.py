"""What a tool returned, as the blocks of a result; files and pictures pass the same gate as what a user attaches.

Text stays text, pictures, figures and the bytes of images and PDFs become blocks of their own, everything else is
written as JSON where JSON can say it, and else as in a prompt. What is cut, scaled or cannot be sent says so.
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
from ..prompt.values import in_json
from ..wire import Block, fix_surrogates
from ..wire.attachment_kinds import recognize
from ..wire.tool import Content, File, Items

_MOST_IMAGES = 20  # in one result: from there on the API takes only smaller ones
_MOST_BYTES = 12_000_000  # of base64 in one result: it is sent again with each later request, of which 32 MB are taken
_MOST_LISTED = 1_000  # values of an array within a result that are listed
_HEARD = ("audio/", "video/")  # what could pass for text, and is none


def blocks(
    value: Any, name: str, *, write: Callable[[Any], str], hide: Callable[[str], str], most: int
) -> tuple[Block, ...]:
    """The content of a `tool_result`; empty for a text without words.

    Args:
        name: Of the tool.
        write: From a value to text, as in a prompt.
        hide: From a text to the same without a key; before it is cut, which could halve one.
        most: Longest text, in characters; the middle of a longer one is left out.

    Raises:
        CellError: The value cannot be written.
    """
    result: list[Block] = []
    for item in _blocks(value, f"the result of {name}", write):
        block = _hidden(item, hide)
        if block.get("type") == "text":
            block = {**block, "text": _shorten(fix_surrogates(str(block.get("text") or "")), most)}
            if not block["text"].strip():
                continue
        result.append(block)
    return tuple(_bound(result))


def _bound(items: list[Block]) -> Iterator[Block]:
    """The blocks without those that are too many or too large for one result, and a word on them."""
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
    """The blocks of a value that is bytes, shows pictures or is blocks already; `None` for another value."""
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
    """Bytes as the block that they are, whatever the tool says of them, or as text, or a word in their place.

    Args:
        write: From bytes that are nothing to the text in their place; `None` for a word on why.
    """
    claimed = file.media_type.split(";")[0].strip().lower()
    what = f"{claimed or 'a file'}, {amount(len(file.data))}"
    try:
        if claimed.startswith(_HEARD) and not recognize(file.data)[0]:
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


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    """`value`, from JSON, with `hide` done to all its text."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {name: _hidden(inner, hide) for name, inner in value.items()}
    return [_hidden(inner, hide) for inner in value] if isinstance(value, list | tuple) else value


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
    """What JSON has no form for, as in a prompt, or as its text.

    Raises:
        TypeError: It is a table or an array, whose text would leave values out without a word.
    """
    if hasattr(value, "__array__") and hasattr(value, "shape") and value.shape != ():
        if getattr(value, "ndim", 0) == 1 and value.size <= _MOST_LISTED and callable(getattr(value, "tolist", None)):
            return value.tolist()
        raise TypeError
    try:
        return in_json(value)
    except TypeError:
        return str(value)


def _plain(value: Any) -> Any:
    """`value` as what JSON knows; `None` for what it cannot say better than a prompt."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if callable(dump := getattr(type(value), "model_dump", None)):
        return dump(value, mode="json")
    return value if isinstance(value, bool | int | float | dict | list | tuple) else None


def _shorten(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = most // 4
    head = most - tail
    return f"{text[:head]}\n… cut: {len(text) - most:,} characters left out …\n{text[len(text) - tail :]}"
