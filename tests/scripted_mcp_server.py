"""An MCP server without any package that says what a JSON file tells it: its tools, and the result of each call.

The last arguments of each call are written beside that file, as `calls`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(sys.argv[1])


def answer(method: str, params: dict[str, Any], script: dict[str, Any]) -> Any:
    if method == "initialize":
        return {
            "protocolVersion": script.get("version", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "scripted", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": script["tools"]}
    if method == "tools/call":
        with SCRIPT.with_name("calls").open("a") as calls:
            calls.write(json.dumps(params) + "\n")
        return script.get("results", {}).get(params["name"], {"content": [{"type": "text", "text": "done"}]})
    return None


def main() -> None:
    script = json.loads(SCRIPT.read_text())
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = answer(message["method"], message.get("params") or {}, script)
        error = {"error": {"code": -32601, "message": f"no {message['method']}"}}
        body = error if result is None else {"result": result}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}), flush=True)


if __name__ == "__main__":
    main()
