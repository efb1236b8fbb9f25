"""The reply as it stands in the notebook: one output, HTML from the safe renderer beside the source text.

The API cuts one sentence into several text blocks where citations stand; they are joined before rendering.
What is not text is folded: thinking, tool calls, and every block this version does not know, as JSON.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from ..wire import Block, Exchange, Message, sound
from .excerpt import pretty, safe_content
from .page_style import PAGE_STYLE
from .plain import plain
from .summary import facts, warnings

_JSON_LIMIT = 20_000


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A stretch of the reply that is shown in one way.

    Attributes:
        kind: `text`, `thinking`, or `json` for everything else.
        source: Markdown of a text, the thoughts, or the JSON of a block; may be `""` for thoughts not told.
        title: What a folded passage says while it is closed.
    """

    kind: str
    source: str
    title: str = ""


def passages(message: Message) -> list[Passage]:
    """The message in its order; adjoining text blocks as one, empty text left out."""
    found: list[Passage] = []
    texts: list[str] = []
    for block in message.content:
        text = block.get("text")
        if block.get("type") == "text" and isinstance(text, str):
            texts.append(text)
            continue
        found += _text(texts)
        texts = []
        found.append(_folded(block))
    return found + _text(texts)


def reply_bundle(
    exchange: Exchange, *, raw: bool = False, instead_of: str = "", above: str = "", body: str | None = None
) -> dict[str, str]:
    """The mime bundle of the finished reply, whole, interrupted or broken off; `{}` if nothing of it came.

    Args:
        raw: Show the source text instead of rendering it.
        above: Safe HTML that stands before the reply, such as what was attached.
        body: Safe HTML in the place of the texts; `None` to render them.
        instead_of: Names the live displays to hide while the panel has not taken their place.
    """
    found = passages(exchange.joined)
    if not found and exchange.error is not None:
        return {}
    texts = [passage.source for passage in found if passage.kind == "text"]
    inner = above + "".join(passage_html(p, raw=raw) for p in found if body is None or p.kind != "text") + (body or "")
    if not texts:
        inner += '<p class="cm-none">This reply has no text.</p>'
    if instead_of:
        inner = f"<style>.cm-live-{instead_of}{{display:none}}</style>{inner}"
    return {
        "text/html": framed(inner + _summary_html(exchange), styled=True),
        "text/plain": plain("\n\n".join(texts)) or "(this reply has no text)",
    }


def framed(inner: str, *, styled: bool, live: str = "") -> str:
    """`inner` in the element that our style applies to.

    Args:
        styled: With that style, once in a cell.
        live: Names what is shown only until the finished reply hides it.
    """
    from .markdown import STYLE

    style = f"<style>{STYLE}{PAGE_STYLE}</style>" if styled else ""
    return f'<div class="cm-reply{f" cm-live-{live}" if live else ""}">{style}{inner}</div>'


def passage_html(passage: Passage, *, raw: bool = False) -> str:
    """A passage, safe to show."""
    if passage.kind == "text":
        return source_html(passage.source, raw=raw)
    if passage.kind == "json":
        inner = f'<pre class="cm-json">{safe_content(passage.source, 2 * _JSON_LIMIT)}</pre>'
        return _details("cm-block", passage.title, inner)
    if not passage.source.strip():
        return f'<div class="cm-untold">{html.escape(passage.title)}</div>'
    return _details("cm-thinking", passage.title, source_html(passage.source, raw=raw))


def source_html(source: str, *, raw: bool) -> str:
    """Markdown, rendered; or as it was written, if `raw`."""
    from .markdown import preformatted, rendered

    return preformatted(source) if raw else rendered(source)


def _text(texts: Sequence[str]) -> list[Passage]:
    source = sound("".join(texts))
    return [Passage(kind="text", source=source)] if source.strip() else []


def _folded(block: Block) -> Passage:
    kind = block.get("type")
    thoughts = block.get("thinking")
    if kind == "thinking" and isinstance(thoughts, str):
        title = "thinking" if thoughts.strip() else "thinking (not told by this model)"
        return Passage(kind="thinking", source=thoughts, title=title)
    if kind == "redacted_thinking":
        return Passage(kind="thinking", source="", title="thinking (withheld by the API)")
    names = (block.get(name) for name in ("type", "name"))
    title = " · ".join(name[:100] for name in names if isinstance(name, str))
    return Passage(kind="json", source=pretty(block, _JSON_LIMIT), title=title or "block")


def _details(css_class: str, title: str, inner: str) -> str:
    summary = f"<summary>{html.escape(' '.join(plain(title).split()))}</summary>"
    return f'<details class="{css_class}">{summary}<div class="cm-folded">{inner}</div></details>'


def _summary_html(exchange: Exchange) -> str:
    warned = (f'<div class="cm-warning">{html.escape(warning)}</div>' for warning in warnings(exchange))
    lines = (facts(exchange), *(plain(note) for note in exchange.notes))
    said = (f'<div class="cm-summary">{html.escape(line)}</div>' for line in lines)
    return "".join((*warned, *said))
