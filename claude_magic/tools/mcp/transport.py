"""The official transport to a child process, with a watchdog, its standard error kept, and its end detected."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...wire.message import fix_json_surrogates
from .raw_results import RawResults
from .stderr_tail import StderrTail

_WATCHDOG = Path(__file__).with_name("watchdog.py")


@contextlib.asynccontextmanager
async def transport(
    command: Sequence[str], env: Mapping[str, str], cwd: str | None, *, stderr: StderrTail, ended: Callable[[], None]
) -> AsyncIterator[Any]:
    """Starts the process; it ends with the context.

    Args:
        ended: Called when the process closed its output.
    """
    from mcp import StdioServerParameters, stdio_client

    first, *rest = [*_watchdog(), *command]
    parameters = StdioServerParameters(
        command=first, args=rest, env=dict(env), cwd=cwd, encoding_error_handler="replace"
    )
    with stderr.writer:
        async with stdio_client(parameters, errlog=stderr.writer) as (incoming, outgoing):
            stderr.writer.close()
            results = RawResults()
            yield _WatchedStream(incoming, ended, results), _RecordedStream(outgoing, results)


def _watchdog() -> list[str]:
    """The command of the watchdog, put before the server's; Windows ends a server with its parent by itself."""
    return [sys.executable, "-I", "-S", str(_WATCHDOG)] if os.name == "posix" and sys.executable else []


class _WatchedStream:
    """The official stream from the server, which reports its end and keeps raw results from the client."""

    def __init__(self, inner: Any, ended: Callable[[], None], results: RawResults) -> None:
        self._inner = inner
        self._ended = ended
        self._results = results

    async def receive(self) -> Any:
        import anyio

        try:
            return self._for_client(await self._inner.receive())
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._ended()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> _WatchedStream:
        return self

    async def __anext__(self) -> Any:
        try:
            return self._for_client(await self._inner.__anext__())
        except StopAsyncIteration:
            self._ended()
            raise

    async def __aenter__(self) -> _WatchedStream:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._inner.__aexit__(*error)

    def _for_client(self, received: Any) -> Any:
        """A message as the client may see it, or the error in its place."""
        if isinstance(received, Exception):
            received = _read_again(received)
        if not hasattr(received, "message"):
            return received
        return replace(received, message=self._results.stand_in(received.message))


def _read_again(error: Exception) -> Any:
    """The message that the official client's strict JSON refused: half a surrogate pair in it, or a raw control
    character. Left unread, its request would wait for an answer until its time is over. Else the error itself.
    """
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter
    from pydantic import ValidationError

    line = error.errors()[0].get("input") if isinstance(error, ValidationError) else None
    if not isinstance(line, str) or not line.lstrip().startswith("{"):
        return error
    try:
        value = fix_json_surrogates(json.loads(line, strict=False))
        return SessionMessage(jsonrpc_message_adapter.validate_python(value, by_name=False))
    except (ValueError, RecursionError):
        return error


class _RecordedStream:
    """The official stream to the server, which records the requests."""

    def __init__(self, inner: Any, results: RawResults) -> None:
        self._inner = inner
        self._results = results

    async def send(self, sent: Any) -> None:
        self._results.note_request(sent.message)
        await self._inner.send(sent)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> _RecordedStream:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._inner.__aexit__(*error)
