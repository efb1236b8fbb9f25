"""The differences between two exchanges: field by field in the request, line by line in the reply.

All text is untrusted and may be long: it passes `excerpt` before it is compared, so that a key is redacted before it
could be cut in two, and the number of lines and words that are compared is bounded.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from ...wire import Exchange
from ...wire.headers import is_credential_name
from ..text.excerpt import one_line, plain_line, pretty, safe_content
from .line_diff import Line, equal_ends, is_same, omission, unified_diff

_LONGEST = 200_000  # characters of a text that are compared
_MOST_FIELDS = 200
_SHORT = 80  # characters of a value that is shown in one line
_NOTHING = "nothing changed"
_NONE_TO_COMPARE = "nothing to compare: fewer than two replies came."
_TITLE = 120  # characters of the name of a reply
_NEW_EACH_TIME = ("id", "tool_use_id", "signature")
_STYLE = (
    "<style>.cm-diff{font-size:var(--jp-ui-font-size1,13px);line-height:1.5}"
    ".cm-diff h4{margin:.6em 0 .2em;font-size:inherit;font-weight:600}"
    ".cm-diff .cm-field{margin:.3em 0 .1em}"
    ".cm-diff pre{margin:0;padding:0;white-space:pre-wrap;overflow-wrap:anywhere;background:none;color:inherit;"
    "font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:var(--jp-code-font-size,13px);"
    "max-height:32em;overflow:auto}.cm-diff pre>span{display:block;padding-left:1.2em;text-indent:-1.2em}"
    ".cm-diff :is(del,ins){color:inherit;border-radius:2px}"
    ".cm-diff :is(.cm-removed,.cm-added) :is(del,ins){text-decoration:none}"
    ".cm-diff .cm-removed{background:rgba(229,57,53,.13)}.cm-diff .cm-added{background:rgba(67,160,71,.15)}"
    ".cm-diff del{background:rgba(229,57,53,.3)}.cm-diff ins{background:rgba(67,160,71,.32);"
    "text-decoration:none}.cm-diff .cm-omitted{opacity:.6}</style>"
)


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A field that changed.

    Attributes:
        group: `request` or `reply`.
    """

    group: str
    name: str
    lines: Sequence[Line]


def diff_bundle(before: Exchange, after: Exchange) -> dict[str, str]:
    """The mime bundle of what changed from one exchange to another."""
    changes = [
        *_changes("request", _comparable_request(before), _comparable_request(after)),
        *_changes("reply", _comparable_response(before), _comparable_response(after)),
    ]
    if not changes:
        return {"text/html": f"<div>{_NOTHING}</div>", "text/plain": _NOTHING}
    return {"text/html": _html(changes), "text/plain": _text(changes)}


def differences_bundle(replies: Sequence[tuple[str, Exchange]]) -> dict[str, str]:
    """The mime bundle of what differs between the first of several replies that did not fail and each of the others.

    Args:
        replies: What each is called, and its exchange.
    """
    whole = [(name, exchange) for name, exchange in replies if exchange.error is None]
    pieces: list[dict[str, str]] = []
    for name, exchange in whole[1:]:
        title = f"{plain_line(name, _TITLE)} against {plain_line(whole[0][0], _TITLE)}"
        bundle = diff_bundle(whole[0][1], exchange)
        head = f'<div class="mathjax_ignore"><strong>{html.escape(title)}</strong></div>'
        pieces.append({"text/html": head + bundle["text/html"], "text/plain": f"{title}\n{bundle['text/plain']}"})
    if not pieces:
        return {"text/html": f"<div>{_NONE_TO_COMPARE}</div>", "text/plain": _NONE_TO_COMPARE}
    return {
        "text/html": "".join(piece["text/html"] for piece in pieces),
        "text/plain": "\n\n".join(piece["text/plain"] for piece in pieces),
    }


