"""The official transport to a child process, with a guard beside it, its standard error kept, and its end noticed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .last_words import LastWords

_GUARD = Path(__file__).with_name("guard.py")


@contextlib.asynccontextmanager
async def transport(
    command: Sequence[str], env: Mapping[str, str], cwd: str | None, *, words: LastWords, ended: Callable[[], None]
) -> AsyncIterator[Any]:
    """Start the process; it is ended with the context.

    Args:
        ended: Is called when the process has closed its output.
    """
    from mcp import StdioServerParameters, stdio_client

    first, *rest = [*_guard(), *command]
    asked = StdioServerParameters(command=first, args=rest, env=dict(env), cwd=cwd, encoding_error_handler="replace")
    with words.pen:
        async with stdio_client(asked, errlog=words.pen) as (incoming, outgoing):
            words.pen.close()
            yield _Watched(incoming, ended), outgoing


def _guard() -> list[str]:
    """What stands before the command; Windows ends a server with its parent by itself."""
    return [sys.executable, "-I", "-S", str(_GUARD)] if os.name == "posix" and sys.executable else []


class _Watched:
    """The official stream of what the server says, with a call when it ends."""

    def __init__(self, inner: Any, ended: Callable[[], None]) -> None:
        self._inner = inner
        self._ended = ended

    async def receive(self) -> Any:
        import anyio

        try:
            return await self._inner.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._ended()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._ended()
            raise

    async def __aenter__(self) -> _Watched:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._inner.__aexit__(*error)
