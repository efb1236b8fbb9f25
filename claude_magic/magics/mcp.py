"""`claude.mcp`: starts a local MCP server, which shows its tools as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from ..session.mcp_servers import stoppable
from ..tools.mcp.server import LocalServer

_DESCRIBED = 160  # characters of a tool's description
_servers: WeakValueDictionary[str, Server] = WeakValueDictionary()


class Server(LocalServer):
    """A local MCP server; displayed, it is a table of its tools."""

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
        bundle = table(
            title,
            ("tool", "arguments", "description", "approval"),
            rows,
            kinds={"arguments": "wrap", "description": "wrap"},
            below=notes,
        )
        return {**bundle, "text/plain": f"{bundle['text/plain']}\n{notes}".rstrip()}


def start_server(name: str, command: str | Sequence[str], **how: Any) -> Server:
    """Starts a server; an earlier one of that name is stopped.

    Raises:
        CellError: The name or the command cannot be used.
        ServerFailed: It does not start, or does not list its tools.
        SettingsError: The package `mcp` is missing.
        Interrupted: The user stopped it.
    """
    server = Server(name, command, **how)
    earlier = _servers.pop(name, None)
    if earlier is not None:
        earlier.close()
    with stoppable(name):
        server.start()
    _servers[name] = server
    return server


def _arguments(definition: Mapping[str, Any]) -> list[str]:
    """The names of the arguments; optional ones end in `?`."""
    schema = definition.get("input_schema", {})
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, Mapping):
        return []
    names = required if isinstance(required, list) else []
    return [str(name) if name in names else f"{name}?" for name in properties]
