"""A conversation as folded, rendered turns; or its messages as they are sent."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...wire import Message
from ...wire.tool import Call
from ..text.excerpt import one_line, plain_line, short_line
from ..text.plain import plain
from .call_signature import call_line
from .reply import frame, passage_html, passages
from .result_blocks import json_html, text_html
from .steps import blocks_of, calls_in

_WORDS = 80  # characters of a turn that are seen while it is folded
_ROWS = 200
_ABOVE = "the reply above"
_MOST_BLOCKS = 100  # of a message
_MUCH = 1_000_000  # characters of HTML after which messages stay closed and empty

Row = tuple[Sequence[Mapping[str, Any]], str, Mapping[str, Any]]


def bundle(title: str, turns: Iterable[Row]) -> dict[str, str]:
    """The mime bundle of a conversation.

    Args:
        turns: Of each turn: its messages as the API's JSON, the model, the usage.
    """
    rows = list(turns)
    last_rows = list(enumerate(rows, 1))[-_ROWS:]
    earlier = f"<div>… {len(rows) - len(last_rows):,} earlier turns</div>" if len(last_rows) < len(rows) else ""
    inner = f"<div><strong>{html.escape(plain(title))}</strong></div>{earlier}" + "".join(
        _turn_html(number, row) for number, row in last_rows
    )
    text = [plain(title), *(f"{number:>4}  {_first_words(row[0])}" for number, row in last_rows)]
    return {"text/html": frame(inner, styled=True), "text/plain": "\n".join(text)}


def messages_bundle(
    messages: Sequence[Mapping[str, Any]], *, opened: bool = True, first: int = 0, replies_from: int | None = None
) -> dict[str, str]:
    """The mime bundle of messages as they are sent: role and blocks.

    Args:
        opened: Whether they are shown unfolded.
        first: The index of the first one that is shown; the earlier ones are shown elsewhere.
        replies_from: The index from which on the assistant's messages are shown as replies above, and here only named;
            `None` if none are.

    Returns:
        `{}` if all of them are shown elsewhere.
    """
    as_replies = len(messages) if replies_from is None else replies_from
    shown = list(enumerate(messages, 1))[first:]
    above = {number for number, each in shown if number > as_replies and each.get("role") == "assistant"}
    if replies_from is not None and len(above) == len(shown):
        return {}
    last_messages = shown[-_ROWS:]
    pieces, lines, size = list[str](), list[str](), 0
    for number, message in last_messages:
        line = f"{number} · assistant · {_ABOVE}" if number in above else _request_line(number, message)
        row = f'<div class="cm-none">{line}</div>' if number in above else ""
        pieces.append(row or _request_html(number, message, opened=opened, brief=size > _MUCH))
        lines.append(line)
        size += len(pieces[-1])
    if len(last_messages) < len(shown):
        earlier = f"… {len(shown) - len(last_messages):,} earlier messages"
        pieces.insert(0, f"<div>{earlier}</div>")
        lines.insert(0, earlier)
    return {"text/html": frame("".join(pieces), styled=True), "text/plain": "\n".join(lines)}


def _request_html(number: int, message: Mapping[str, Any], *, opened: bool, brief: bool) -> str:
    blocks = blocks_of(message)
    inner = "".join(_block_html(block) for block in blocks[:_MOST_BLOCKS])
    if len(blocks) > _MOST_BLOCKS:
        inner += f'<div class="cm-none">… {len(blocks) - _MOST_BLOCKS:,} more blocks</div>'
    title = _request_line(number, message)
    if opened and not brief:  # what it holds is seen
        title = " · ".join(title.split(" · ", 2)[:2])
    if brief:
        inner = '<div class="cm-none">not shown: there is too much in these messages</div>'
    return (
        f'<details class="cm-block cm-step mathjax_ignore tex2jax_ignore"{" open" * (opened and not brief)}>'
        f'<summary>{one_line(title)}</summary><div class="cm-folded">{inner}</div></details>'
    )


def _block_html(block: Mapping[str, Any]) -> str:
    caption = f'<div class="cm-caption">{one_line(str(block.get("type"))[:100], 60)}</div>'
    text = block.get("text")
    if set(block) == {"type", "text"} and isinstance(text, str):
        return caption + text_html(text)
    return caption + json_html(block)


def _request_line(number: int, message: Mapping[str, Any]) -> str:
    """Number, role, and a summary of the blocks."""
    parts = [_block_line(block) for block in blocks_of(message)[:6]]
    left = len(blocks_of(message)) - len(parts)
    role = plain_line(str(message.get("role"))[:60], 30)
    return f"{number} · {role} · {', '.join([*parts, *([f'… {left:,} more'] if left else [])])}"


def _block_line(block: Mapping[str, Any]) -> str:
    kind, text = short_line(str(block.get("type")), 40), block.get("text")
    if block.get("type") == "text" and isinstance(text, str):
        return short_line(text, _WORDS)
    if "input" in block:
        return f"{kind} {call_line(block.get('name'), block['input'], 60)}"
    return kind


def _turn_html(number: int, row: Row) -> str:
    messages, model, usage = row
    facts = f"{model} · {usage.get('output_tokens', 0)} out" if model else ""
    title = f"{number} · {_first_words(messages)}"
    calls = calls_in(messages)
    inner = "".join(
        f"<div><em>{html.escape(plain(str(message.get('role'))))}</em></div>{_message_html(message, calls)}"
        for message in messages
        if not _holds_only_results(message, calls)
    )
    return (
        f'<details class="cm-block"><summary>{html.escape(title)}</summary>'
        f'<div class="cm-folded">{inner}<div class="cm-summary">{html.escape(plain(facts))}</div></div></details>'
    )


def _message_html(message: Mapping[str, Any], calls: Sequence[Call]) -> str:
    body = {"content": blocks_of(message)}
    raw = message.get("role") != "assistant"  # what the reader wrote is shown as written
    return "".join(passage_html(passage, raw=raw) for passage in passages(Message(body=body), calls))


def _holds_only_results(message: Mapping[str, Any], calls: Sequence[Call]) -> bool:
    """Whether a message holds only results, which are shown in the steps of their calls."""
    blocks = blocks_of(message)
    known = {call.id for call in calls}
    return bool(blocks) and all(
        block.get("type") == "tool_result" and str(block.get("tool_use_id")) in known for block in blocks
    )


def _first_words(messages: Sequence[Mapping[str, Any]]) -> str:
    content = messages[0].get("content") if messages else ""
    text = content if isinstance(content, str) else Message(body={"content": list(content or ())}).text
    words = " ".join(plain(text).split())
    return words if len(words) <= _WORDS else words[:_WORDS] + "…"
