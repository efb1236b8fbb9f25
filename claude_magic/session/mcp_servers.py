"""The MCP servers of `--mcp`: fields of the request for remote ones, and the tools of local ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..errors import CellError, Interrupted
from ..prompt.options.options import Options, nearest
from ..tools.mcp.server import LocalServer
from ..tools.remote_mcp import RemoteServers, is_address, remote_servers
from ..wire.tool import Tool


def connect_servers(options: Options, namespace: Mapping[str, Any]) -> tuple[Options, tuple[Tool, ...]]:
    """The options with the fields for the remote servers of `--mcp`, and the tools of the local ones.

    Raises:
        CellError: An address cannot be used, or a variable is no server.
        ServerFailed: A local server does not start, or does not list its tools.
        SettingsError: The package `mcp` is missing.
        Interrupted: The user stopped it.
    """
    names = dict.fromkeys(name for name in options.mcp if not is_address(name))
    local = [_local(name, namespace) for name in names]
    addresses = [address for address in options.mcp if is_address(address)]
    if addresses:
        options = _with_remote(options, remote_servers(addresses, os.environ))
    tools: list[Tool] = []
    for server in local:
        with stoppable(server.name):
            tools += server.tools
    return replace(options, notes=(*options.notes, *(note for each in local for note in each.notes))), tuple(tools)


@contextlib.contextmanager
def stoppable(name: str) -> Iterator[None]:
    """Raises a stop while the server `name` lists its tools as an `Interrupted`."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"stopped while the MCP server {name} was asked for its tools.") from None


def _local(name: str, namespace: Mapping[str, Any]) -> LocalServer:
    servers = [each for each, value in namespace.items() if isinstance(value, LocalServer) and not each.startswith("_")]
    if name not in namespace:
        advice = nearest(name, servers) or " Give an https:// address, or start one with claude.mcp(...)."
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
