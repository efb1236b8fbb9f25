"""Where links lead: the syntax of destinations, titles, labels and definitions.

Every pattern is bounded: no text makes one look further than a few thousand letters.
Source: https://spec.commonmark.org/0.31.2/#link-reference-definitions
"""

from __future__ import annotations

import re

LABEL = re.compile(r"\[((?:[^\\\[\]]|\\.){0,999})\]", re.S)
_GAP = r"[ \t]*\n?[ \t]*"
_TITLE = r""""(?:[^"\\]|\\.){0,999}"|'(?:[^'\\]|\\.){0,999}'|\((?:[^()\\]|\\.){0,999}\)"""
_ANGLE = re.compile(r"<((?:[^<>\n\\]|\\.){0,4000})>")
_TITLED = re.compile(rf"[ \t\n]+({_TITLE})", re.S)
_WHITE = re.compile(r"[ \t\n]*")
_DEFINITION = re.compile(rf"{LABEL.pattern}:{_GAP}", re.S)
_DEFINITION_TITLE = re.compile(rf"(?:[ \t]*\n[ \t]*|[ \t]+)({_TITLE})[ \t]*(?:\n|$)", re.S)
_LINE_END = re.compile(r"[ \t]*(?:\n|$)")
_NESTED = 32
References = dict[str, tuple[str, str]]
_LONGEST = 4000


def label(text: str) -> str:
    """`text` as labels are compared."""
    return " ".join(text.split()).casefold()


def destination(text: str, at: int) -> tuple[str, int] | None:
    """The address at `at` and where it ends; as written, with its escapes."""
    if text.startswith("<", at):
        angle = _ANGLE.match(text, at)
        return (angle[1], angle.end()) if angle else None
    depth, end, stop = 0, at, min(len(text), at + _LONGEST)
    while end < stop and text[end] > " ":
        letter = text[end]
        if letter == "\\" and end + 1 < len(text) and text[end + 1] > " ":
            end += 1
        elif letter == "(":
            depth += 1
            if depth > _NESTED:
                return None
        elif letter == ")":
            if not depth:
                break
            depth -= 1
        end += 1
    return (text[at:end], end) if not depth else None


def inline_link(text: str, at: int) -> tuple[str, str, int] | None:
    """Address, title and end of the link whose `(` is at `at`."""
    found = destination(text, _after_white(text, at + 1))
    if not found:
        return None
    url, end = found
    titled = _TITLED.match(text, end)
    title = ""
    if titled:
        title, end = titled[1][1:-1], titled.end()
    end = _after_white(text, end)
    return (url, title, end + 1) if text.startswith(")", end) else None


def _after_white(text: str, at: int) -> int:
    white = _WHITE.match(text, at)
    return white.end() if white else at


def without_definitions(text: str, references: References) -> str:
    """What follows the link definitions at the head of a paragraph; they are put into `references`."""
    at = 0
    while text.startswith("[", at):
        found = _definition(text, at)
        if not found:
            break
        name, url, title, at = found
        references.setdefault(name, (url, title))
    return text[at:]


def _definition(text: str, at: int) -> tuple[str, str, str, int] | None:
    begun = _DEFINITION.match(text, at)
    if not begun or not begun[1].strip():
        return None
    found = destination(text, begun.end())
    if not found or (not found[0] and not text.startswith("<", begun.end())):
        return None
    url, end = found
    titled = _DEFINITION_TITLE.match(text, end)
    if titled:
        return label(begun[1]), url, titled[1][1:-1], titled.end()
    ended = _LINE_END.match(text, end)
    return (label(begun[1]), url, "", ended.end()) if ended else None
