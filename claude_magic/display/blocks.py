"""Growing Markdown, cut into finished slices and a tail, so that each slice is rendered once.

A slice ends where the reader would not see it: between top-level blocks. Where a block is too long for that
(a fence, a list, a table, one line without spaces) it ends inside, and what was open there is closed and
opened again; link and footnote definitions do not reach over a cut. The whole text is rendered at the end.
The cost of a call depends on the text after the last cut only.
Source: https://spec.commonmark.org/0.31.2/#fenced-code-blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CLEAN, SOFT, LINE, ANYWHERE = 1.0, 1.5, 2.0, 2.5
"""How many times the wanted size a slice must have before it may end there."""

_FENCE = re.compile(r"(?P<lead>(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)]))*[ \t]*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:\s|$)")
_RULE_OF_TABLE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CODE_SPAN = re.compile(r"(`+)[^`]+\1")
_LINE_SCANNED = 1_000
_LONGEST_OPENER = 500
_KNOWN_ENOUGH = 12


@dataclass(frozen=True, kw_only=True)
class Open:
    """A block that goes on: how to end it early, and how to begin it again.

    Attributes:
        kind: `fence`, `math` or `table`.
        indent: How far the lines of a fence are indented by the list it stands in.
    """

    kind: str
    opener: str
    closer: str
    indent: int = 0


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A stretch of the text.

    Attributes:
        end: Where it ends in the whole text.
        raw: Exactly as it stands there.
        source: The same as Markdown that stands by itself.
        opened: What goes on after it.
    """

    end: int
    raw: str
    source: str
    opened: Open | None


@dataclass(frozen=True, kw_only=True)
class _Boundary:
    """The start of a line, and what it means to cut there."""

    at: int
    factor: float
    opened: Open | None


def first_slice(text: str, start: int, size: int, opened: Open | None = None) -> Slice | None:
    """The slice of `text` that begins at `start` and is finished; `None` if there is none yet.

    Args:
        size: Wanted, in characters; a slice is at most two and a half times as long.
        opened: What the slice before it left open.
    """
    longest = start + int(size * ANYWHERE)
    last = opened
    for boundary in _boundaries(text, start, opened):
        if boundary.at > longest:
            break
        if boundary.at - start >= size * boundary.factor:
            return _slice(text, start, boundary.at, opened, boundary.opened)
        last = boundary.opened
    if len(text) <= longest:
        return None
    return _slice(text, start, _space_before(text, start + size, longest), opened, last)


def tail(text: str, start: int, opened: Open | None = None) -> Slice:
    """What stands after the last finished slice, as if it ended there."""
    still = opened
    for boundary in _boundaries(text, start, opened):
        still = boundary.opened
    return _slice(text, start, len(text), opened, still)


def _slice(text: str, start: int, end: int, opened: Open | None, still: Open | None) -> Slice:
    raw = text[start:end]
    source = _resumed(raw, opened) if opened else raw
    if still is not None and still.closer:
        source += ("" if source.endswith("\n") else "\n") + still.closer
    return Slice(end=end, raw=raw, source=source, opened=still)


def _resumed(raw: str, opened: Open) -> str:
    """`raw` with what it goes on with begun again, at the left margin."""
    if not opened.indent:
        return opened.opener + raw
    lines: list[str] = []
    rest = raw.splitlines(keepends=True)
    for number, line in enumerate(rest):
        spaces = len(line) - len(line.lstrip(" \t"))
        lines.append(line[min(spaces, opened.indent) :])
        if _closes(opened, line):
            return opened.opener + "".join(lines + rest[number + 1 :])
    return opened.opener + "".join(lines)


def _space_before(text: str, least: int, most: int) -> int:
    found = max(text.rfind(" ", least, most), text.rfind("\n", least, most))
    return found + 1 if found >= 0 else most


