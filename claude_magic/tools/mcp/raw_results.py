"""What a server lists and gives, kept whole beside what the official client checks.

That client refuses a list for one odd tool in it, a result for one odd block or for a schema that it does not fit.
Here both pass it in `_meta`, which it hands on unread; it checks a plain stand-in.
Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RAW = "claude-magic/raw"
_LIST, _CALL = "tools/list", "tools/call"


def raw(result: Any) -> Any:
    """What the server said itself: of a list its tools, of a call its result."""
    return (result.meta or {}).get(_RAW)


class RawResults:
    """Knows which answer belongs to which request of one connection."""

    def __init__(self) -> None:
        self._methods: dict[Any, str] = {}

    def note_request(self, message: Any) -> None:
        """A message to the server, before it is sent."""
        method = getattr(message, "method", "")
        if method in (_LIST, _CALL) and getattr(message, "id", None) is not None:
            self._methods[message.id] = method

    def stand_in(self, message: Any) -> Any:
        """A message of the server, as the client may see it."""
        method = self._methods.pop(getattr(message, "id", None), "")
        result = getattr(message, "result", None)
        if not method or not isinstance(result, dict):
            return message
        return message.model_copy(update={"result": _listed(result) if method == _LIST else _called(result)})


def _listed(result: Mapping[str, Any]) -> Mapping[str, Any]:
    tools = result.get("tools")
    if not isinstance(tools, list):
        return result
    names = dict.fromkeys(str(tool["name"]) for tool in tools if isinstance(tool, dict) and tool.get("name"))
    plain = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
    return {**result, "tools": plain, "_meta": {_RAW: tools}}


def _called(result: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = result.get("resultType", "complete")
    if kind != "complete" or "inputRequests" in result:
        return result  # no result yet: the client goes on asking
    return {"content": [], "resultType": kind, "_meta": {_RAW: result}}
