"""A local MCP server: started when first used, and again after it ended."""

from __future__ import annotations

import os
import shlex
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...concurrency import Lock
from ...errors import CellError, ServerFailed
from ...wire.tool import Content, Tool
from ..definition import definition
from . import naming
from .raw_results import raw
from .results import content
from .session import MCPSession

if TYPE_CHECKING:
    import mcp

_MOST_PAGES = 100
_METHOD_NOT_FOUND = -32601


class LocalServer:
    """A child process that offers tools.

    It gets a few environment variables (on POSIX `HOME`, `LOGNAME`, `PATH`, `SHELL`, `TERM`, `USER`) and those of
    `env`, never the API key.

    Attributes:
        notes: Which tools of the last list were left out, and why, a sentence each.
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
        """Creates the server without starting it.

        Args:
            command: The program and its arguments, as a list, or as one text as in a shell.
            approve: Whether calls need the user's approval.
            timeout: Maximum time for a call, in seconds.
            start_timeout: Maximum time for the start, in seconds; some servers download their program first.

        Raises:
            CellError: The name or the command is invalid.
        """
        naming.check(name)
        self.name = name
        self.approve = approve
        self.timeout = timeout
        self._start_timeout = start_timeout
        self._command = _words(command)
        self._env, self._cwd = _variables(env or {}), None if cwd is None else os.fspath(cwd)
        self._lock = Lock()
        self._known: tuple[Tool, ...] = ()
        self.notes: tuple[str, ...] = ()
        self._running: list[MCPSession] = []  # at most one; a list, so that a finalizer can end it without this object
        weakref.finalize(self, _stop, self._running).atexit = False  # at exit, all end at once

    @property
    def running(self) -> bool:
        return any(session.alive for session in self._running)

    @property
    def cached_tools(self) -> tuple[Tool, ...]:
        """The tools of the last list; the server is not asked."""
        return self._known

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The current tools, listed by the server.

        Raises:
            ServerFailed: It cannot be started, or does not list its tools.
            SettingsError: The package `mcp` is missing.
        """
        notes: list[str] = []
        definitions = _callable_tools(self._session().ask(self._listed, self._start_timeout), notes)
        names = naming.names(self.name, [str(tool["name"]) for tool in definitions])
        offered = [self._tool(name, tool, notes) for name, tool in zip(names, definitions, strict=True)]
        self._known = tuple(tool for tool in offered if tool is not None)
        self.notes = tuple(f"MCP server {self.name}: {note}" for note in notes)
        return self._known

    def start(self) -> None:
        """Starts the server unless it runs, and lists its tools."""
        _ = self.tools

    def close(self) -> None:
        """Ends the server; its next use starts it again."""
        with self._lock:
            sessions, self._running[:] = list(self._running), []
        for session in sessions:
            session.stop()
        for session in sessions:
            session.join()

    def __repr__(self) -> str:
        state = f"{len(self._known)} tools" if self.running else "not running"
        return f"<MCP server {self.name}: {state}>"

    def _session(self) -> MCPSession:
        """The running session, or a new one."""
        with self._lock:
            if not self.running:
                _stop(self._running)
                session = MCPSession(self.name, self._command, env=self._env, cwd=self._cwd)
                session.open(self._start_timeout)
                self._running[:] = [session]
            return self._running[0]

    async def _listed(self, client: mcp.Client) -> list[Any]:
        """All pages of the list of tools, as the server sent them."""
        from mcp import MCPError

        tools: list[Any] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            try:
                page = await client.list_tools(cursor=cursor)
            except MCPError as error:
                if error.code == _METHOD_NOT_FOUND:
                    return tools  # it offers no tools
                raise
            tools += raw(page) or []
            cursor = page.next_cursor
            if not cursor:
                return tools
        raise ServerFailed(f"the MCP server {self.name} lists its tools without end. Ask whoever made it.")

    def _tool(self, name: str, tool: Mapping[str, Any], notes: list[str]) -> Tool | None:
        """The tool as offered to Claude; `None`, with a note, if the API cannot accept it."""
        own, hints = str(tool["name"]), tool.get("annotations")
        try:
            converted = definition(name, tool.get("description"), tool.get("inputSchema"))
        except CellError as error:
            notes.append(f"{own} is left out: {error}")
            return None
        notes += [f"{own}: {note}" for note in converted.notes]
        return Tool(
            definition=converted.value,
            run=lambda arguments: self._call_tool(own, converted.own(arguments), tool.get("outputSchema")),
            approve=self.approve,
            # only a hint: if it is wrong, calls may run in another order
            parallel=isinstance(hints, Mapping) and hints.get("readOnlyHint") is True,
        )

    async def _call_tool(self, tool: str, arguments: dict[str, Any], output_schema: Any) -> Content:
        """The result of a call, which may be an error of the tool.

        Raises:
            ServerFailed: The server ended or did not answer; the call is not repeated, since it may have had effects.
        """
        result = await self._session().answer(lambda client: client.call_tool(tool, arguments), self.timeout)
        return content(raw(result) or {}, output_schema)


def _callable_tools(definitions: Sequence[Any], notes: list[str]) -> list[Mapping[str, Any]]:
    """The tools that can be called: those with a unique name."""
    by_name: dict[str, Mapping[str, Any]] = {}
    for number, tool in enumerate(definitions, 1):
        name = tool.get("name") if isinstance(tool, Mapping) else None
        if not isinstance(name, str) or not name:
            notes.append(f"tool {number} of its list is left out: it has no name")
        elif name in by_name:
            notes.append(f"a second {name} is left out: a call could only reach the first")
        else:
            by_name[name] = tool
    return list(by_name.values())


def _stop(sessions: Sequence[MCPSession]) -> None:
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
