"""MCP servers, as a notebook names them: `claude.mcp` starts a local one, `--mcp` offers the tools of any."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from ..errors import CellError, Interrupted
from ..prompt.options.options import Options, nearest
from ..tools.mcp.server import LocalServer
from ..tools.remote_mcp import RemoteServers, is_address, remote_servers
from ..wire.tool import Tool

_DESCRIBED = 160  # characters of a tool's description
_named: WeakValueDictionary[str, Server] = WeakValueDictionary()


class Server(LocalServer):
    """A local MCP server; shown, it is a table of its tools as they were listed last."""

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.table import table, words

        rows = [
            [
                words(tool.name, 128),
                words(", ".join(_arguments(tool.definition)), _DESCRIBED),
                words(tool.definition.get("description"), _DESCRIBED),
                "asks first" if tool.approve else "runs at once",
            ]
            for tool in self.cached_tools
        ]
        state = "running" if self.running else "not running: it starts when it is next used"
        title = f"MCP server {self.name}: {len(rows)} tools, {state}"
        notes = words("; ".join(self.notes), 1_000)
        shown = table(
            title,
            ("tool", "arguments", "description", "approval"),
            rows,
            kinds={"arguments": "wrap", "description": "wrap"},
            below=notes,
        )
        return {**shown, "text/plain": f"{shown['text/plain']}\n{notes}".rstrip()}


def start_server(name: str, command: str | Sequence[str], **how: Any) -> Server:
    """A server that runs, under a name that no other of this kernel has: an earlier one of that name is ended.

    Raises:
        CellError: The name or the command cannot be used.
        ServerFailed: It does not start, or does not list its tools.
        SettingsError: The package `mcp` is missing.
        Interrupted: The reader stopped it.
    """
    server = Server(name, command, **how)
    earlier = _named.pop(name, None)
    if earlier is not None:
        earlier.close()
    with _stoppable(name):
        server.start()
    _named[name] = server
    return server


def connect_servers(options: Options, namespace: Mapping[str, Any]) -> tuple[Options, tuple[Tool, ...]]:
    """The options with what a request needs for the remote servers of `--mcp`, and the tools of the local ones.

    Raises:
        CellError: An address cannot be used, or a name stands for no server.
        ServerFailed: A local server does not start, or does not list its tools.
        SettingsError: The package `mcp` is missing.
        Interrupted: The reader stopped it.
    """
    named = dict.fromkeys(name for name in options.mcp if not is_address(name))
    local = [_local(name, namespace) for name in named]
    addresses = [address for address in options.mcp if is_address(address)]
    if addresses:
        options = _with_remote(options, remote_servers(addresses, os.environ))
    tools: list[Tool] = []
    for server in local:
        with _stoppable(server.name):
            tools += server.tools
    return replace(options, notes=(*options.notes, *(note for each in local for note in each.notes))), tuple(tools)


@contextlib.contextmanager
def _stoppable(name: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"stopped while the MCP server {name} was asked for its tools.") from None


def _local(name: str, namespace: Mapping[str, Any]) -> LocalServer:
    known = [each for each, value in namespace.items() if isinstance(value, LocalServer) and not each.startswith("_")]
    if name not in namespace:
        advice = nearest(name, known) or " Give an https:// address, or start one with claude.mcp(...)."
        raise CellError(f"--mcp {name}: there is no such variable.{advice}")
    value = namespace[name]
    if not isinstance(value, LocalServer):
        raise CellError(f"--mcp {name}: a {type(value).__name__} is no MCP server. Start one with claude.mcp(...).")
    return value


def _with_remote(options: Options, remote: RemoteServers) -> Options:
    name = next((name for name in options.header if name.lower() == "anthropic-beta"), "anthropic-beta")
    header = {**options.header, name: remote.betas(options.header.get(name, ""))}
    added = {"mcp_servers": list(remote.servers), "tools": list(remote.toolsets)}
    param = {field: [*_several(options.param, field), *values] for field, values in added.items()}
    return replace(options, header=header, param={**options.param, **param})


def _several(param: Mapping[str, Any], field: str) -> list[Any]:
    value = param.get(field, [])
    if not isinstance(value, list):
        raise CellError(f"--param {field} is a list, as JSON.")
    return value


def _arguments(definition: Mapping[str, Any]) -> list[str]:
    """The names of the arguments; those that may be left out with a `?`."""
    schema = definition.get("input_schema", {})
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, Mapping):
        return []
    needed = required if isinstance(required, list) else []
    return [str(name) if name in needed else f"{name}?" for name in properties]
