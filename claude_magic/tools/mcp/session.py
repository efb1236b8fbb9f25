"""A session with a server: its process, and the official client in its own thread and event loop.

Callers wait in short steps, so that Stop works at once; the server is then sent a cancellation. The session ends when
the process does.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib.util
import logging
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...browser import in_browser
from ...concurrency import CancelledError, Future, Lock, can_run_beside, completed, thread
from ...errors import ServerFailed, SettingsError
from .stderr_tail import StderrTail, one_line
from .transport import transport

if TYPE_CHECKING:
    import anyio
    from mcp import Client

_TICK = 0.1  # seconds between checks whether the user pressed Stop
_MAX_END = 7.0  # seconds for a server to end; the client kills it after 4
_LOGGERS = ("mcp", "client")  # of the official package

T = TypeVar("T")


class MCPSession:
    """A running server, until it ends."""

    def __init__(self, server: str, command: Sequence[str], *, env: Mapping[str, str], cwd: str | None) -> None:
        if in_browser() or not can_run_beside():
            raise SettingsError(
                f"the MCP server {server} cannot run here: it needs a process of its own, and threads to talk to it. "
                "Use a remote server."
            )
        if importlib.util.find_spec("mcp") is None:
            raise SettingsError("the package mcp is missing. pip install 'claude-magic[mcp]'.")
        self._server = server
        self._command, self._env, self._cwd = command, env, cwd
        self._stderr = StderrTail(list(env.values()))
        self._process = os.getpid()
        self._lock = Lock(reentrant=True)  # a finalizer may come in between
        self._ended = False
        self._failure: BaseException | None = None
        self._opened: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scope: anyio.CancelScope | None = None
        self._client: Client | None = None
        self._thread = thread(self._run, name=f"MCP {server}")

    @property
    def alive(self) -> bool:
        """Whether it can be used; not in a fork of the process that started it."""
        return not self._ended and self._thread.is_alive() and self._process == os.getpid()

    def open(self, seconds: float) -> None:
        """Starts the server and negotiates the protocol version.

        Raises:
            ServerFailed: It cannot be started, it ended, or it does not answer.
        """
        _sessions.add(self)
        self._thread.start()
        try:
            if not self._wait(self._opened, seconds):
                self.stop()
                raise self._error(f"does not answer: nothing for {seconds:g} s", "Is it an MCP server on stdio?")
        except BaseException:
            self.stop()
            raise
        if self._client is None:
            raise self._error(*self._reason("did not start"))

    def ask(self, request: Callable[[Client], Awaitable[T]], seconds: float) -> T:
        """Sends a request, and waits for the answer.

        Raises:
            ServerFailed: It ended, refused, did not answer in time, or violated the protocol.
        """
        future = self._submit(request)
        try:
            if not self._wait(future, seconds):
                raise self._error(*_late(seconds))
            return future.result(0)
        except (ServerFailed, KeyboardInterrupt):
            raise
        except CancelledError:
            raise self._error(*self._reason("ended before it answered")) from None
        except Exception as error:
            raise self._translate(error) from None
        finally:
            future.cancel()  # then the server is told; nothing where it is done

    async def answer(self, request: Callable[[Client], Awaitable[T]], seconds: float) -> T:
        """As `ask`, awaited in the caller's event loop; if that is cancelled, the server is sent a cancellation.

        Raises:
            ServerFailed: As for `ask`.
        """
        future = self._submit(request)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
        except ServerFailed:
            raise
        except asyncio.CancelledError:
            if self._ended:
                raise self._error(*self._reason("ended before it answered")) from None
            raise
        except (asyncio.TimeoutError, TimeoutError):  # two of them, before Python 3.11
            raise self._error(*_late(seconds)) from None
        except Exception as error:
            raise self._translate(error) from None
        finally:
            future.cancel()

    def _submit(self, request: Callable[[Client], Awaitable[T]]) -> Future[T]:
        """Starts a request; cancelling the future sends the server a cancellation."""
        with self._lock:
            if not self.alive or self._loop is None or self._client is None:
                raise self._error(*self._reason("ended"))
            return asyncio.run_coroutine_threadsafe(_send(request, self._client), self._loop)

    def stop(self) -> None:
        """Asks the server to end, without waiting for it."""
        if self._process != os.getpid():
            return  # a fork: the server belongs to the parent process
        with self._lock:
            self._ended = True
            if self._loop is not None and self._scope is not None and self._thread.is_alive():
                with contextlib.suppress(RuntimeError):  # it ended just now
                    self._loop.call_soon_threadsafe(self._scope.cancel)

    def join(self, seconds: float = _MAX_END) -> None:
        """Waits until the server has ended."""
        if self._process == os.getpid() and self._thread.is_alive():
            self._thread.join(seconds)

    def _wait(self, future: Future[Any], seconds: float) -> bool:
        """Whether `future` was done in time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if completed([future], timeout=min(left, _TICK)) or not self._thread.is_alive():
                return True
        return False

    def _run(self) -> None:
        import anyio

        for name in _LOGGERS:  # else what a server writes wrongly would be printed, with a traceback
            logger = logging.getLogger(name)
            if not logger.handlers:
                logger.addHandler(logging.NullHandler())
        try:
            anyio.run(self._live)
        except BaseException as error:  # reported by the next request
            self._failure = error
        finally:
            self._over()

    async def _live(self) -> None:
        import anyio
        from mcp import Client

        with self._lock:
            self._loop, self._scope = asyncio.get_running_loop(), anyio.CancelScope()
            if self._ended:
                return
        with self._scope:
            try:
                reached = transport(self._command, self._env, self._cwd, stderr=self._stderr, ended=self._on_end)
                async with Client(reached, cache=None) as client:
                    self._client = client
                    self._opened.set_result(None)
                    await anyio.sleep_forever()
            finally:
                with self._lock:
                    self._ended = True

    def _on_end(self) -> None:
        """Called when the server closed its output: fails waiting requests and ends the session."""
        self._ended = True
        if self._loop is not None and self._scope is not None:
            self._loop.call_soon(self._scope.cancel)

    def _over(self) -> None:
        self._ended = True
        self._stderr.writer.close()
        if not self._opened.done():
            self._opened.set_result(None)

    def _translate(self, error: BaseException) -> ServerFailed:
        from mcp import MCPError
        from pydantic import ValidationError

        if self._ended:
            return self._error(*self._reason("ended before it answered"))
        if isinstance(error, MCPError):
            return ServerFailed(f"the MCP server {self._server} refused: {_shorten(error.message)}.")
        if isinstance(error, ValidationError):
            return ServerFailed(f"the MCP server {self._server} answered what the protocol does not know. Update it.")
        return ServerFailed(f"the MCP server {self._server}: {_shorten(str(error)) or type(error).__name__}.")

    def _reason(self, otherwise: str) -> tuple[str, str]:
        """What happened, and what the user can do."""
        if self._client is not None:
            return otherwise, "It is started again when it is next used."
        why = next((words for error in _flat(self._failure) if (words := _words_of(error))), "")
        return "did not start" + (f": {why}" if why else ""), "Look at the command."

    def _error(self, happened: str, advice: str) -> ServerFailed:
        tail = self._stderr.text()
        return ServerFailed(f"the MCP server {self._server} {happened}{f': {tail!r}' if tail else ''}. {advice}")


