"""Blocks that are read in our way: fences, tables, mathematics, tags, and how deep blocks may nest.

Each is a rule of markdown-it-py: called with the state, the first line, the line after the last, and `silent`, which
only asks whether the block begins there.
Source: https://markdown-it-py.readthedocs.io/en/latest/architecture.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, html_block, list_block
from mdit_py_plugins.footnote.index import footnote_def

from .formula import display_end
from .tables import table

Rule = Callable[[StateBlock, int, int, bool], bool]
_LINES, _MOST_LINES = 10, 20_000  # looked at for each line of a text, and at most
_FURTHER = 200  # lines after its item in which a fence may be closed
_FENCE = re.compile(r"(`{3,})([^`\n]*)$|(~{3,})(.*)$")
_LANGUAGE = re.compile(r"[ \t]*\{?\.?[A-Za-z][\w+#.-]{0,30}\}?(?:[ \t,{].*)?$")
_HOLDS_FENCES = frozenset(("", "markdown", "md", "mdx", "rmd", "qmd", "rmarkdown"))
_LIST_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_VERBATIM = re.compile(r"<(?:script|pre|style|textarea)\b|<!|<\?", re.I)


def patience(text: str) -> int:
    """How many lines may be looked at, in all, to find out whether fences nest."""
    return min(_MOST_LINES, 1_000 + _LINES * text.count("\n"))


def install(grammar: MarkdownIt, depth: int) -> None:
    """Put our rules in the place of the library's.

    Args:
        depth: How deep blocks may nest.
    """
    ruler = grammar.block.ruler
    starters = ["paragraph", "reference", "blockquote", "list"]
    ruler.at("table", _math)  # before all others; a header that is another block begins no table
    ruler.before("lheading", "rows", table, {"alt": ["paragraph", "reference"]})
    ruler.at("fence", fence, {"alt": starters})
    ruler.at("blockquote", _bounded(blockquote, depth), {"alt": starters})
    ruler.at("list", _bounded(list_block, depth), {"alt": starters[:3]})
    ruler.at("footnote_def", _bounded(footnote_def, depth), {"alt": starters[:2]})
    ruler.at("html_block", _tags, {"alt": starters[:3]})


def _bounded(rule: Rule, depth: int) -> Rule:
    """`rule`, that does not begin a block too deep: what looks like one is text."""

    def run(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < depth and rule(state, start, end, silent)

    return run


def line(state: StateBlock, number: int) -> str:
    """A line, without its indent."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _starts(state: StateBlock, number: int, letters: tuple[str, ...]) -> bool:
    return state.src.startswith(letters, state.bMarks[number] + state.tShift[number])


def fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Code between fences."""
    opened = _opening(state, start)
    if opened is None or silent:
        return opened is not None
    marks, info = opened
    last, closed, nested = _fence_end(state, start, end, marks, info)
    indent = state.sCount[start]
    filled = [state.sCount[n] for n in range(start + 1, last) if not state.isEmpty(n)]
    state.line = last + closed
    token = state.push("fence", "code", 0)
    token.info, token.markup, token.map = info, marks, [start, state.line]
    token.content = state.getLines(start + 1, last, min([indent, *filled]), True)
    token.meta = {"closed": closed, "column": indent, "nested": nested}
    return True


def _opening(state: StateBlock, number: int) -> tuple[str, str] | None:
    """Marks and info of the fence that a line opens."""
    if not _starts(state, number, ("`", "~")) or state.is_code_block(number):
        return None
    found = _FENCE.match(line(state, number))
    return (found[1] or found[3], found[2] or found[4] or "") if found else None


def _closes(state: StateBlock, number: int, marks: str) -> bool:
    """Whether a line ends a fence."""
    text = line(state, number).rstrip(" \t")
    return len(text) >= len(marks) and not text.strip(marks[0]) and not state.is_code_block(number)


def _fence_end(state: StateBlock, start: int, end: int, marks: str, info: str) -> tuple[int, bool, list[int]]:
    """The line after the code, whether a fence closes it there, and the lines of fences nested in it."""
    last, closed, end, may_nest = _plain_end(state, start, end, marks)
    natural, growing = _language(info) in _HOLDS_FENCES, bool(state.env.get("growing"))
    bare = natural and bool(info.strip())
    if may_nest or (bare and closed and _looks_like_start(state, last, end)):
        found, inner = _nested_end(state, start, end, marks, bare=bare)
        if found is None and inner and growing and natural:
            return end, False, inner
        if (
            found is not None
            and inner
            and ((growing and natural) or _is_better(state, found, last, closed, end, natural))
        ):
            return found, True, inner
    return last, closed, []


def _plain_end(state: StateBlock, start: int, end: int, marks: str) -> tuple[int, bool, int, bool]:
    """The first line that ends a fence, or else the end of the item around it; how far it may go; may others nest?"""
    may_nest, further = False, False
    for number in range(start + 1, end):
        if state.sCount[number] < state.blkIndent and not further and not state.isEmpty(number):
            closing = _closing_further_left(state, number, end, marks)
            if closing is None:
                return number, False, number, may_nest
            further, end = True, closing + 1
        if _starts(state, number, (marks[:3],)):
            if _closes(state, number, marks):
                return number, True, end, may_nest
            may_nest = True
    return end, False, end, may_nest


def _is_better(state: StateBlock, nested: int, plain: int, closed: bool, end: int, natural: bool) -> bool:
    """Whether the reading in which fences nest leaves every block closed, and the plain one does not.

    Args:
        natural: The block is of a kind that holds fences; then it is enough if neither leaves more open.
    """
    whole = _is_closed_after(state, nested + 1, end)
    plainly = closed and _is_closed_after(state, plain + 1, end)
    return (whole and (natural or not plainly)) or (natural and not plainly)


def _closing_further_left(state: StateBlock, start: int, end: int, marks: str) -> int | None:
    """The fence that closes code which left its list item at `start`."""
    for number in range(start, min(end, start + _FURTHER)):
        text = line(state, number)
        if not _spend(state) or state.sCount[number] < 0 or (number == start and _LIST_ITEM.match(text)):
            return None
        if text.startswith(marks):
            return number if _closes(state, number, marks) else None
    return None


def _nested_end(state: StateBlock, start: int, end: int, marks: str, *, bare: bool) -> tuple[int | None, list[int]]:
    """The line that ends a fence in which others stand, `None` if none does; and the lines of the others.

    Args:
        bare: One without a language may be one of the others, too.
    """
    stack, inner = [marks], list[int]()
    for number in range(start + 1, end):
        if not _spend(state):
            return None, []
        opened = _opening(state, number)
        if opened and opened[0][0] == marks[0] and _begins(state, number, end, opened[1], bare and len(stack) == 1):
            stack.append(opened[0])
        elif _closes(state, number, stack[-1]):
            stack.pop()
            if not stack:
                return number, inner
        if len(stack) > 1:
            inner.append(number)
    return None, inner


def _begins(state: StateBlock, number: int, end: int, info: str, bare: bool) -> bool:
    """Whether a fence within another begins code: by its language, or, if it may be bare, by where it stands."""
    return bool(_LANGUAGE.match(info)) if info.strip() else bare and _looks_like_start(state, number, end)


def _looks_like_start(state: StateBlock, number: int, end: int) -> bool:
    """Whether a bare fence begins code rather than ends it: a blank line before it and none after."""
    return number + 1 < end and state.isEmpty(number - 1) and not state.isEmpty(number + 1)


def _is_closed_after(state: StateBlock, start: int, end: int) -> bool:
    """Whether every fence from `start` on is closed."""
    marks = ""
    for number in range(start, end):
        if not _spend(state):
            return True
        if marks:
            marks = "" if _closes(state, number, marks) else marks
        elif opened := _opening(state, number):
            marks = opened[0]
    return not marks


def _spend(state: StateBlock) -> bool:
    state.env["patience"] -= 1
    return bool(state.env["patience"] > 0)


def _language(info: str) -> str:
    words = info.strip(" \t{}.").split()
    return words[0].lower() if words else ""


def _math(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A paragraph that begins with display mathematics of several lines: nothing in these is another block."""
    if silent or not _starts(state, start, ("$", "\\")) or state.is_code_block(start):
        return False
    lines = (line(state, n) for n in range(start, end) if state.sCount[n] >= state.blkIndent)
    count = display_end(lines, growing=bool(state.env.get("growing")))
    if not count:
        return False
    number = start + count
    while number < end and not state.isEmpty(number) and not _interrupts(state, number, end):
        number += 1
    state.line = number
    state.push("paragraph_open", "p", 1).map = [start, number]
    token = state.push("inline", "", 0)
    token.content = state.getLines(start, number, state.blkIndent, False).strip()
    token.map, token.children = [start, number], []
    state.push("paragraph_close", "p", -1)
    return True


def _interrupts(state: StateBlock, number: int, end: int) -> bool:
    """Whether a line ends the paragraph before it."""
    if state.sCount[number] - state.blkIndent > 3 or state.sCount[number] < 0:
        return False
    before, state.parentType = state.parentType, "paragraph"
    found = any(rule(state, number, end, True) for rule in state.md.block.ruler.getRules("paragraph"))
    state.parentType = before
    return found


def _tags(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Raw HTML; a fence ends it, unless it is of the kind whose inside is never Markdown."""
    if not _starts(state, start, ("<",)):
        return False
    if not silent and not _VERBATIM.match(line(state, start)):
        numbers = range(start + 1, end)
        end = next((n for n in numbers if state.isEmpty(n) or _opening(state, n)), end)
    return html_block(state, start, end, silent)
