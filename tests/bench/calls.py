"""What a small question costs that is not streamed: all of ours, our client alone, and the official SDK."""

from __future__ import annotations

import json
import os
import socket
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .child import ROOT, SHORT, answer, measured
from .table import Row, Section, milliseconds

GOAL = 2.0  # ours over the SDK
TIMES, ROUNDS, CALLS = (1, 1, 2) if SHORT else (3, 5, 30)
_BODY = {"model": "claude-opus-5-5", "max_tokens": 4096, "messages": [{"role": "user", "content": "hi"}]}


def section(url: str) -> Section:
    """The whole way, the same in a folder with a `pyproject.toml`, and the client alone."""
    found: dict[str, list[float]] = {}
    for _ in range(TIMES):  # by turns too, so that a busy minute hits both
        for contestants in ("by_turns", "sdk"):
            for name, seconds in measured("calls", contestants, url=url).items():
                found.setdefault(name, []).extend(seconds)
    return Section(
        title="(d) A small question that is not streamed, CPU of one call. Peer: anthropic's messages.create. "
        "Floor: a bare socket.",
        rows=[
            _row("claude('hi', stream=False), no journal", found, "ours"),
            _row("    written to the journal", found, "journal"),
            _row("    in a project with a pyproject.toml", found, "project"),
            _row("    Client.stream alone", found, "client"),
        ],
        notes=[
            f"medians of {TIMES * ROUNDS} rounds of {CALLS} calls each, by turns in one process; the SDK in its own"
        ],
    )


def _row(what: str, found: Mapping[str, list[float]], name: str) -> Row:
    ratio = statistics.median(found[name]) / statistics.median(found["sdk"])
    return Row(
        what=what,
        ours=milliseconds(statistics.median(found[name])),
        peer=milliseconds(statistics.median(found["sdk"])),
        floor=milliseconds(statistics.median(found["socket"])),
        ratio=f"{ratio:.2f} ours/peer",
        goal=f"<= {GOAL} ours/peer",
        met=ratio <= GOAL,
    )


def by_turns() -> Mapping[str, list[float]]:
    """Seconds of one call, a round each."""
    url = os.environ["ANTHROPIC_BASE_URL"]
    project = Path("project")
    project.mkdir()
    (project / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    calls = {
        "ours": _ours(""),
        "journal": _ours(None),
        "client": _client(url),
        "socket": _socket(url),
    }
    places = {**{name: (Path.cwd(), call) for name, call in calls.items()}, "project": (project.resolve(), _ours(""))}
    found: dict[str, list[float]] = {name: [] for name in places}
    for round_ in range(ROUNDS + 1):
        for name, (folder, call) in places.items():
            os.chdir(folder)
            seconds = _seconds(call)
            if round_:  # the first one warms up
                found[name].append(seconds)
    return found


def sdk() -> Mapping[str, list[float]]:
    """The same of the official SDK, whose import makes each run of the garbage collector dearer for the others."""
    call = _sdk()
    return {"sdk": [_seconds(call) for _ in range(ROUNDS + 1)][1:]}


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS


def _ours(journal: str | None) -> Callable[[], object]:
    from claude_magic import claude

    def call() -> object:
        claude.settings.journal = journal
        return claude("hi", stream=False)

    return call


def _client(url: str) -> Callable[[], object]:
    from claude_magic.api import credentials
    from claude_magic.api.connect import connect
    from claude_magic.api.endpoints.messages import messages
    from claude_magic.api.interrupt import Interrupt
    from claude_magic.api.provider import Provider
    from claude_magic.api.transports.http import pool
    from claude_magic.settings import Claude

    provider = Provider(base_url=url, credential=credentials.find())
    client = connect(Claude(), provider, pool=pool(), interrupt=Interrupt())
    request = messages(base_url=url, api_version="2023-06-01", stream=False, **_BODY)  # type: ignore[arg-type]
    return lambda: client.stream(request)


def _sdk() -> Callable[[], object]:
    import anthropic

    client = anthropic.Anthropic(max_retries=0)
    return lambda: client.messages.create(**_BODY)  # type: ignore[call-overload]


def _socket(url: str) -> Callable[[], object]:
    address, body = urlsplit(url), json.dumps(_BODY).encode()
    asked = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    sock = socket.create_connection((address.hostname, address.port))

    def call() -> object:
        sock.sendall(asked)
        return json.loads(sock.recv(65_536).partition(b"\r\n\r\n")[2])

    return call


if __name__ == "__main__":
    answer({"by_turns": by_turns, "sdk": sdk})