def _changes(group: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[_Change]:
    names = [name for name in dict.fromkeys([*before, *after]) if not is_same(before.get(name), after.get(name))]
    for name in names[:_MOST_FIELDS]:
        if name == "messages":
            yield from _message_changes(group, before.get(name), after.get(name))
        else:
            yield _change(group, name, before.get(name), after.get(name))
    if len(names) > _MOST_FIELDS:
        yield _Change(group=group, name="", lines=[omission(f"{len(names) - _MOST_FIELDS:,} more fields changed")])


def _message_changes(group: str, before: object, after: object) -> Iterator[_Change]:
    """The changed messages: those between the equal ones at both ends, compared in pairs."""
    old, new = _list(before), _list(after)
    begin, end = equal_ends(old, new)
    removed, added = old[begin : len(old) - end], new[begin : len(new) - end]
    pairs = list(zip_longest(removed, added))
    for number, (was, now) in enumerate(pairs[:_MOST_FIELDS], begin + 1):
        name = " → ".join(dict.fromkeys(_role(message) for message in (was, now) if message is not None))
        how = "gone" if now is None else "new" if was is None else ""
        yield _change(
            group, f"message {number}, {name}{f', {how}' if how else ''}", _text_or_content(was), _text_or_content(now)
        )
    if len(pairs) > _MOST_FIELDS:
        yield _Change(group=group, name="", lines=[omission(f"{len(pairs) - _MOST_FIELDS:,} more messages changed")])


def _change(group: str, name: str, before: object, after: object) -> _Change:
    old, new = _readable(before), _readable(after)
    lines = unified_diff(_lines(old), _lines(new)) if old != new else []
    hidden = [omission("changed in a part that is not shown")]
    return _Change(group=group, name=name, lines=lines or hidden)


def _comparable_request(exchange: Exchange) -> dict[str, Any]:
    """The fields of the request without credentials: URL, body, headers."""
    request = exchange.request
    headers = {
        f"header {name.lower()}": value for name, value in request.headers.items() if not is_credential_name(name)
    }
    return {"url": f"{request.method} {request.endpoint}", **(request.body or {}), **headers}


def _comparable_response(exchange: Exchange) -> dict[str, Any]:
    """The fields of the response without tokens, times and ids, which always differ."""
    message = exchange.joined_message
    others = [block for block in message.content if block.get("type") != "text"]
    thoughts = [str(block.get("thinking", "")) for block in others if block.get("type") == "thinking"]
    blocks = [
        {name: value for name, value in block.items() if name not in _NEW_EACH_TIME}
        for block in others
        if block.get("type") not in ("thinking", "redacted_thinking")
    ]
    return {
        "model": message.model,
        "thinking": "\n\n".join(filter(None, thoughts)) or None,
        "text": message.text or None,
        "blocks": blocks or None,
        "stop reason": message.stop_reason,
        "error": None if exchange.error is None else f"{type(exchange.error).__name__}: {exchange.error}",
    }


def _text_or_content(message: object) -> object:
    """The text of a message that has only text; otherwise its content."""
    if not isinstance(message, Mapping) or set(message) - {"role", "content"}:
        return message
    content = message.get("content")
    blocks = _list(content)
    if blocks and all(_is_plain(block) for block in blocks):
        return "\n\n".join(block["text"] for block in blocks)
    return content


def _is_plain(block: object) -> bool:
    return isinstance(block, Mapping) and set(block) == {"type", "text"} and isinstance(block["text"], str)


def _readable(value: object) -> str:
    """`value` as text without control characters and keys, of bounded size; `""` for `None`."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else pretty(value, _LONGEST)
    return html.unescape(safe_content(text, _LONGEST))  # compared as shown; escaped again on output


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _role(message: object) -> str:
    role = message.get("role") if isinstance(message, Mapping) else None
    return plain_line(role, 40) if isinstance(role, str) else "unknown"


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _html(changes: Sequence[_Change]) -> str:
    pieces, group = [], ""
    for change in changes:
        pieces.append(f"<h4>{change.group}</h4>" if change.group != group else "")
        group = change.group
        pieces.append(_field_html(change))
    return f'<div class="cm-diff mathjax_ignore">{_STYLE}{"".join(pieces)}</div>'


def _field_html(change: _Change) -> str:
    name = one_line(change.name, 120)
    short = _short(change.lines)
    if short is not None:
        was, now = (html.escape(text) for text in short)
        both = " → ".join(filter(None, (f"<del>{was}</del>" if was else "", f"<ins>{now}</ins>" if now else "")))
        return f'<div class="cm-field">{name}: {both}</div>'
    return f'<div class="cm-field">{name}</div><pre>{"".join(map(_line_html, change.lines))}</pre>'


def _line_html(line: Line) -> str:
    tag = {"-": "del", "+": "ins"}.get(line.sign, "")
    css = {"-": "cm-removed", "+": "cm-added", "…": "cm-omitted"}.get(line.sign, "")
    words = (
        f"<{tag}>{html.escape(text)}</{tag}>" if changed and tag else html.escape(text) for text, changed in line.words
    )
    return f'<span class="{css}">{line.sign} {"".join(words)}</span>'


def _short(lines: Sequence[Line]) -> tuple[str, str] | None:
    """The old and the new text, if each is at most one short line; else `None`."""
    texts = {line.sign: line.text for line in lines}
    if len(texts) != len(lines) or set(texts) - {"-", "+"} or any(len(text) > _SHORT for text in texts.values()):
        return None
    return texts.get("-", ""), texts.get("+", "")


def _text(changes: Sequence[_Change]) -> str:
    lines, group = list[str](), ""
    for change in changes:
        lines += [change.group] if change.group != group else []
        group = change.group
        name, short = plain_line(change.name, 120), _short(change.lines)
        if short is not None:
            lines.append(f"  {name}: {' → '.join(text or 'none' for text in short)}")
            continue
        lines.append(f"  {name}:")
        lines += [f"    {line.sign} {line.text}" for line in change.lines]
    return "\n".join(lines)
