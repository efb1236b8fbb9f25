"""A local MCP server, by its name: started when it is first used, and again after it died."""

from __future__ import annotations

import os
import shlex
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import CellError, ServerFailed
from ..wire.tool import Content, Tool
from . import naming
from .results import content
from .session import Session

if TYPE_CHECKING:
    import mcp

_MOST_PAGES = 100
_METHOD_NOT_FOUND = -32601


class LocalServer:
    """A child process that offers tools.

    It gets a few variables of the environment (on POSIX `HOME`, `LOGNAME`, `PATH`, `SHELL`, `TERM`, `USER`)
    and those of `env`: never the API key.
    """

    def __init__(
        self,
        name: str,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        approve: bool = True,
        timeout: float = 300.0,
        start_timeout: float = 60.0,
    ) -> None:
        """Say how the server is started; it is not yet.

        Args:
            command: The program and its arguments, as a list, or as one text as in a shell.
            approve: Whether the reader is asked before each call.
            timeout: Longest wait for a call, in seconds.
            start_timeout: Longest wait for the server to start, in seconds; some fetch their program first.

        Raises:
            CellError: The name or the command cannot be used.
        """
        naming.check(name)
        self.name = name
        self.approve = approve
        self.timeout = timeout
        self._start_timeout = start_timeout
        self._command = _words(command)
        self._env, self._cwd = _variables(env or {}), None if cwd is None else os.fspath(cwd)
        self._lock = threading.Lock()
        self._known: tuple[Tool, ...] = ()
        self._running: list[Session] = []  # one at most; a list, so that it is known without this object
        weakref.finalize(self, _stop, self._running).atexit = False  # at exit, all end at once

    @property
    def running(self) -> bool:
        return any(session.alive for session in self._running)

    @property
    def known(self) -> tuple[Tool, ...]:
        """The tools as they were listed last; nobody is asked."""
        return self._known

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, asked of the server now, so that a list that has changed is the new one.

        Raises:
            ServerFailed: It cannot be started, or does not list them.
            SettingsError: The package `mcp` is missing.
        """
        listed = self._session().ask(self._listed, self._start_timeout)
        names = naming.names(self.name, [tool.name for tool in listed])
        self._known = tuple(self._tool(name, tool) for name, tool in zip(names, listed, strict=True))
        return self._known

    def start(self) -> None:
        """Start the server unless it runs, and list its tools."""
        _ = self.tools

    def close(self) -> None:
        """End the server; its next use starts it again."""
        with self._lock:
            sessions, self._running[:] = list(self._running), []
        for session in sessions:
            session.stop()
        for session in sessions:
            session.join()

    def __repr__(self) -> str:
        state = f"{len(self._known)} tools" if self.running else "not running"
        return f"<MCP server {self.name}: {state}>"

    def _session(self) -> Session:
        """The one that runs, or a new one."""
        with self._lock:
            if not self.running:
                _stop(self._running)
                session = Session(self.name, self._command, env=self._env, cwd=self._cwd)
                session.open(self._start_timeout)
                self._running[:] = [session]
            return self._running[0]

    async def _listed(self, client: mcp.Client) -> list[mcp.Tool]:
        """All pages of the list."""
        from mcp import MCPError

        tools: list[mcp.Tool] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            try:
                page = await client.list_tools(cursor=cursor)
            except MCPError as error:
                if error.code == _METHOD_NOT_FOUND:
                    return tools  # it offers something else
                raise
            tools += page.tools
            cursor = page.next_cursor
            if not cursor:
                return tools
        raise ServerFailed(f"the MCP server {self.name} lists its tools without end. Ask whoever made it.")

    def _tool(self, name: str, tool: mcp.Tool) -> Tool:
        own, hints = tool.name, tool.annotations
        described = {"description": tool.description} if tool.description else {}
        schema = {"type": "object", **tool.input_schema}
        return Tool(
            definition={"name": name, **described, "input_schema": schema},
            run=lambda arguments: self._called(own, arguments),
            approve=self.approve,
            parallel=bool(hints and hints.read_only_hint),  # a hint; if it is wrong, only the order may be
        )

    async def _called(self, tool: str, arguments: Mapping[str, Any]) -> Content:
        """What the server's tool gives.

        Raises:
            ToolFailed: The tool says that it failed.
            ServerFailed: The server ended, or did not answer; it is not asked twice, since it may have acted.
        """
        given = dict(arguments)
        return content(await self._session().answer(lambda client: client.call_tool(tool, given), self.timeout))


def _stop(sessions: Sequence[Session]) -> None:
    for session in sessions:
        session.stop()


def _words(command: str | Sequence[str]) -> tuple[str, ...]:
    try:
        words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    except ValueError as error:
        raise CellError(f"the command cannot be read: {error}. Give it as a list.") from None
    if not words or not words[0] or any("\0" in word for word in words):
        raise CellError("no command. Give the server's program and its arguments, such as 'python server.py'.")
    return tuple(words)


def _variables(env: Mapping[str, str]) -> dict[str, str]:
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str) or not name or "=" in name or "\0" in name + value:
            raise CellError(f"the variable {str(name)[:60]!r} cannot be given to a server. Use a name and a text.")
    return dict(env)
