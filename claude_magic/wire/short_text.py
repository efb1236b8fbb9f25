"""Values as short texts: reprs of bounded size, excerpts for messages, and amounts of money.

A value at the end of a cell, in a list or in a traceback never writes megabytes into a notebook.
"""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Mapping
from typing import Any, ClassVar

_TEXT = 200  # characters of a text in a repr
_ITEMS = 20  # of a list, tuple or dict in a repr
_LONGEST = 4_000  # characters of a whole repr
_IN_JSON = "json.dumps of it, or its items"


def short_repr(value: object) -> str:
    """The repr of `value`, shortened."""
    try:
        return shorten(repr(value))
    except (ValueError, RecursionError):  # a number of more digits, or lists deeper, than Python writes
        return f"a very large {type(value).__name__}"


def shorten(text: str, limit: int = 80) -> str:
    """`text`; if it is longer than `limit` characters, with `…` instead of its middle."""
    return text if len(text) <= limit else f"{text[: limit * 2 // 3]}…{text[-limit // 3 :]}"


def one_line(text: str, limit: int = 400) -> str:
    """`text` without control characters and line ends, shortened to `limit` characters."""
    head = text if len(text) <= 4 * limit else text[: 2 * limit] + text[-2 * limit :]
    return shorten(" ".join("".join(c if c.isprintable() else " " for c in head).split()), limit)


def spent(usd: float, unpriced: int) -> str:
    """What was spent, and for how many exchanges that is unknown."""
    return dollars(usd) + (f" + {unpriced:,} of unknown price" if unpriced else "")


def dollars(amount: float) -> str:
    """US dollars: four decimals below one dollar, two above; a tiny amount is not shown as zero."""
    if 0 < amount < 0.00005:
        return "under $0.0001"
    return f"${amount:,.4f}" if amount < 1 else f"${amount:,.2f}"


def span(seconds: float) -> str:
    """`seconds` as text: `0.04 s`, `2.4 s`, `48 s`, `3 min 5 s`."""
    if seconds < 0.095:
        return f"{seconds:.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def duration(seconds: float) -> str:
    """`seconds` in readable units, such as `90 s`, `5 min` or `3 h 20 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def size_text(size: int) -> str:
    """A number of bytes, as people read it."""
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1e3:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


def fields_repr(name: str, fields: Mapping[str, object], full_value: str, limit: int = _LONGEST) -> str:
    """A repr such as `Name(field='…', …)` of at most about `limit` characters.

    Args:
        full_value: Where all of the value is, in words; added if something is left out.
    """
    writer = _Writer()
    text = f"{name}({', '.join(f'{field}={writer.repr(value)}' for field, value in fields.items())})"
    return writer.finish(text, full_value, limit)


class ShortRepr:
    """A base of dataclasses (with `repr=False`) whose repr is shortened.

    Attributes:
        _full_value: Where all of the value is, in words.
    """

    _full_value: ClassVar[str] = "its attributes"

    def __repr__(self) -> str:
        names = [field.name for field in dataclasses.fields(self) if field.repr]  # type: ignore[arg-type]
        return fields_repr(type(self).__name__, {name: getattr(self, name) for name in names}, self._full_value)


class Object(dict[str, Any]):
    """A JSON object whose repr is shortened."""

    def __repr__(self) -> str:
        writer = _Writer()
        return writer.finish(writer.repr_dict(self, writer.maxlevel), _IN_JSON)


class Array(list[Any]):
    """A JSON array whose repr is shortened."""

    def __repr__(self) -> str:
        writer = _Writer()
        return writer.finish(writer.repr_list(self, writer.maxlevel), _IN_JSON)


class Bytes(bytes):
    """Bytes whose repr is shortened."""

    def __repr__(self) -> str:
        writer = _Writer()
        return writer.finish(writer.repr_bytes(bytes(self), 1), "bytes(it)")


class _Writer(reprlib.Repr):
    """Writes the repr of one value, and records whether something was left out."""

    def __init__(self) -> None:
        super().__init__()
        self.maxdict = self.maxlist = self.maxtuple = _ITEMS
        self._is_short = False

    def finish(self, text: str, full_value: str, limit: int = _LONGEST) -> str:
        """`text`, cut at `limit` characters; if anything was left out, it says where all of the value is."""
        if len(text) > limit:
            text = self._omit(f"{text[:limit]}…")
        return f"{text} (shortened; all of it: {full_value})" if self._is_short else text

    def repr_str(self, value: str, level: int) -> str:
        return self._text(value, "characters")

    def repr_bytes(self, value: bytes, level: int) -> str:
        return self._text(value, "bytes")

    def repr_dict(self, value: dict[Any, Any], level: int) -> str:
        if level <= 0:
            return self._omit("{…}")
        items = [f"{self.repr1(key, level - 1)}: {self.repr1(value[key], level - 1)}" for key in [*value][:_ITEMS]]
        return "{" + ", ".join([*items, *self._more(len(value))]) + "}"

    def repr_list(self, value: list[Any], level: int) -> str:
        if level <= 0:
            return self._omit("[…]")
        items = [self.repr1(item, level - 1) for item in value[:_ITEMS]]
        return "[" + ", ".join([*items, *self._more(len(value))]) + "]"

    def repr_tuple(self, value: tuple[Any, ...], level: int) -> str:
        items = [self.repr1(item, level - 1) for item in value[:_ITEMS]]
        return "(" + ", ".join([*items, *self._more(len(value))]) + ("," if len(value) == 1 else "") + ")"

    def repr_instance(self, value: object, level: int) -> str:
        if isinstance(value, dict):
            return self.repr_dict(value, level)
        if isinstance(value, list):
            return self.repr_list(value, level)
        if isinstance(value, str):
            return self.repr_str(value, level)
        if isinstance(value, bytes):
            return self.repr_bytes(value, level)
        text = repr(value)
        return text if len(text) <= 2 * _TEXT else self._omit(f"{text[: 2 * _TEXT]}…")

    def _text(self, value: str | bytes, unit: str) -> str:
        if len(value) <= _TEXT:
            return repr(value[:])
        return self._omit(f"{value[: _TEXT // 2]!r}… ({len(value):,} {unit})")

    def _more(self, count: int) -> list[str]:
        return [self._omit(f"… {count - _ITEMS:,} more")] if count > _ITEMS else []

    def _omit(self, text: str) -> str:
        self._is_short = True
        return text
