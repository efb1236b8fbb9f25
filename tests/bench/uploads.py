"""A file of 500 MB that is uploaded: seconds, and the memory of it, beside the official SDK."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .child import SHORT, answer, measured, peak_memory, served
from .table import Row, Section

SIZE = 3_000_000 if SHORT else 500_000_000  # bytes
GOAL = 40  # megabytes that the upload may add to the process
_BLOCK = os.urandom(1_000_000)


def section() -> Section:
    """The same upload by `claude.files` and by the official SDK, each in a process of its own."""
    with served("tests.bench.uploads", "serve") as url:
        found, sdk_found = measured("uploads", "ours", url=url), measured("uploads", "sdk", url=url)
    rows = [
        Row(what="seconds", ours=f"{found['seconds']:.1f} s", peer=f"{sdk_found['seconds']:.1f} s"),
        Row(
            what="    memory that it adds to the process",
            ours=f"{found['memory']:.0f} MB",
            peer=f"{sdk_found['memory']:.0f} MB",
            goal=f"< {GOAL} MB",
            met=found["memory"] < GOAL,
        ),
    ]
    return Section(
        title=f"(j) A file of {SIZE / 1e6:,.0f} MB, uploaded to loopback.",
        rows=rows,
        notes=["ours reads it twice: its digest is known before it is sent"],
    )


def ours() -> Mapping[str, float]:
    """Seconds and megabytes of `claude.files.upload`."""
    from claude_magic import claude

    claude.files.upload(b"warm up", name="small.txt")
    return _measure(lambda path: claude.files.upload(path))


def sdk() -> Mapping[str, float]:
    """Seconds and megabytes of the official SDK."""
    import anthropic

    client = anthropic.Anthropic(base_url=os.environ["ANTHROPIC_BASE_URL"], api_key="a-key")
    client.files.upload(file=("small.txt", b"warm up", "text/plain"))
    return _measure(lambda path: client.files.upload(file=path))


def _measure(upload: object) -> Mapping[str, float]:
    path = Path("large.bin")
    with path.open("wb") as file:
        for _ in range(SIZE // len(_BLOCK)):
            file.write(_BLOCK)
    assert callable(upload)
    before, began = peak_memory(), time.perf_counter()
    upload(path)
    found = {"seconds": time.perf_counter() - began, "memory": peak_memory() - before}
    path.unlink()
    return found


class _Handler(BaseHTTPRequestHandler):
    """Reads a file, and forgets it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        left = size = int(self.headers["content-length"])
        while left and (block := self.rfile.read(min(left, 1_000_000))):
            left -= len(block)
        body = {"type": "file", "id": "file_1", "filename": "large.bin", "mime_type": "application/octet-stream"}
        data = json.dumps({**body, "size_bytes": size, "created_at": "2026-11-28T12:00:00Z"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def _serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    answer({"ours": ours, "sdk": sdk})
