"""A small MCP server, written with the official package: what a reader's own server looks like, and its faults."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import time
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.utilities.types import Image

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

server = MCPServer("small")


@server.tool(annotations=types.ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(name="to.upper")
def to_upper(text: str) -> str:
    """Write a text in capitals."""
    return text.upper()


@server.tool()
def weather(city: str) -> dict[str, Any]:
    """Tell the weather."""
    return {"city": city, "degrees": 21}


@server.tool()
def picture() -> Image:
    """Give a picture."""
    return Image(data=PIXEL, format="png")


@server.tool()
def attached() -> list[Any]:
    """Give a text, a file, and links."""
    return [
        types.TextContent(text="see below"),
        types.EmbeddedResource(resource=types.TextResourceContents(uri="file:///notes.txt", text="a note")),
        types.EmbeddedResource(
            resource=types.BlobResourceContents(
                uri="file:///a.pdf", mime_type="application/pdf", blob=base64.b64encode(b"%PDF-1.4").decode()
            )
        ),
        types.ResourceLink(name="more", uri="https://example.com/more", description="further reading"),
        types.AudioContent(data=base64.b64encode(b"hum").decode(), mime_type="audio/wav"),
        types.ImageContent(data=base64.b64encode(b"<svg/>").decode(), mime_type="image/svg+xml"),
    ]


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise ToolError(reason)


@server.tool()
def environment() -> dict[str, str]:
    """Tell the environment."""
    return dict(os.environ)


@server.tool()
def pid() -> int:
    """Tell the process."""
    return os.getpid()


@server.tool()
async def wait(seconds: float, note: str) -> str:
    """Wait, and note whether the wait was cancelled."""
    Path(note).write_text("begun")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        Path(note).write_text("cancelled")
        raise
    return "waited"


@server.tool(annotations=types.ToolAnnotations(read_only_hint=True))
async def look(seconds: float, note: str) -> str:
    """Wait as `wait` does; several may at the same time."""
    return await wait(seconds, note)


@server.tool()
def die(words: str) -> str:
    """End in the middle of a call."""
    print(words, file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
def flood(megabytes: int) -> str:
    """Write very much to standard error, and rubbish to standard output."""
    for _ in range(megabytes * 16):
        os.write(2, b"\x1b[31mnoise\x1b[0m " * 5041)
    os.write(1, b"this is no JSON\n\xff\xfe\x00{\n[1,2]\n")
    return "flooded"


@server.tool()
async def grow(name: str, context: Context) -> str:
    """Offer one tool more, and say so."""

    def grown() -> str:
        """A tool that was not there before."""
        return name

    server.add_tool(grown, name=name)
    await context.notify_tools_changed()
    return "grown"


if __name__ == "__main__":
    if "--stubborn" in sys.argv:  # ends neither with its input nor by a signal
        import signal
        import threading

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        threading.Thread(target=time.sleep, args=(600,)).start()
    server.run()
