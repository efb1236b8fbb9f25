"""The endpoint that all contestants ask, in a process of its own, which is not counted.

The question says what the answer is: `25000 deltas`, `100 KB`, either of them `paced` (1,000 deltas a
second, each written by itself); anything else is answered with a few words.
"""

from __future__ import annotations

import functools
import json
import re
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, BinaryIO

from tests.server import JSON, STREAM, whole

from .replies import chunks, cut, deltas, reply

A_SECOND = 1_000  # deltas of a paced reply
_ASKED = re.compile(r"(?P<count>\d+) (?P<unit>deltas|KB)(?P<paced> paced)?")
_WRITE = 1_000  # chunks that are written at once at full speed


def serve() -> None:
    """Answer until the process is ended; say first where."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=50)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        try:
            while (body := _question(stream)) is not None:
                _answer(connection, body)
        except OSError:
            return


def _question(stream: BinaryIO) -> dict[str, Any] | None:
    """The body of the next request; `None` after the last."""
    if not stream.readline():
        return None
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    body: dict[str, Any] = json.loads(stream.read(length))
    return body


def _answer(connection: socket.socket, body: dict[str, Any]) -> None:
    asked = _ASKED.search(json.dumps(body["messages"][-1]["content"]))
    if not body.get("stream"):
        connection.sendall(_small())
        return
    count, unit, paced = (int(asked["count"]), asked["unit"], asked["paced"]) if asked else (3, "deltas", None)
    connection.sendall(_head((*STREAM, ("transfer-encoding", "chunked"))))
    body_chunks = _body(count, unit)
    if paced:
        _pace(connection, body_chunks)
        return
    for start in range(0, len(body_chunks), _WRITE):
        connection.sendall(b"".join(body_chunks[start : start + _WRITE]))


def _pace(connection: socket.socket, body_chunks: Sequence[bytes]) -> None:
    began = time.monotonic()
    for place, chunk in enumerate(body_chunks):
        if (early := began + place / A_SECOND - time.monotonic()) > 0:
            time.sleep(early)
        connection.sendall(chunk)


@functools.lru_cache(maxsize=4)
def _body(count: int, unit: str) -> tuple[bytes, ...]:
    return tuple(chunks(deltas(count) if unit == "deltas" else cut(reply(count * 1000))))


@functools.cache
def _small() -> bytes:
    body = b"".join(piece for piece in whole("Hello! How are you?").pieces if isinstance(piece, bytes))
    return _head((*JSON, ("content-length", str(len(body))))) + body


def _head(headers: Sequence[tuple[str, str]]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode("latin-1")


if __name__ == "__main__":
    serve()
