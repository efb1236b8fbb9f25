"""An MCP server without any package, of the older protocol, which does what its first argument says.

`pages`: lists its tools on several pages. `endless`: on pages without end. `silent`: never answers.
`none`: knows no tools. `broken`: lists what is no list. `crash`: ends at once, after some words.
`half`: closes its output and lives on. `wrong`: its tool gives other than what it declares.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

KIND = sys.argv[1]
OBJECT = {"type": "object"}
DECLARED = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def answer(method: str, params: dict[str, Any]) -> Any:
    """The result; `None` where the method is not known."""
    if method == "initialize":
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": {} if KIND == "none" else {"tools": {"listChanged": True}},
            "serverInfo": {"name": "odd", "version": "1"},
        }
    if method == "tools/list" and KIND != "none":
        return listed(int(params.get("cursor") or 0))
    if method == "tools/call":
        return {"content": [{"type": "text", "text": params["name"]}], "structuredContent": {"n": "no number"}}
    return None


def listed(page: int) -> Any:
    if KIND == "broken":
        return {"tools": "none"}
    schema = {"outputSchema": DECLARED} if KIND == "wrong" else {}
    tools = [{"name": f"tool.{page}", "inputSchema": OBJECT, **schema}, {"name": f"tool_{page}", "inputSchema": OBJECT}]
    more = KIND == "endless" or (KIND == "pages" and page < 3)
    return {"tools": tools, **({"nextCursor": str(page + 1)} if more else {})}


def main() -> None:
    if KIND == "crash":
        sys.exit("\x1b[2J<script>alert(1)</script>\nthe settings are missing: " + os.environ.get("SETTING", ""))
    if KIND == "half":
        os.close(1)
    if KIND in ("half", "silent"):
        time.sleep(600)
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = answer(message["method"], message.get("params") or {})
        error = {"error": {"code": -32601, "message": f"no {message['method']}"}}
        body = error if result is None else {"result": result}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}), flush=True)


if __name__ == "__main__":
    main()
