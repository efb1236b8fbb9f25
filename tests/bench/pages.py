"""What a growing reply costs in a real kernel: bytes and messages over IOPub, and the kernel's CPU.

The naive cell does what many notebooks do: it shows the whole text again with every delta. What it sends grows
with the square of the reply, so the longest one is only run when asked for; its bytes are then computed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import zmq

from tests.notebook_kernel import Kernel

from .child import SHORT, environment
from .replies import cut, reply
from .table import Row, Section, kilobytes, milliseconds

GOAL = 10.0  # times the reply
LONG = 100_000  # bytes of a reply from which on the goal counts
FULL_SPEED, PACED = ((1, 2), (1,)) if SHORT else ((10, 100, 400), (10, 40))  # KB
NAIVE, NAIVE_LONG = 100, 400  # KB; what it is run for at most
PACED_LONG = (10, 100, 400)
_TIMEOUT = 900  # seconds
_NAIVE_SETUP = """
import anthropic
from IPython.display import Markdown, display
_client = anthropic.Anthropic(max_retries=0)
def naive(asked):
    text, shown = "", display(Markdown(""), display_id=True)
    messages = [{"role": "user", "content": asked}]
    with _client.messages.stream(model="claude-opus-5-5", max_tokens=4096, messages=messages) as stream:
        for delta in stream.text_stream:
            text += delta
            shown.update(Markdown(text))
naive("a few words")
"""
_OURS_SETUP = """
%load_ext claude_magic
import claude_magic
%claude a few words
"""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A kernel, and what it publishes."""

    client: Any
    socket: zmq.Socket[bytes]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a cell made the kernel send and spend.

    Attributes:
        size: Bytes of all frames of all IOPub messages.
        cpu: Seconds.
    """

    size: int
    messages: int
    cpu: float


def section(url: str, *, long: bool = False) -> Section:
    """Three rows a reply: bytes, messages, CPU."""
    asked = [f"{size} KB" for size in FULL_SPEED]
    asked += [f"{size} KB paced" for size in (PACED_LONG if long else PACED)]
    with _kernel(url, _OURS_SETUP) as kernel:
        ours = {each: _sent(kernel, f"%%claude\n{each}") for each in asked}
        floor = {each: _sent(kernel, f"_ = claude_magic.claude({each!r})") for each in asked if "paced" not in each}
    limit = NAIVE_LONG if long else NAIVE
    with _kernel(url, _NAIVE_SETUP) as kernel:
        naive = {each: _sent(kernel, f"naive({each!r})") for each in asked if _size(each) <= limit * 1000}
    return Section(
        title="(c) A reply in a real kernel. Peer: the SDK, and display(Markdown(whole text)) updated per delta. "
        "Floor: the text once; claude(text), which shows nothing.",
        rows=[row for each in asked for row in _rows(each, ours[each], naive.get(each), floor.get(each))],
        notes=_notes(long),
    )


def _notes(long: bool) -> list[str]:
    notes = ["paced: 1,000 deltas of 4 characters a second", "~: computed, not run"]
    return notes if long else [*notes, f"--long: paced also {PACED_LONG[1:]} KB, and the naive cell with {NAIVE_LONG}"]


def _rows(asked: str, ours: Sent, naive: Sent | None, floor: Sent | None) -> Iterator[Row]:
    size = _size(asked)
    times = ours.size / size
    by_naive = naive.size if naive else _naive_size(size)
    yield Row(
        what=f"{asked}, IOPub bytes",
        ours=kilobytes(ours.size),
        peer=kilobytes(by_naive) if naive else f"~{kilobytes(by_naive)}",
        floor=kilobytes(size),
        ratio=f"{times:.1f} ours/reply",
        goal=f"< {GOAL:.0f} ours/reply" if size >= LONG else "",  # a short reply is updated often, at little cost
        met=times < GOAL if size >= LONG else None,
    )
    yield Row(
        what="    messages",
        ours=f"{ours.messages:,}",
        peer=f"{naive.messages:,}" if naive else f"~{len(cut(reply(size))):,}",
        floor=f"{floor.messages:,}" if floor else "",
    )
    yield Row(
        what="    kernel CPU",
        ours=milliseconds(ours.cpu),
        peer=milliseconds(naive.cpu) if naive else "",
        floor=milliseconds(floor.cpu) if floor else "",
        ratio=f"{naive.cpu / ours.cpu:.1f} peer/ours" if naive else "",
    )


def _size(asked: str) -> int:
    return int(asked.split()[0]) * 1000


def _naive_size(size: int) -> int:
    """Bytes of the whole text after each delta, without what surrounds it."""
    total = shown = 0
    for delta in cut(reply(size)):
        shown += len(delta)
        total += shown
    return total


@contextmanager
def _kernel(url: str, setup: str) -> Iterator[Watched]:
    """A kernel that has run `setup`."""
    with TemporaryDirectory() as home, mock.patch.dict(os.environ, environment(home, url), clear=True), Kernel() as it:
        ran = it.run(setup)
        if ran.error is not None:
            raise RuntimeError("\n".join(ran.error[2]))
        with _listening(it.client) as socket:
            yield Watched(client=it.client, socket=socket)


@contextmanager
def _listening(client: Any) -> Iterator[zmq.Socket[bytes]]:
    """The only subscription, and one without a limit: nothing is dropped on our side, however much comes."""
    known = client.iopub_channel.socket
    known.unsubscribe(b"")
    socket: zmq.Socket[bytes] = known.context.socket(zmq.SUB)
    socket.rcvhwm = 0
    socket.subscribe(b"")
    socket.connect(known.last_endpoint.decode())
    while not socket.poll(200):  # until the kernel knows of it
        client.execute("pass", reply=True, timeout=_TIMEOUT)
    try:
        yield socket
    finally:
        socket.close(linger=0)


def _sent(kernel: Watched, code: str) -> Sent:
    """Run a cell, and count."""
    before = _cpu(kernel)
    size, messages = _counted(kernel.socket, kernel.client.execute(code, allow_stdin=False))
    return Sent(size=size, messages=messages, cpu=_cpu(kernel) - before)


def _counted(socket: zmq.Socket[bytes], asked: str) -> tuple[int, int]:
    """Bytes and messages that belong to the request `asked`, until the kernel is idle again."""
    size = count = 0
    while socket.poll(_TIMEOUT * 1000):
        frames = socket.recv_multipart()
        start = frames.index(b"<IDS|MSG>") + 2  # after the delimiter and the signature
        header, parent, _, content = frames[start : start + 4]
        if asked.encode() not in parent:
            continue
        size, count = size + sum(map(len, frames)), count + 1
        kind = json.loads(header)["msg_type"]
        if kind == "error":
            raise RuntimeError(json.loads(content)["evalue"])
        if kind == "status" and json.loads(content)["execution_state"] == "idle":
            return size, count
    raise TimeoutError(f"nothing came for {_TIMEOUT} s")


def _cpu(kernel: Watched) -> float:
    """CPU seconds of the kernel so far."""
    asked = {"cpu": "__import__('time').process_time()"}
    told = kernel.client.execute("", silent=True, user_expressions=asked, reply=True, timeout=_TIMEOUT)
    return float(told["content"]["user_expressions"]["cpu"]["data"]["text/plain"])
