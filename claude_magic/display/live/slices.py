"""Growing Markdown, cut into finished slices and a tail, so that each slice is rendered once.

A slice ends where the reader would not see it: between top-level blocks, as the one grammar finds them. Where a block
is too long for that (a fence, a list, a table, one line without spaces) it ends inside, and what was open there is
closed and opened again; link and footnote definitions do not reach over a cut. The whole text is rendered at the end.
The cost of a call depends on the text after the last cut only, of which the two and a half slices that may be cut are
read, and only for their blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .unfinished import completed

if TYPE_CHECKING:
    from ...grammar import Token

CLEAN, SOFT, LINE, ANYWHERE = 1.0, 1.5, 2.0, 2.5
"""How many times the wanted size a slice must have before it may end there."""

_CODE_SPAN = re.compile(r"(`+)[^`]+\1")
_LONGEST_OPENER = 500
_LINE_SCANNED = 1_000
_KNOWN_ENOUGH = 12  # characters of an unfinished line that tell what it will be


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


@dataclass(kw_only=True)
class _Line:
    """What it means to cut before a line."""

    factor: float = LINE
    opened: Open | None = None


def first_slice(text: str, start: int, size: int, opened: Open | None = None) -> Slice | None:
    """The slice of `text` that begins at `start` and is finished; `None` if there is none yet.

    Args:
        size: Wanted, in characters; a slice is at most two and a half times as long.
        opened: What the slice before it left open.
    """
    if len(text) - start < size:
        return None
    longest, at, last = int(size * ANYWHERE), 0, opened
    raw = text[start : start + longest + 1]
    for line, cut in zip(raw.split("\n"), _cuts(raw, opened), strict=False):
        complete = at + len(line) < len(raw)
        if at and line.strip() and (complete or len(line.strip()) >= _KNOWN_ENOUGH):
            if size * cut.factor <= at <= longest:
                return _slice(text, start, start + at, opened, cut.opened)
            last = cut.opened
        at += len(line) + 1
    if len(text) - start <= longest:
        return None
    return _slice(text, start, _space_before(text, start + size, start + longest), opened, last)


def tail(text: str, start: int, opened: Open | None = None, *, growing: bool = False) -> Slice:
    """What stands after the last finished slice, as if it ended there.

    Args:
        growing: Whether the text may continue: then what is open in its last paragraph is closed, too.
    """
    rest = _slice(text, start, len(text), opened, _cuts(text[start:], opened)[-1].opened)
    if not growing or (rest.opened is not None and rest.opened.closer):
        return rest
    return replace(rest, source=completed(rest.source))


def _slice(text: str, start: int, end: int, opened: Open | None, still: Open | None) -> Slice:
    raw = text[start:end]
    source = _resume(raw, opened)
    if still is not None and still.closer:
        source += ("" if source.endswith("\n") else "\n") + still.closer
    return Slice(end=end, raw=raw, source=source, opened=still)


def _resume(raw: str, opened: Open | None) -> str:
    """`raw` with what it goes on with begun again, at the left margin."""
    if opened is None or not opened.indent:
        return (opened.opener if opened else "") + raw
    lines: list[str] = []
    rest = raw.split("\n")
    for number, line in enumerate(rest):
        spaces = len(line) - len(line.lstrip(" \t"))
        lines.append(line[min(spaces, opened.indent) :])
        bare = line.strip()
        if len(bare) >= len(opened.closer) and not bare.strip(opened.closer[0]):
            lines += rest[number + 1 :]
            break
    return opened.opener + "\n".join(lines)


def _space_before(text: str, least: int, most: int) -> int:
    position = max(text.rfind(" ", least, most), text.rfind("\n", least, most))
    return position + 1 if position >= 0 else most


class _Cuts(list[_Line]):
    """What it means to cut before each line of a text, and last after all of it."""

    def __init__(self, lines: list[str], shift: int) -> None:
        super().__init__(_Line() for _ in range(len(lines) - shift + 1))
        self.lines, self._shift = lines, shift

    def mark(self, first: int, last: int, factor: float, opened: Open | None) -> None:
        """What is open before the lines from `first` to `last`; of those that the text does not have, nothing."""
        for line in self[max(0, first - self._shift) : max(0, last + 1 - self._shift)]:
            line.factor, line.opened = factor, opened

    def begins(self, number: int) -> None:
        """A block begins with this line."""
        if number > self._shift:
            clean = not self.lines[number - 1].strip() and self.lines[number][:1] not in (" ", "\t")
            self[number - self._shift].factor = CLEAN if clean else SOFT

    def reach(self, last: int, *, blank: bool) -> int:
        """The end of the text, if a block ends with it; else the last line at which it is still open.

        Args:
            blank: The block goes on over blank lines.
        """
        rest = self.lines[last:]
        ends = not any(line.strip() for line in rest) and (blank or len(rest) < 2)
        return len(self.lines) if ends else last - 1


def _cuts(raw: str, opened: Open | None) -> _Cuts:
    from ...grammar import blocks

    source = _resume(raw.replace("\r\n", " \n"), opened)
    cuts = _Cuts(source.split("\n"), opened.opener.count("\n") if opened else 0)
    quotes = 0
    for token in blocks(source, growing=True):
        quotes += token.nesting if token.type.startswith("blockquote") else 0
        if token.map is None:
            continue
        first, last = token.map
        if token.level == 0 and token.nesting >= 0:
            cuts.begins(first)
        if token.type == "fence":
            _cut_fence(cuts, token, quotes, opened if opened and first == 0 else None)
        elif token.type == "table_open":
            header = "".join(f"{line}\n" for line in cuts.lines[first : first + 2])
            table = Open(kind="table", opener=header if len(header) <= _LONGEST_OPENER else "", closer="")
            cuts.mark(first + 2, cuts.reach(last, blank=False), SOFT, table)
        elif token.type == "list_item_open" and token.level == 1:
            cuts.mark(first, first, SOFT, None)
        elif token.type == "inline":
            _cut_math(cuts, first, last)
    return cuts


def _cut_fence(cuts: _Cuts, token: Token, quotes: int, resumed: Open | None) -> None:
    first, last = token.map or (0, 0)
    quote, marks = "> " * quotes, token.markup[:_LONGEST_OPENER]
    info = token.info if len(token.info) <= _LONGEST_OPENER else ""
    indent = 0 if quote else token.meta["column"]
    fence = resumed or Open(kind="fence", opener=f"{quote}{marks}{info}\n", closer=f"{quote}{marks}", indent=indent)
    end = last - 1 if token.meta["closed"] else cuts.reach(last, blank=not quote)
    cuts.mark(first + 1, end, SOFT, fence)
    if token.meta["closed"]:
        cuts.mark(end, end, LINE, fence)
    for number in token.meta["nested"]:
        cuts.mark(number + 1, number + 1, ANYWHERE, fence)


def _cut_math(cuts: _Cuts, first: int, last: int) -> None:
    """Mark where display mathematics is open, which no code holds."""
    opened: Open | None = None
    for number in range(first, last):
        opened = _math(cuts.lines[number], opened)
        if opened and (number + 1 < last or cuts.reach(last, blank=False) > last - 1):
            cuts.mark(number + 1, len(cuts.lines) if number + 1 == last else number + 1, LINE, opened)


def _math(line: str, opened: Open | None) -> Open | None:
    bare = _CODE_SPAN.sub("", line[:_LINE_SCANNED])
    if opened is None:
        if bare.count("$$") % 2:
            return Open(kind="math", opener="$$\n", closer="$$")
        if bare.rfind("\\[") > bare.rfind("\\]"):
            return Open(kind="math", opener="\\[\n", closer="\\]")
        return None
    ends = bare.count("$$") % 2 if opened.closer == "$$" else bare.rfind("\\]") > bare.rfind("\\[")
    return None if ends else opened
