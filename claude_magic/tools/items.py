"""Reads the items of a generator, iterator or cursor, or the content of a file, that a tool returned, up to a limit."""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import AsyncIterable, Iterator
from typing import Any

from ..wire.tool import Items

MOST = 1_000  # items: an iterator may be endless
_DEEPEST = 20  # values within values
_MOST_OF_A_FILE = 32_000_000  # bytes or characters: more than a result may hold


def drain(value: Any) -> Any:
    """The items of an iterator, up to an exception if it raises one; any other value unchanged.

    An open file is an iterator of lines, too, which would cut an image in pieces: it is read, from where it stands; one
    in memory from its beginning, since who wrote it stands at its end.
    """
    if isinstance(value, io.BytesIO | io.StringIO):
        return value.getvalue()
    if isinstance(value, io.IOBase):
        return value.read(_MOST_OF_A_FILE)  # one that cannot be read says so
    return _drain_items(value) if isinstance(value, Iterator) else _drain_inner(value)


def _drain_inner(value: Any, outer: tuple[int, ...] = ()) -> Any:
    """A list, tuple or dict with the iterators and files in it read, and with the field names of named tuples.

    Args:
        outer: The ids of the values that it is in, since a value may contain itself.
    """
    is_named = isinstance(value, tuple) and hasattr(value, "_fields")
    if len(outer) > _DEEPEST or id(value) in outer or not (is_named or type(value) in (list, tuple, dict)):
        return value
    outer = (*outer, id(value))
    if is_named:
        value = dict(zip(value._fields, value, strict=True))
    if isinstance(value, dict):
        return {name: _drained(inner, outer) for name, inner in value.items()}
    return type(value)(_drained(inner, outer) for inner in value)


def _drained(value: Any, outer: tuple[int, ...]) -> Any:
    """A value within others, read."""
    if isinstance(value, io.IOBase):
        return drain(value)
    if not isinstance(value, Iterator):
        return _drain_inner(value, outer)
    items = _drain_items(value)
    if items.error is not None:
        raise items.error
    return [*items.values, *[f"(cut: only the first {MOST:,} items were read)"] * items.cut]


def _drain_items(value: Iterator[Any]) -> Items:
    collector = _Collector()
    try:
        with collector:
            for item in value:
                if not collector.add(item):
                    break
    finally:
        if inspect.isgenerator(value):
            with contextlib.suppress(Exception):  # it may refuse to end
                value.close()
    return collector.items()


async def drain_async(value: AsyncIterable[Any]) -> Items:
    """The items of an async iterator, in the loop that runs it."""
    collector, iterator = _Collector(), aiter(value)
    try:
        with collector:
            async for item in iterator:
                if not collector.add(item):
                    break
    finally:
        if inspect.isasyncgen(iterator):
            with contextlib.suppress(Exception):
                await iterator.aclose()
    return collector.items()


class _Collector:
    """Collects items up to the limit; as a context manager, it keeps the exception that ends them."""

    def __init__(self) -> None:
        self._values: list[Any] = []
        self._is_cut = False
        self._error: Exception | None = None

    def add(self, item: Any) -> bool:
        """Whether there was room for the item."""
        self._is_cut = len(self._values) == MOST
        if not self._is_cut:
            self._values.append(item)
        return not self._is_cut

    def items(self) -> Items:
        return Items(values=tuple(_drain_inner(self._values)), cut=self._is_cut, error=self._error)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self._error = error if isinstance(error, Exception) else None
        return self._error is not None
