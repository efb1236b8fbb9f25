"""The output of a call of an endpoint: what it answered, and a line of facts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ...errors import Interrupted
from ...wire import Exchange
from ...wire.answer import BINARY, EMPTY, JSON, TEXT, Answer
from ...wire.short_text import size_text
from ..reply.reply import frame
from ..reply.summary import duration
from ..text.excerpt import one_line, plain_line, safe_content
from .item_table import item_table
from .json_tree import brief, tree_html, tree_text

_TEXT_SHOWN = 20_000  # characters
_PAGING = ("data", "has_more", "first_id", "last_id", "next_page")  # what says how a list goes on


def answer_bundle(exchange: Exchange, *, above: str = "", status: str = "") -> dict[str, str]:
    """The mime bundle of an exchange that has an `answer`, complete or not.

    Args:
        above: Safe HTML before it.
        status: A line under what has arrived so far; `""` for the facts of a finished exchange.
    """
    html, text = _body(exchange, is_failed=exchange.error is not None or bool(status))
    lines = [status] if status else [*_warnings(exchange), facts(exchange), *exchange.notes]
    kind = "cm-status" if status else "cm-summary"
    below = "".join(f'<div class="{kind}">{one_line(line, 1_000)}</div>' for line in lines)
    plain = "\n".join(filter(None, (text, *(plain_line(line, 1_000) for line in lines))))
    return {"text/html": frame(above + html + below, styled=True), "text/plain": plain}


def facts(exchange: Exchange) -> str:
    """Method and path · status · size · seconds · request-id, as far as they are known."""
    answer = exchange.answer
    known = (
        exchange.request.summary,
        "" if exchange.status is None else f"HTTP {exchange.status}",
        "" if answer is None or exchange.error else size_text(answer.size) if answer.size else "no content",
        duration(exchange),
        f"after {exchange.retries} retries" if exchange.retries > 1 else "after 1 retry" * exchange.retries,
        exchange.request_id or "",
        f"replayed, recorded {exchange.replayed[:10]}" if exchange.replayed else "",
    )
    return " · ".join(plain_line(fact, 300) for fact in known if fact)


def _warnings(exchange: Exchange) -> list[str]:
    if isinstance(exchange.error, Interrupted):
        return ["interrupted: it breaks off here."]
    came = exchange.answer is not None and (exchange.answer.count or exchange.answer.size)
    return ["incomplete: it breaks off here."] if exchange.error is not None and came else []


def _body(exchange: Exchange, *, is_failed: bool) -> tuple[str, str]:
    """HTML and text of what was answered."""
    answer = exchange.answer
    if answer is None or (answer.kind == EMPTY and is_failed):
        return "", ""
    if answer.path:
        said = f"written to {answer.path}"
        return f'<div class="cm-none">{one_line(said, 1_000)}</div>', plain_line(said, 1_000)
    items = answer.items
    if items is not None:
        return _list(answer, items, "" if exchange.earlier else _next_page(answer.value, exchange.request.url))
    if answer.kind == JSON:
        return tree_html(answer.value), tree_text(answer.value)
    if answer.kind == TEXT:
        text = str(answer.value)
        return f'<pre class="cm-json">{safe_content(text, _TEXT_SHOWN)}</pre>', tree_text(text)
    said = _of_bytes(answer)
    return f'<div class="cm-none">{one_line(said, 1_000)}</div>', plain_line(said, 1_000)


def _list(answer: Answer, items: list[Any], goes_on: str) -> tuple[str, str]:
    """A table, and what the answer says beside its list."""
    value = answer.value
    others = {name: item for name, item in value.items() if name not in _PAGING} if isinstance(value, dict) else {}
    note = " · ".join(filter(None, (goes_on, brief(others, 300) if others else "")))
    if not items:
        return f'<div class="cm-none">an empty list {one_line(note, 300)}</div>', f"an empty list {note}".strip()
    total = answer.count or len(items)
    bundle = item_table(items, total=total, note=note)
    return bundle["text/html"], bundle["text/plain"]


def _next_page(value: Any, url: str) -> str:
    """That the list goes on, and how; `""` if this is its end.

    Args:
        url: Of the request: whoever goes back with `before_id` goes on so.
    """
    if not isinstance(value, dict) or value.get("has_more") is False:
        return ""
    name, cursor = ("page", value["next_page"]) if value.get("next_page") else ("after_id", value.get("last_id"))
    if name == "after_id" and any(each == "before_id" for each, _ in parse_qsl(urlsplit(url).query)):
        name, cursor = "before_id", value.get("first_id")
    return f"the list goes on: --all, or --query {name} {cursor}" if isinstance(cursor, str) and cursor else ""


def _of_bytes(answer: Answer) -> str:
    if answer.kind == EMPTY:
        return "an empty answer"
    if answer.kind == BINARY:
        name = f", named {answer.filename!r} by the server" if answer.filename else ""
        kind = answer.media_type or "of no type"
        return (
            f"{size_text(answer.size)}, {kind}{name}: claude.last.answer.data holds them, -o path writes them to a file"
        )
    return f"{answer.count:,} lines, {size_text(answer.size)}"
