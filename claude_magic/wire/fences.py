"""What is taken out of a reply's text: its fenced code, or what stands between two tags.

Fences are CommonMark's, but a closing fence may stand further left than its list item: models write that.
Every line is looked at once, from left to right, so a hostile text costs no more than its length.
Source: https://spec.commonmark.org/0.31.2/#fenced-code-blocks
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import CellError

_LEFT = "It is in claude.last.text."
_DEEPEST = 100  # list items within list items
_INDENT = re.compile(r"[ \t]*")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)")
_OPENING = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_CLOSING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*$")
_LANGUAGE = re.compile(r"[^\s,:{}]+")
_ANY_TAG = re.compile(r"<([A-Za-z][\w.-]{0,40})(?=[\s/>])")
_ALIASES = {
    **dict.fromkeys(("py", "python3", "ipython", "ipython3", "py3"), "python"),
    **dict.fromkeys(("js", "node", "mjs"), "javascript"),
    **dict.fromkeys(("sh", "shell", "zsh", "console"), "bash"),
    **dict.fromkeys(("ts", "mts"), "typescript"),
    "yml": "yaml",
    "md": "markdown",
    "htm": "html",
}


@dataclass(frozen=True, kw_only=True)
class _Fence:
    """An opening fence: its marks, the column they begin at, and the language it names."""

    marks: str
    column: int
    language: str


def code(text: str, language: str = "") -> str:
    """The first fenced block of `text`, or the first in `language`; a last block that is not closed counts.

    Raises:
        CellError: There is none; it names the languages there are.
    """
    blocks = _blocks(text)
    for named, source in blocks:
        if not language or _known_as(named) == _known_as(language):
            return source
    known = ", ".join([named or "unnamed" for named in dict.fromkeys(named for named, _ in blocks)][:20]) or "none"
    wanted = f"no {language} code" if language else "no code"
    raise CellError(f"{wanted} in the reply: its blocks are {known}. {_LEFT}")


def tagged(text: str, name: str) -> str:
    """What stands in the first `<name>...</name>`, the same tag inside it balanced.

    An opening tag that is never closed, such as one the text only speaks of, is passed over.

    Raises:
        CellError: There is none; it names the tags there are.
    """
    marks = re.compile(rf"<(/?){re.escape(name)}(?:\s[^<>]*|/)?>")
    open_at: list[int] = []
    found: tuple[int, int] | None = None
    for mark in marks.finditer(text):
        if not mark[1] and not mark[0].endswith("/>"):
            open_at.append(mark.end())
        elif mark[1] and not open_at:
            continue
        else:
            begin = open_at.pop() if mark[1] else mark.end()
            if found is None or begin < found[0]:
                found = (begin, mark.start() if mark[1] else mark.end())
            if not open_at:
                break
    if found is not None:
        return re.sub(r"^\r?\n|\r?\n$", "", text[slice(*found)])
    if open_at:
        raise CellError(f"<{name}> in the reply is not closed: it may have been cut. {_LEFT}")
    known = ", ".join(list(dict.fromkeys(_ANY_TAG.findall(text)))[:20]) or "none"
    raise CellError(f"no <{name}>...</{name}> in the reply: its tags are {known}. {_LEFT}")


def _known_as(language: str) -> str:
    return _ALIASES.get(language.lower(), language.lower())


def _blocks(text: str) -> list[tuple[str, str]]:
    """Language and source of each fenced block."""
    blocks: list[tuple[str, str]] = []
    fence: _Fence | None = None
    lines: list[str] = []
    items: list[int] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if fence is None:
            fence, lines = _opened(line, items), []
        elif _closes(line, fence):
            blocks.append((fence.language, _dedented(lines, fence.column)))
            fence = None
        else:
            lines.append(line)
    if fence is not None and any(lines):
        if not lines[-1].strip().strip(fence.marks[0]):  # a last line end, or a closing fence that was cut
            del lines[-1]
        blocks.append((fence.language, _dedented(lines, fence.column)))
    return blocks


def _opened(line: str, items: list[int]) -> _Fence | None:
    """The fence that `line` opens.

    Args:
        items: Columns at which the content of the list items around this line begins; brought up to date.
    """
    if not line.strip():
        return None
    at, column = _after_indent(line, 0, 0)
    while items and items[-1] > column:
        items.pop()
    while column - (items[-1] if items else 0) <= 3 and len(items) < _DEEPEST:
        opening = _OPENING.match(line, at)
        if opening:
            named = _LANGUAGE.search(opening[2] or opening[4] or "")
            return _Fence(
                marks=opening[1] or opening[3], column=column, language=named[0].removeprefix(".") if named else ""
            )
        marker = _MARKER.match(line, at)
        if not marker:
            return None
        end = column + marker.end() - at
        at, column = _after_indent(line, marker.end(), end)
        items.append(column if column - end <= 4 else end + 1)
    return None


def _after_indent(line: str, at: int, column: int) -> tuple[int, int]:
    """Index and column of the first character from `at` on that is neither space nor tab."""
    for character in _INDENT.match(line, at)[0]:  # type: ignore[index]  # it always matches
        column += 1 if character == " " else 4 - column % 4
        at += 1
    return at, column


def _closes(line: str, fence: _Fence) -> bool:
    closing = _CLOSING.match(line)
    if not closing or not closing[1].startswith(fence.marks):
        return False
    return _after_indent(line, 0, 0)[1] <= fence.column + 3


def _dedented(lines: list[str], columns: int) -> str:
    """The lines, moved left by so many columns; by fewer if one stands further left, so that they stay aligned."""
    if columns:
        columns = min([columns, *(_after_indent(line, 0, 0)[1] for line in lines if line.strip())])
    return "\n".join(_without_indent(line, columns) for line in lines)


def _without_indent(line: str, columns: int) -> str:
    """`line` without at most so many columns of its indent."""
    column = 0
    for at, character in enumerate(line):
        if column >= columns or character not in " \t":
            return " " * max(0, column - columns) + line[at:]
        column += 1 if character == " " else 4 - column % 4
    return " " * max(0, column - columns)
