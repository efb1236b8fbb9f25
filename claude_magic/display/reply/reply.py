"""The finished reply in a notebook: one output, HTML from the safe renderer and the source as text.

The API splits a sentence into several text blocks at its citations; they are joined before rendering, with a mark at
the end of each cited block. A call is a closed step with its result inside. Other content is folded: thinking, and
unknown blocks as JSON.
"""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...wire import Block, Exchange, Message, fix_surrogates
from ...wire.tool import Call
from ..text.excerpt import pretty, safe_content
from ..text.plain import plain
from .sources import Citations, Source, citations, sources_html, sources_lines, titles
from .step_html import IGNORED, step_html
from .steps import ASKS, Step, call_step, is_result, unpaired_result, with_call, with_result
from .style import live_style, style
from .summary import facts, low_limits_warning, warnings

_ID = re.compile(r"[\w-]{6,}")  # no part of an escaped character
_JSON_LIMIT = 20_000
_MOST_STEPS = 400  # that are shown
_MUCH = 1_000_000  # characters of HTML after which only the lines of steps are shown
_TOO_MUCH = "not shown: there is too much in this reply"


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A part of the reply that is shown in one way.

    Attributes:
        kind: `text`, `thinking`, `step`, or `json` for everything else.
        source: The Markdown of a text, the thinking (may be `""`), or the JSON of a block.
        title: The line of a folded passage.
        step: The call and its result; `None` for another kind.
        places: Of each citation mark in a text: its position and its number.
    """

    kind: str
    source: str
    title: str = ""
    step: Step | None = None
    places: tuple[tuple[int, int], ...] = ()


def passages(message: Message, calls: Sequence[Call] = ()) -> list[Passage]:
    """The passages of a message, in order: adjacent text blocks joined, empty text left out, results in their steps."""
    known = {call.id: call for call in calls}
    result: list[Passage] = []
    steps: dict[str, int] = {}  # the index of the passage, by the id of its call
    texts: list[tuple[str, list[int]]] = []
    sources = Citations()
    for block in message.content:
        text = block.get("text")
        if block.get("type") == "text" and isinstance(text, str):
            texts.append((text, sources.numbers(block)))
            continue
        place = steps.get(str(block.get("tool_use_id"))) if is_result(block) else None
        if place is not None and (step := result[place].step) is not None:
            result[place] = replace(result[place], step=with_result(step, block))
            continue
        result += _text(texts)
        texts = []
        result.append(_fold(block, known))
        if block.get("type") in ASKS and (step := result[-1].step) is not None:
            steps[step.id] = len(result) - 1
    return result + _text(texts)


def reply_bundle(
    exchange: Exchange,
    *,
    raw: bool = False,
    instead_of: str = "",
    above: str = "",
    body: str | None = None,
    name: str = "",
    styled: bool = True,
) -> dict[str, str]:
    """The mime bundle of the finished reply, complete or not; `{}` if nothing of it came.

    Args:
        raw: Show the source text instead of rendering it.
        above: Safe HTML before the reply, such as the attachments.
        body: Safe HTML instead of the texts; `None` to render them.
        instead_of: The name of the live displays to hide until the panel replaces them.
        name: The prefix of element ids, unique in the notebook; `""` for a new one.
        styled: Whether to include the style; once in a cell is enough.
    """
    if exchange.answer is not None:
        from ..answers.bundle import answer_bundle

        return answer_bundle(exchange, above=above)
    parts = passages(exchange.joined_message, exchange.calls)
    if not parts and exchange.error is not None:
        return {}
    name = name or uuid.uuid4().hex[:12]
    sources = citations(exchange.joined_message.content).sources
    texts = any(passage.kind == "text" for passage in parts)
    inner = above + _passages_html(parts, raw, body is None, name, sources) + (body or "")
    if not texts and not any(passage.step for passage in parts):
        inner += '<p class="cm-none">This reply has no text.</p>'
    if instead_of:
        inner = f"<style>.cm-live-{instead_of}{{display:none}}</style>{inner}"
    below = sources_html(sources, f"cm-{name}-source-") if texts and body is None else ""
    return {
        "text/html": frame(inner + below + _summary_html(exchange), styled=styled),
        "text/plain": _plain_text(parts, sources),
    }


def with_bracketed_marks(passage: Passage) -> str:
    """A text with its marks as `[1]`; it may hold control characters."""
    pieces, end = list[str](), 0
    for at, number in passage.places:
        pieces += [passage.source[end:at], f"[{number}]"]
        end = at
    return "".join((*pieces, passage.source[end:]))


def frame(inner: str, *, styled: bool, live: str = "") -> str:
    """HTML in the element that our style applies to.

    Args:
        styled: Whether to include the style; once in a cell is enough.
        live: A name by which the finished reply hides it; `""` for none.
    """
    head = "" if not styled else live_style() if live else style(inner)
    return f'<div class="cm-reply{f" cm-live-{live}" if live else ""}">{head}{inner}</div>'


def passage_html(passage: Passage, *, raw: bool = False, brief: str = "") -> str:
    """HTML of a passage, safe to show.

    Args:
        brief: Why a step is shown without its content; `""` to show it.
    """
    if passage.kind == "text":
        return source_html(passage.source, raw=raw)
    if passage.step is not None:
        return step_html(passage.step, brief=brief)
    if passage.kind == "json":
        inner = f'<pre class="cm-json">{safe_content(passage.source, 2 * _JSON_LIMIT)}</pre>'
        return _details("cm-block", passage.title, inner)
    if not passage.source.strip():
        return f'<div class="cm-empty">{html.escape(passage.title)}</div>'
    return _details("cm-thinking", passage.title, source_html(passage.source, raw=raw))


def source_html(source: str, *, raw: bool) -> str:
    """Rendered Markdown, or the source itself if `raw`."""
    from ..markdown import preformat, render

    return preformat(source) if raw else render(source)


def _passages_html(parts: list[Passage], raw: bool, texts: bool, name: str, sources: Sequence[Source]) -> str:
    """HTML of the passages; beyond a size, steps have no content."""
    from ..markdown import Sources, preformat, render

    cites = Sources(prefix=f"cm-{name}-source-", titles=titles(sources))
    pieces, steps, size = list[str](), 0, 0
    for number, passage in enumerate(parts):
        if passage.kind == "text" and texts:
            prefix = f"{name}-{number}"
            rendered = render(passage.source, prefix, places=passage.places, sources=cites) if not raw else ""
            pieces.append(rendered or preformat(with_bracketed_marks(passage)))
        elif passage.kind != "text" and steps < _MOST_STEPS:
            pieces.append(passage_html(passage, raw=raw, brief=_TOO_MUCH if size > _MUCH else ""))
            steps, size = steps + (passage.step is not None), size + len(pieces[-1])
    left = sum(passage.step is not None for passage in parts) - steps
    return "".join(pieces) + (f'<div class="cm-none">… {left:,} more steps not shown</div>' if left else "")


def _plain_text(parts: list[Passage], sources: Sequence[Source]) -> str:
    """The texts with their marks, the steps as indented lines, the sources."""
    pieces, steps = list[str](), 0
    for passage in parts:
        if passage.kind == "text":
            pieces.append(plain(with_bracketed_marks(passage)))
        elif passage.step is not None and steps < _MOST_STEPS:
            pieces.append("\n".join(passage.step.lines))
            steps += 1
    if sources:
        pieces.append("\n".join(sources_lines(sources)))
    return "\n\n".join(pieces) or "(this reply has no text)"


def _text(texts: Sequence[tuple[str, list[int]]]) -> list[Passage]:
    """One passage of adjacent texts, with a mark after the last word of each cited one."""
    places, size, words = list[tuple[int, int]](), 0, 0
    for text, numbers in ((fix_surrogates(text), numbers) for text, numbers in texts):
        words = size + len(bare) if (bare := text.rstrip()) else words
        size += len(text)
        places += [(words, number) for number in numbers]
    source = fix_surrogates("".join(text for text, _ in texts))
    return [Passage(kind="text", source=source, places=tuple(places))] if source.strip() else []


def _fold(block: Block, known: dict[str, Call]) -> Passage:
    kind = block.get("type")
    thoughts = block.get("thinking")
    if kind == "thinking" and isinstance(thoughts, str):
        title = "thinking" if thoughts.strip() else "thinking (not shown by this model)"
        return Passage(kind="thinking", source=thoughts, title=title)
    if kind == "redacted_thinking":
        return Passage(kind="thinking", source="", title="thinking (withheld by the API)")
    if kind in ASKS or is_result(block):
        step = unpaired_result(block) if is_result(block) else call_step(block)
        step = with_call(step, known.get(step.id)) if kind == "tool_use" else step
        return Passage(kind="step", source=pretty(step.arguments, _JSON_LIMIT), step=step)
    names = (block.get(name) for name in ("type", "name"))
    title = " · ".join(name[:100] for name in names if isinstance(name, str))
    return Passage(kind="json", source=pretty(block, _JSON_LIMIT), title=title or "block")


def _details(css_class: str, title: str, inner: str) -> str:
    summary = f'<summary class="{IGNORED}">{html.escape(" ".join(plain(title).split()))}</summary>'
    return f'<details class="{css_class}">{summary}<div class="cm-folded">{inner}</div></details>'


def _summary_html(exchange: Exchange) -> str:
    warned = (f'<div class="cm-warning">{html.escape(warning)}</div>' for warning in warnings(exchange))
    lines = (facts_html(exchange), *(html.escape(plain(note)) for note in exchange.notes))
    known = (f'<div class="cm-summary">{line}</div>' for line in lines)
    return "".join((*warned, *known))


def facts_html(exchange: Exchange) -> str:
    """The line of facts, its request-id in an element, which a page may give a copy button."""
    line, low = html.escape(facts(exchange)), html.escape(low_limits_warning(exchange))
    line = line.replace(low, f"<strong>{low}</strong>", 1) if low else line
    if not _ID.fullmatch(exchange.request_id or ""):
        return line
    before, found, after = line.rpartition(str(exchange.request_id))
    return f'{before}<span class="cm-id">{found}</span>{after}' if found else line
