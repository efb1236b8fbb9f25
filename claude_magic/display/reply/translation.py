"""What a text completion was translated into, shown above the reply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..text.excerpt import one_line, short_line
from .result_blocks import text_html

_WORDS = 80  # characters of a message on its line
_ROWS = 200


def translation_html(system: str | None, messages: Sequence[Mapping[str, Any]]) -> str:
    """A folded list of the system prompt and the messages, safe to show."""
    rows = list(_rows(system, messages))
    inner = "".join(f'<div class="cm-caption">{one_line(role)}</div>{text_html(text)}' for role, text in rows[:_ROWS])
    more = f'<div class="cm-none">… {len(rows) - _ROWS:,} more</div>' if len(rows) > _ROWS else ""
    return (
        '<details class="cm-block cm-step cm-translation mathjax_ignore tex2jax_ignore">'
        f'<summary>The completion as messages</summary><div class="cm-folded">{inner}{more}</div></details>'
    )


def translation_text(system: str | None, messages: Sequence[Mapping[str, Any]]) -> str:
    """The same for a terminal, a line each."""
    return "\n".join(f"  {role}: {short_line(text, _WORDS)}" for role, text in list(_rows(system, messages))[:_ROWS])


def _rows(system: str | None, messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    if system is not None:
        yield "system", system
    for message in messages:
        yield str(message["role"]), _text(message["content"])


def _text(content: object) -> str:
    """The text of a message; of an attachment only its kind."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(
        str(block["text"]) if block.get("type") == "text" else f"[{block.get('type')}]" for block in blocks
    )
