"""What a tool gives one after another (a generator, an iterator, a cursor), read up to a bound."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterable, Iterator
from typing import Any

from ..wire.tool import Items

MOST = 1_000  # items; it may have no end


def drain(value: Any) -> Any:
    """The items of an iterator, those before an exception included; any other value as it is."""
    if not isinstance(value, Iterator):
        return value
    found: list[Any] = []
    try:
        for item in value:
            if len(found) == MOST:
                return Items(values=tuple(found), cut=True)
            found.append(item)
    except Exception as error:
        return Items(values=tuple(found), error=error)
    finally:
        if inspect.isgenerator(value):
            with contextlib.suppress(Exception):  # it does not want to end
                value.close()
    return Items(values=tuple(found))


async def drain_async(value: AsyncIterable[Any]) -> Items:
    """The items of an async iterator, in the loop that runs it."""
    found: list[Any] = []
    several = aiter(value)
    try:
        async for item in several:
            if len(found) == MOST:
                return Items(values=tuple(found), cut=True)
            found.append(item)
    except Exception as error:
        return Items(values=tuple(found), error=error)
    finally:
        if inspect.isasyncgen(several):
            with contextlib.suppress(Exception):
                await several.aclose()
    return Items(values=tuple(found))
