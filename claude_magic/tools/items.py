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
    items: list[Any] = []
    try:
        for item in value:
            if len(items) == MOST:
                return Items(values=tuple(items), cut=True)
            items.append(item)
    except Exception as error:
        return Items(values=tuple(items), error=error)
    finally:
        if inspect.isgenerator(value):
            with contextlib.suppress(Exception):  # it may refuse to end
                value.close()
    return Items(values=tuple(items))


async def drain_async(value: AsyncIterable[Any]) -> Items:
    """The items of an async iterator, in the loop that runs it."""
    items: list[Any] = []
    several = aiter(value)
    try:
        async for item in several:
            if len(items) == MOST:
                return Items(values=tuple(items), cut=True)
            items.append(item)
    except Exception as error:
        return Items(values=tuple(items), error=error)
    finally:
        if inspect.isasyncgen(several):
            with contextlib.suppress(Exception):
                await several.aclose()
    return Items(values=tuple(items))
