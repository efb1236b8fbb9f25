"""Reads the items of a generator, iterator or cursor that a tool returned, up to a limit."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterable, Iterator
from typing import Any

from ..wire.tool import Items

MOST = 1_000  # items: an iterator may be endless


def drain(value: Any) -> Any:
    """The items of an iterator, up to an exception if it raises one; any other value unchanged."""
    if not isinstance(value, Iterator):
        return value
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
        return Items(values=tuple(self._values), cut=self._is_cut, error=self._error)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self._error = error if isinstance(error, Exception) else None
        return self._error is not None
