"""Runs inside the kernel of a test: a reply that grows step by step, on a clock of its own."""

from __future__ import annotations

import signal
import sys
import time
import types
from typing import Any

from claude_magic.display.live import page as page_module
from claude_magic.display.live.page import Page
from claude_magic.errors import ClaudeError, Interrupted
from claude_magic.wire import Exchange, Headers, Message, Request
from tests.exchange_fields import exchange_of

REQUEST = Request(method="POST", url="https://api.test/v1/messages", body={"model": "claude-opus-5-5", "max_tokens": 9})


def exchange(content: str | list[dict[str, Any]] = "", *, seconds: float = 1.0, **fields: Any) -> Exchange:
    """One whose reply has `content` so far; `stop_reason` and what else `Exchange` has in `fields`."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    body = {
        "model": "claude-opus-5-5",
        "content": blocks,
        "stop_reason": fields.pop("stop_reason", None),
        "usage": {"input_tokens": 46, "output_tokens": 133},
    }
    fields.setdefault("status", 200)
    fields.setdefault("headers", Headers([("request-id", "req_test")]))
    message = fields.pop("message", Message(body=body))
    return exchange_of(request=REQUEST, message=message, seconds=seconds, **fields)


def replay(
    text: str,
    *,
    step: int,
    every: float = 0.1,
    owns_cell: bool = True,
    raw: bool = False,
    panel: bool = False,
    error: ClaudeError | None = None,
    real_time: bool = False,
) -> float:
    """Show `text`, `step` characters more each time; the kernel's CPU seconds it took."""
    clock = [0.0]
    if not real_time:
        page_module.time = types.SimpleNamespace(monotonic=lambda: clock[0])  # type: ignore[attr-defined]
    began = time.process_time()
    page = Page(owns_cell=owns_cell, raw=raw, panel=panel)
    for end in range(0, len(text) + step, step):
        page.show(exchange(text[:end], seconds=clock[0]))
        clock[0] += every
        if real_time:
            time.sleep(every)
    reason = "end_turn" if error is None else None
    page.finish(exchange(text, seconds=clock[0], stop_reason=reason, error=error))
    page_module.time = time  # type: ignore[attr-defined]
    return time.process_time() - began


def interrupted_replay(text: str, *, at_line: int) -> None:
    """Show `text` and press stop when `Page.show` has run so many lines of its module; finish, as a cell does."""
    clock, lines, stopped = [0.0], [0], False
    page_module.time = types.SimpleNamespace(monotonic=lambda: clock[0])  # type: ignore[attr-defined]
    page = Page(owns_cell=True, raw=False, panel=True)

    def trace(frame: types.FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != page_module.__file__:
            return None
        lines[0] += event == "line"
        if event == "line" and clock[0] > 4 and lines[0] == at_line:
            signal.raise_signal(signal.SIGINT)
        return trace

    for end in range(0, len(text), 200):
        clock[0] += 0.1
        if clock[0] > 4 and not stopped:
            lines[0] = 0 if clock[0] < 4.15 else lines[0]
            sys.settrace(trace)
        try:
            page.show(exchange(text[:end], seconds=clock[0]))
        except KeyboardInterrupt:
            stopped = True
            break
        finally:
            sys.settrace(None)
    page.finish(exchange(text[:end], seconds=clock[0], error=Interrupted("stopped")))
    page_module.time = time  # type: ignore[attr-defined]
    assert stopped
