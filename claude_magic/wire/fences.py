"""What is taken out of a reply's text: its fenced code, or what stands between two tags."""

from __future__ import annotations

import re

from ..errors import CellError

_OPENING = re.compile(r"^([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}|~{3,})[ \t]*([^\s`]*)[^`\n]*$")
_ALIASES = {"py": "python", "python3": "python", "js": "javascript", "sh": "bash", "shell": "bash", "ts": "typescript"}


def code(text: str, language: str = "") -> str:
    """The first fenced block of `text`, or the first in `language`; a last block that is not closed counts.

    Raises:
        CellError: There is none; it names the languages there are.
    """
    blocks = _blocks(text)
    for named, source in blocks:
        if not language or _plain_name(named) == _plain_name(language):
            return source
    known = ", ".join(dict.fromkeys(named or "unnamed" for named, _ in blocks)) or "none"
    wanted = f"no {language} code" if language else "no code"
    raise CellError(f"{wanted} in the reply: its blocks are {known}. The reply is in claude.last.text.")


def tagged(text: str, name: str) -> str:
    """What stands in the first `<name>...</name>`, the same tag inside it balanced.

    Raises:
        CellError: There is none; it names the tags there are.
    """
    marks = re.compile(rf"<(/?){re.escape(name)}(?:\s[^<>]*)?>")
    depth, begin = 0, 0
    for mark in marks.finditer(text):
        if not mark[1]:
            begin = mark.end() if depth == 0 else begin
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                return text[begin : mark.start()].removeprefix("\n").removesuffix("\n")
    known = ", ".join(dict.fromkeys(re.findall(r"<([A-Za-z][\w.-]*)", text)[:20])) or "none"
    raise CellError(f"no <{name}>...</{name}> in the reply: its tags are {known}. The reply is in claude.last.text.")


def _plain_name(language: str) -> str:
    return _ALIASES.get(language.lower(), language.lower())


def _blocks(text: str) -> list[tuple[str, str]]:
    """Language and source of each fenced block."""
    blocks: list[tuple[str, str]] = []
    opened: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if opened is None:
            opened, lines = _OPENING.match(line), []
        elif _closes(line, opened[2]):
            blocks.append((opened[3], _dedented(lines, len(opened[1]))))
            opened = None
        else:
            lines.append(line)
    if opened is not None and lines:
        blocks.append((opened[3], _dedented(lines, len(opened[1]))))
    return blocks


def _closes(line: str, fence: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and set(stripped) == {fence[0]}


def _dedented(lines: list[str], indent: int) -> str:
    return "\n".join(line[min(indent, len(line) - len(line.lstrip())) :] for line in lines)