def _boundaries(text: str, start: int, opened: Open | None) -> Iterator[_Boundary]:
    """Every line start after the first, and last the end of the text, with what is open there."""
    in_list, before, position = False, "", start
    while position < len(text):
        end = text.find("\n", position) + 1
        complete = end > 0
        line = text[position : (end or len(text))][:_LINE_SCANNED].rstrip("\r\n")
        if position > start and line.strip() and (complete or len(line.strip()) >= _KNOWN_ENOUGH):
            factor = _factor(line, before, opened, in_list)
            yield _Boundary(at=position, factor=factor, opened=_cut_open(line, opened))
        in_list = in_list if opened else _in_list(line, before, in_list)
        opened = _after(line, before, opened, in_list)
        before, position = line, end or len(text)
    yield _Boundary(at=len(text), factor=float("inf"), opened=opened)


def _factor(line: str, before: str, opened: Open | None, in_list: bool) -> float:
    """How long a slice must be to end before `line`."""
    opened = _cut_open(line, opened)
    if opened is not None:
        return LINE if opened.kind == "math" or _closes(opened, line) else SOFT
    indented = line[0] in " \t"
    if not before.strip() and not indented and not (in_list and _ITEM.match(line)):
        return CLEAN
    return SOFT if in_list and not indented and _ITEM.match(line) else LINE


def _cut_open(line: str, opened: Open | None) -> Open | None:
    """What is open right before `line`: a quote's fence and a table end by what is not theirs."""
    if opened is None:
        return None
    if opened.kind == "table" and "|" not in line:
        return None
    if opened.kind == "fence" and opened.opener.startswith(">") and not line.lstrip().startswith(">"):
        return None
    return opened


def _in_list(line: str, before: str, in_list: bool) -> bool:
    if not line.strip():
        return in_list
    if _ITEM.match(line.lstrip()):
        return True
    lazy = before.strip() and not line.startswith(("#", "```", "~~~"))
    return in_list and (line[0] in " \t" or bool(lazy))


def _after(line: str, before: str, opened: Open | None, in_list: bool) -> Open | None:
    """What is open after `line`."""
    opened = _cut_open(line, opened)
    if opened is not None and opened.kind != "math":
        return None if _closes(opened, line) else opened
    if opened is None and (fence := _fence(line, in_list)):
        return fence
    if opened is None and "|" in before and "|" in line and _RULE_OF_TABLE.match(line):
        header = f"{before}\n{line}\n"
        return Open(kind="table", opener=header if len(header) <= _LONGEST_OPENER else "", closer="")
    return _math(line, opened)


def _fence(line: str, in_list: bool) -> Open | None:
    found = _FENCE.match(line)
    if found is None or (not in_list and re.match(r" {4}|\t", line)):
        return None
    lead, fence = found["lead"], found["fence"][:_LONGEST_OPENER]
    info = found["info"] if len(found["info"]) <= _LONGEST_OPENER else ""
    quote = "> " * lead.count(">")
    return Open(
        kind="fence",
        opener=f"{quote}{fence}{info}\n",
        closer=f"{quote}{fence}",
        indent=0 if quote else len(lead.expandtabs(4)),
    )


def _closes(opened: Open, line: str) -> bool:
    if opened.kind == "table":
        return not line.strip()
    fence = opened.closer.lstrip("> ")
    bare = line.lstrip(" \t>").rstrip()
    return opened.kind == "fence" and len(bare) >= len(fence) and not bare.strip(fence[0])


def _math(line: str, opened: Open | None) -> Open | None:
    """Display mathematics, which no blank line and no code holds."""
    if not line.strip():
        return None
    bare = _CODE_SPAN.sub("", line)
    if opened is None:
        if bare.count("$$") % 2:
            return Open(kind="math", opener="$$\n", closer="$$")
        if bare.rfind("\\[") > bare.rfind("\\]"):
            return Open(kind="math", opener="\\[\n", closer="\\]")
        return None
    ends = bare.count("$$") % 2 if opened.closer == "$$" else bare.rfind("\\]") > bare.rfind("\\[")
    return None if ends else opened
