"""A hundred thousand rows in a message batch: seconds to make it, to read the results, and the memory of all of it."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .child import SHORT, answer, measured, peak_memory, served
from .table import Row, Section

COUNT = 300 if SHORT else 100_000
GOAL = 300  # megabytes that the process may hold
REPLY = "An answer of a few words, as a model gives one to a short question. " * 3
PATH = "/v1/messages/batches"


def section() -> Section:
    """`claude.map(batch=True)`, its table, and the same again from the journal, each a process of its own."""
    with served("tests.bench.batches", "serve") as url:
        found = measured("batches", "ours", url=url)
    rows = [
        Row(what="writing the rows into the journal and sending them", ours=f"{found['made']:.1f} s"),
        Row(what="reading the results into the journal", ours=f"{found['read']:.1f} s"),
        Row(what="the table of all replies", ours=f"{found['table']:.1f} s"),
        Row(what="running it again: everything from the journal", ours=f"{found['again']:.1f} s"),
        Row(
            what="    memory of the process, at most",
            ours=f"{found['memory']:.0f} MB",
            floor=f"{found['before']:.0f} MB",
            goal=f"< {GOAL} MB",
            met=found["memory"] < GOAL,
        ),
        Row(what="    of it, until the results were read", ours=f"{found['memory_read']:.0f} MB"),
    ]
    return Section(
        title=f"(i) {COUNT:,} rows in a message batch, from a generator. Floor: the process before it.",
        rows=rows,
        notes=[f"each reply has {len(REPLY)} characters; the API is a process of its own"],
    )


def ours() -> Mapping[str, float]:
    """Seconds and megabytes."""
    from claude_magic import claude

    claude.batch(["warm up"]).wait()
    found = {"before": peak_memory()}
    began = time.perf_counter()
    batch = claude.batch(f"question {n}" for n in range(COUNT))
    found["made"] = time.perf_counter() - began
    batch.wait()
    found["read"] = time.perf_counter() - began - found["made"]
    assert sum(isinstance(each.reply, str) for each in batch) == COUNT
    found["memory_read"] = peak_memory()
    began = time.perf_counter()
    assert not batch.results().errors
    found["table"] = time.perf_counter() - began
    began = time.perf_counter()
    again = claude.batch(f"question {n}" for n in range(COUNT))
    assert again.done
    found["again"] = time.perf_counter() - began
    found["memory"] = peak_memory()
    return found


class _Handler(BaseHTTPRequestHandler):
    """Makes batches, and answers each request with the same."""

    protocol_version = "HTTP/1.1"
    batches: dict[str, list[str]] = {}  # noqa: RUF012  of the class: each request has a handler of its own
    lock = threading.Lock()

    def do_POST(self) -> None:
        requests = json.loads(self.rfile.read(int(self.headers["content-length"])))["requests"]
        with self.lock:
            id = f"msgbatch_{len(self.batches)}"  # noqa: A001
            self.batches[id] = [each["custom_id"] for each in requests]
        self._send(self._body(id, "in_progress"))

    def do_GET(self) -> None:
        _, _, rest = self.path.partition(f"{PATH}/")
        id, _, what = rest.partition("/")  # noqa: A001
        if what == "results":
            self._results(self.batches[id])
        else:
            self._send(self._body(id, "ended"))

    def _body(self, id: str, status: str) -> dict[str, Any]:
        counts = {"processing" if status == "in_progress" else "succeeded": len(self.batches[id])}
        when = "2026-11-28T12:00:00Z"
        return {
            "id": id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "created_at": when,
            "expires_at": when,
        }

    def _send(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _results(self, names: list[str]) -> None:
        usage = {"input_tokens": 9, "output_tokens": 40, "service_tier": "batch"}
        content = [{"type": "text", "text": REPLY}]
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "content": content,
        }
        result = {"type": "succeeded", "message": {**message, "stop_reason": "end_turn", "usage": usage}}
        end = f', "result": {json.dumps(result)}}}\n'
        self.send_response(200)
        self.send_header("content-type", "application/x-jsonl")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for begin in range(0, len(names), 100):
            piece = "".join(f'{{"custom_id": "{name}"{end}' for name in names[begin : begin + 100]).encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


def _serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  connections that end are no news
        _serve()
    answer({"ours": ours})
