"""A prompt that a model wrote, shown: its messages, the values of its variables, and the exchange that brought it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...wire import Exchange
from ..panel.panel import static_panel
from ..text.excerpt import line_content, short_line
from ..text.plain import plain
from .reply import reply_bundle
from .result_blocks import text_html
from .summary import summary

_ROWS = 100
_WORDS = 200


def draft_bundle(
    exchange: Exchange, messages: Sequence[tuple[str, str]], values: Mapping[str, str], notes: Sequence[str]
) -> dict[str, str]:
    """The mime bundle of a draft.

    Args:
        messages: Role (or `system`) and text of each.
        values: What each variable stands for, by name; `""` where that is open.
    """
    exchange = replace(exchange, notes=(*exchange.notes, *notes))
    shown = [*values.items()][:_ROWS]
    body = "".join(f'<div class="cm-caption">{line_content(role)}</div>{text_html(text)}' for role, text in messages)
    if shown:
        rows = "".join(f"<li>{_value_html(name, value)}</li>" for name, value in shown)
        body += f'<div class="cm-caption">variables</div><ul class="cm-results">{rows}</ul>'
    bundle = reply_bundle(exchange, body=body)
    text = [plain(text) if len(messages) == 1 else f"{role}: {plain(text)}" for role, text in messages]
    lines = [f"  {short_line(name, 60)} = {short_line(value, _WORDS) or '?'}" for name, value in shown]
    return {
        "text/html": bundle["text/html"] + static_panel(exchange),
        "text/plain": "\n".join([*text, *lines, "", summary(exchange)]),
    }


def _value_html(name: str, value: str) -> str:
    said = line_content(short_line(value, _WORDS)) if value else '<span class="cm-none">to be assigned</span>'
    return f"<code>{line_content(short_line(name, 60))}</code> {said}"
