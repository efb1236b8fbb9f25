"""What a tool returned, as the blocks of a result.

Text stays text, pictures and figures become images, everything else is written as JSON where JSON can say
it, and else as in a prompt. What is long is cut, and says so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import CellError
from ..wire import Block, sound
from ..wire.tool import Content
from . import pictures
from .media import of_bytes

_MOST_IMAGES = 20  # in one result: from there on the API takes only smaller ones


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
        CellError: A picture cannot be drawn or sent, or the value cannot be written.
    """
    made: list[Block] = []
    for found in _blocks(value, f"the result of {name}", write):
        block = _hidden(found, hide)
        if block.get("type") == "text":
            block = {**block, "text": _cut(sound(str(block.get("text") or "")), most)}
            if not block["text"].strip():
                continue
        made.append(block)
    images = [block for block in made if block.get("type") == "image"]
    if len(images) > _MOST_IMAGES:
        left_out = [id(block) for block in images[_MOST_IMAGES:]]
        made = [block for block in made if id(block) not in left_out]
        made.append({"type": "text", "text": f"(cut: {len(left_out):,} more images)"})
    return tuple(made)


def _blocks(value: Any, where: str, write: Callable[[Any], str]) -> Iterator[Block]:
    if isinstance(value, Content):
        yield from value.blocks
        return
    shown = _pictures(value, where)
    if shown:
        yield from (dict(of_bytes(data, "", where).block) for data in shown)
    elif isinstance(value, list | tuple) and any(_pictures(item, where) for item in value):
        for item in value:
            yield from _blocks(item, where, write)
    else:
        yield {"type": "text", "text": _text(value, write)}


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    """`value`, from JSON, with `hide` done to all its text."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {name: _hidden(inner, hide) for name, inner in value.items()}
    return [_hidden(inner, hide) for inner in value] if isinstance(value, list | tuple) else value


def _pictures(value: Any, where: str) -> list[bytes]:
    if value is None or isinstance(value, str | int | float | dict):
        return []
    return pictures.pictures(value, where)


def _text(value: Any, write: Callable[[Any], str]) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if (plain := _plain(value)) is not None:
        with contextlib.suppress(TypeError, ValueError, RecursionError):  # what JSON cannot say
            return json.dumps(plain, ensure_ascii=False, allow_nan=False, default=str)
    try:
        return write(value)
    except CellError:
        raise CellError(f"it returned a {type(value).__qualname__}, which cannot be written. Return text.") from None


def _plain(value: Any) -> Any:
    """`value` as what JSON knows; `None` for what it cannot say better than a prompt."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if callable(dump := getattr(type(value), "model_dump", None)):
        return dump(value, mode="json")
    return value if isinstance(value, bool | int | float | dict | list | tuple) else None


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = most // 4
    head = most - tail
    return f"{text[:head]}\n… cut: {len(text) - most:,} characters left out …\n{text[len(text) - tail :]}"
