"""Keeps a server's raw answers, since the official client refuses more than necessary.

It refuses a whole list for one invalid tool, and a result for one unknown block or a mismatch with its schema. Here the
raw answer is passed through in `_meta`, which the client does not check, beside a minimal valid answer.
Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RAW = "claude-magic/raw"
_LIST, _CALL = "tools/list", "tools/call"


def raw(result: Any) -> Any:
    """The server's own answer: the tools of a list, the result of a call."""
    return (result.meta or {}).get(_RAW)


class RawResults:
    """Matches answers to the requests of one connection."""

    def __init__(self) -> None:
        self._methods: dict[Any, str] = {}

    def note_request(self, message: Any) -> None:
        """Records a message to the server, before it is sent."""
        method = getattr(message, "method", "")
        if method in (_LIST, _CALL) and getattr(message, "id", None) is not None:
            self._methods[message.id] = method

    def stand_in(self, message: Any) -> Any:
        """A message of the server, with its raw answer moved to `_meta`."""
        method = self._methods.pop(getattr(message, "id", None), "")
        result = getattr(message, "result", None)
        if not method or not isinstance(result, dict):
            return message
        return message.model_copy(update={"result": _list_result(result) if method == _LIST else _call_result(result)})


def _list_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    tools = result.get("tools")
    if not isinstance(tools, list):
        return result
    names = dict.fromkeys(str(tool["name"]) for tool in tools if isinstance(tool, dict) and tool.get("name"))
    plain = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
    return {**result, "tools": plain, "_meta": {_RAW: tools}}


def _call_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = result.get("resultType", "complete")
    if kind != "complete" or "inputRequests" in result:
        return result  # not the final result: the client continues
    return {"content": [], "resultType": kind, "_meta": {_RAW: result}}
