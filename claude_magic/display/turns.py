"""A conversation as the reader sees it: its turns, folded, safely rendered."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..wire import Message
from .plain import plain
from .reply import framed, passage_html, passages

_WORDS = 80  # characters of a turn that are seen while it is folded
_ROWS = 200

Row = tuple[Sequence[Mapping[str, Any]], str, Mapping[str, Any]]


def bundle(title: str, turns: Iterable[Row]) -> dict[str, str]:
    """The mime bundle of a conversation.

    Args:
        turns: Of each: its messages as the API's JSON, the model, the usage.
    """
    rows = list(turns)
    shown = list(enumerate(rows, 1))[-_ROWS:]
    earlier = f"<div>… {len(rows) - len(shown):,} earlier turns</div>" if len(shown) < len(rows) else ""
    inner = f"<div><strong>{html.escape(plain(title))}</strong></div>{earlier}" + "".join(
        _turn_html(number, row) for number, row in shown
    )
    text = [plain(title), *(f"{number:>4}  {_first_words(row[0])}" for number, row in shown)]
    return {"text/html": framed(inner, styled=True), "text/plain": "\n".join(text)}


def _turn_html(number: int, row: Row) -> str:
    messages, model, usage = row
    facts = f"{model} · {usage.get('output_tokens', 0)} out" if model else ""
    said = f"{number} · {_first_words(messages)}"
    inner = "".join(
        f"<div><em>{html.escape(plain(str(message.get('role'))))}</em></div>{_message_html(message)}"
        for message in messages
    )
    return (
        f'<details class="cm-block"><summary>{html.escape(said)}</summary>'
        f'<div class="cm-folded">{inner}<div class="cm-summary">{html.escape(plain(facts))}</div></div></details>'
    )


def _message_html(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    body = {"content": [block for block in blocks or () if isinstance(block, dict)]}
    raw = message.get("role") != "assistant"  # what the reader wrote is shown as written
    return "".join(passage_html(passage, raw=raw) for passage in passages(Message(body=body)))


def _first_words(messages: Sequence[Mapping[str, Any]]) -> str:
    content = messages[0].get("content") if messages else ""
    text = content if isinstance(content, str) else Message(body={"content": list(content or ())}).text
    words = " ".join(plain(text).split())
    return words if len(words) <= _WORDS else words[:_WORDS] + "…"
