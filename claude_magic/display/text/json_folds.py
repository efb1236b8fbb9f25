"""Indented JSON whose inner objects and lists fold: `<details>`, which need no script and answer to the keyboard.

The text of the element stays the JSON: it can be selected, searched and copied, whatever is folded. What is cut out of
its middle may hold the end of an object; the elements are closed in any case.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field

_OPEN_LINES = (10_000, 200, 30)  # the most lines that are open at first, by depth; deeper ones at most `_OPEN_DEEP`
_OPEN_DEEP = 8
_DEEPEST = 60

STYLE = """
pre.cm-fold { padding-left: 1.5em }
pre details { padding: 0; border: 0 }
pre summary { padding: 0; list-style-position: outside }
pre details:not([open]) > summary::after { content: "…" }
"""
"""The rules for a `pre` of the class `cm-fold`, within an element that has its own."""


@dataclass(kw_only=True)
class _Fold:
    """An object or a list whose end has not come yet.

    Attributes:
        indent: Of its first and its last line.
        head: Its first line.
        lines: HTML of what is in it.
        count: How many lines that are, those of what is folded in it too.
    """

    indent: int
    head: str
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def html(self, depth: int, last: str = "") -> str:
        """HTML of all of it; `last` is its last line."""
        if depth == 0:  # all of it
            return f"{self.head}\n{''.join(self.lines)}{last}"
        most = _OPEN_LINES[depth] if depth < len(_OPEN_LINES) else _OPEN_DEEP
        is_open = " open" if self.count <= most else ""
        return f"<details{is_open}><summary>{self.head}\n</summary>{''.join(self.lines)}{last}</details>"


def folds(text: str) -> str:
    """HTML of indented JSON, safe inside a `pre` element of the class `cm-fold`: its text is `text`.

    Args:
        text: An item a line, as `excerpt.pretty` writes it; a part of it may be cut out.
    """
    top = _Fold(indent=-1, head="")
    stack = [top]
    lines = text.split("\n")
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        written = html.escape(line, quote=False)
        end = "\n" if number < len(lines) - 1 else ""
        for fold in stack:
            fold.count += 1
        if line[indent : indent + 1] in ("}", "]"):
            while len(stack) > 1 and stack[-1].indent > indent:
                _close(stack)
            if len(stack) > 1 and stack[-1].indent == indent:
                _close(stack, written + end)
                continue
        if end and line[-1:] in ("{", "[") and len(stack) < _DEEPEST:
            stack.append(_Fold(indent=indent, head=written))
        else:
            stack[-1].lines.append(written + end)
    while len(stack) > 1:
        _close(stack)
    return "".join(top.lines)


def _close(stack: list[_Fold], last: str = "") -> None:
    fold = stack.pop()
    stack[-1].lines.append(fold.html(len(stack) - 1, last))
