"""Bounded reprs: a value at the end of a cell, in a list or in a traceback never writes megabytes into a notebook."""

from __future__ import annotations

import dataclasses
import reprlib
from typing import Any, ClassVar

_TEXT = 200  # characters of a text
_ITEMS = 20
_LONGEST = 4_000  # characters of all of it


class _Writer(reprlib.Repr):
    """Writes a value, and knows whether it left something out."""

    def __init__(self) -> None:
        super().__init__()
        self.maxdict = self.maxlist = self.maxtuple = _ITEMS
        self.shortened = False

    def repr_str(self, value: str, level: int) -> str:
        return self._text(value, "characters")

    def repr_bytes(self, value: bytes, level: int) -> str:
        return self._text(value, "bytes")

    def repr_dict(self, value: dict[Any, Any], level: int) -> str:
        if level <= 0:
            return self._left_out("{…}")
        items = [f"{self.repr1(key, level - 1)}: {self.repr1(value[key], level - 1)}" for key in [*value][:_ITEMS]]
        return "{" + ", ".join([*items, *self._more(len(value))]) + "}"

    def repr_list(self, value: list[Any], level: int) -> str:
        if level <= 0:
            return self._left_out("[…]")
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
        return text if len(text) <= 2 * _TEXT else self._left_out(f"{text[: 2 * _TEXT]}…")

    def _text(self, value: Any, unit: str) -> str:
        if len(value) <= _TEXT:
            return repr(value[:])
        return self._left_out(f"{value[: _TEXT // 2]!r}… ({len(value):,} {unit})")

    def _more(self, count: int) -> list[str]:
        return [self._left_out(f"… {count - _ITEMS:,} more")] if count > _ITEMS else []

    def _left_out(self, text: str) -> str:
        self.shortened = True
        return text


def bounded(write: Any, whole: str, longest: int = _LONGEST) -> str:
    """What `write` makes with a writer, cut; where something is left out, `whole` says where all of it is."""
    writer = _Writer()
    text: str = write(writer)
    if len(text) > longest:
        writer.shortened, text = True, f"{text[:longest]}…"
    return f"{text} (shortened; all of it: {whole})" if writer.shortened else text


class Bounded:
    """A dataclass (with `repr=False`) of which a repr shows the beginning.

    Attributes:
        _whole: Where all of it is, in words.
    """

    _whole: ClassVar[str] = "its attributes"

    def __repr__(self) -> str:
        shown = [field.name for field in dataclasses.fields(self) if field.repr]  # type: ignore[arg-type]

        def write(writer: _Writer) -> str:
            fields = ", ".join(f"{name}={writer.repr(getattr(self, name))}" for name in shown)
            return f"{type(self).__name__}({fields})"

        return bounded(write, self._whole)


class Object(dict[str, Any]):
    """A JSON object, of which a repr shows the beginning."""

    def __repr__(self) -> str:
        return bounded(lambda writer: writer.repr_dict(self, writer.maxlevel), "json.dumps of it, or its items")


class Array(list[Any]):
    """A JSON array, of which a repr shows the beginning."""

    def __repr__(self) -> str:
        return bounded(lambda writer: writer.repr_list(self, writer.maxlevel), "json.dumps of it, or its items")


class Bytes(bytes):
    """Bytes of which a repr shows the beginning."""

    def __repr__(self) -> str:
        return bounded(lambda writer: writer.repr_bytes(bytes(self), 1), "bytes(it)")