async def _send(request: Callable[[Client], Awaitable[T]], client: Client) -> T:
    return await request(client)


def _late(seconds: float) -> tuple[str, str]:
    return f"did not answer within {seconds:g} s", "Ask again, or give it more with timeout=."


def _flat(error: BaseException | None) -> list[BaseException]:
    """The errors in an exception group, or the error itself."""
    inner = getattr(error, "exceptions", None)
    if inner is None:
        return [] if error is None else [error]
    return [each for one in inner for each in _flat(one)]


def _words_of(error: BaseException) -> str:
    """The message of a failed start; `""` if it only says that the connection was closed."""
    if isinstance(error, OSError):
        return _shorten(error.strerror or str(error))
    return (
        "" if "Connection closed" in str(error) or isinstance(error, asyncio.CancelledError) else _shorten(str(error))
    )


def _shorten(text: str) -> str:
    line = one_line(text).rstrip(".")
    return line if len(line) <= 500 else line[:500] + "… (cut)"


_sessions: weakref.WeakSet[MCPSession] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Ends all servers at the same time when the notebook's process ends."""
    mine = [session for session in _sessions if session.alive or session._thread.is_alive()]
    for session in mine:
        session.stop()
    end = time.monotonic() + _MAX_END
    for session in mine:
        session.join(max(end - time.monotonic(), 0))
