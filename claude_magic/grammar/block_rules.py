"""Rules for blocks that differ from the library's: fences, tables, formulas, HTML, and the depth of nesting.

Each is a rule of markdown-it-py: called with the state, the first line, the line after the last, and `silent`, to
find out only whether the block begins there.
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
_LINES_PER_LINE, _MAX_LINES = 10, 20_000  # read to find nested fences: per line of a text, and at most
_MAX_LINES_LEFT = 200  # lines after a list item in which its fence may be closed
_FENCE = re.compile(r"(`{3,})([^`\n]*)$|(~{3,})(.*)$")
_LANGUAGE = re.compile(r"[ \t]*\{?\.?[A-Za-z][\w+#.-]{0,30}\}?(?:[ \t,{].*)?$")
_HOLDS_FENCES = frozenset(("", "markdown", "md", "mdx", "rmd", "qmd", "rmarkdown"))
_LIST_ITEM = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_VERBATIM = re.compile(r"<(?:script|pre|style|textarea)\b|<!|<\?", re.I)


def line_budget(text: str) -> int:
    """How many lines may be read, in total, to find out whether fences are nested."""
    return min(_MAX_LINES, 1_000 + _LINES_PER_LINE * text.count("\n"))


def install(grammar: MarkdownIt, depth: int) -> None:
    """Replaces the library's rules.

    Args:
        depth: The maximum depth of nested blocks.
    """
    ruler = grammar.block.ruler
    starters = ["paragraph", "reference", "blockquote", "list"]
    ruler.at("table", _math)  # before all others; a header that is another block begins no table
    ruler.before("lheading", "rows", table, {"alt": ["paragraph", "reference"]})
    ruler.at("fence", fence, {"alt": starters})
    ruler.at("blockquote", _limit_depth(blockquote, depth), {"alt": starters})
    ruler.at("list", _limit_depth(list_block, depth), {"alt": starters[:3]})
    ruler.at("footnote_def", _limit_depth(footnote_def, depth), {"alt": starters[:2]})
    ruler.at("html_block", _html, {"alt": starters[:3]})


def _limit_depth(rule: Rule, depth: int) -> Rule:
    """`rule`, with a maximum depth; a deeper block is text."""

    def run(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < depth and rule(state, start, end, silent)

    return run


def line(state: StateBlock, number: int) -> str:
    """A line without its indentation."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _starts_with(state: StateBlock, number: int, letters: tuple[str, ...]) -> bool:
    return state.src.startswith(letters, state.bMarks[number] + state.tShift[number])


def fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of the grammar: code between fences."""
    opening = _opening(state, start)
    if opening is None or silent:
        return opening is not None
    marks, info = opening
    last, closed, nested = _fence_end(state, start, end, marks, info)
    indent = state.sCount[start]
    indents = [state.sCount[n] for n in range(start + 1, last) if not state.isEmpty(n)]
    state.line = last + closed
    token = state.push("fence", "code", 0)
    token.info, token.markup, token.map = info, marks, [start, state.line]
    token.content = state.getLines(start + 1, last, min([indent, *indents]), True)
    token.meta = {"closed": closed, "column": indent, "nested": nested}
    return True


def _opening(state: StateBlock, number: int) -> tuple[str, str] | None:
    """The marks and the info string of the fence that a line opens; `None` if it opens none."""
    if not _starts_with(state, number, ("`", "~")) or state.is_code_block(number):
        return None
    match = _FENCE.match(line(state, number))
    return (match[1] or match[3], match[2] or match[4] or "") if match else None


def _closes(state: StateBlock, number: int, marks: str) -> bool:
    """Whether a line closes the fence with these marks."""
    text = line(state, number).rstrip(" \t")
    return len(text) >= len(marks) and not text.strip(marks[0]) and not state.is_code_block(number)


def _fence_end(state: StateBlock, start: int, end: int, marks: str, info: str) -> tuple[int, bool, list[int]]:
    """The line after the code, whether a fence closes it there, and the lines of fences nested in it."""
    last, closed, end, may_nest = _plain_end(state, start, end, marks)
    is_markdown, growing = _language(info) in _HOLDS_FENCES, bool(state.env.get("growing"))
    bare = is_markdown and bool(info.strip())
    if may_nest or (bare and closed and _looks_like_start(state, last, end)):
        nested_end, inner = _nested_end(state, start, end, marks, bare=bare)
        if nested_end is None and inner and growing and is_markdown:
            return end, False, inner
        if (
            nested_end is not None
            and inner
            and ((growing and is_markdown) or _is_better(state, nested_end, last, closed, end, is_markdown))
        ):
            return nested_end, True, inner
    return last, closed, []


def _plain_end(state: StateBlock, start: int, end: int, marks: str) -> tuple[int, bool, int, bool]:
    """The end of a fence without nesting.

    Returns:
        The first line that closes it, or the end of the list item around it; whether a line closes it; the last
        possible end; whether fences may be nested in it.
    """
    may_nest, further = False, False
    for number in range(start + 1, end):
        if state.sCount[number] < state.blkIndent and not further and not state.isEmpty(number):
            closing = _closing_left_of_item(state, number, end, marks)
            if closing is None:
                return number, False, number, may_nest
            further, end = True, closing + 1
        if _starts_with(state, number, (marks[:3],)):
            if _closes(state, number, marks):
                return number, True, end, may_nest
            may_nest = True
    return end, False, end, may_nest


def _is_better(state: StateBlock, nested: int, plain: int, closed: bool, end: int, is_markdown: bool) -> bool:
    """Whether with nested fences every block is closed, and without nesting not.

    Args:
        nested: The end with nested fences.
        plain: The end without nesting; `closed` if a fence is there.
        is_markdown: Whether the block is of a kind that may contain fences; then nesting is also better if both
            readings are equally complete.
    """
    nested_complete = _is_closed_after(state, nested + 1, end)
    plain_complete = closed and _is_closed_after(state, plain + 1, end)
    return (nested_complete and (is_markdown or not plain_complete)) or (is_markdown and not plain_complete)


def _closing_left_of_item(state: StateBlock, start: int, end: int, marks: str) -> int | None:
    """The line that closes code which is indented less than its list item from `start` on; `None` for none."""
    for number in range(start, min(end, start + _MAX_LINES_LEFT)):
        text = line(state, number)
        if not _use_line(state) or state.sCount[number] < 0 or (number == start and _LIST_ITEM.match(text)):
            return None
        if text.startswith(marks):
            return number if _closes(state, number, marks) else None
    return None


def _nested_end(state: StateBlock, start: int, end: int, marks: str, *, bare: bool) -> tuple[int | None, list[int]]:
    """The line that closes a fence with nested ones, or `None`; and the lines of the nested ones.

    Args:
        bare: Whether a fence without a language may be a nested one.
    """
    stack, inner = [marks], list[int]()
    for number in range(start + 1, end):
        if not _use_line(state):
            return None, []
        opening = _opening(state, number)
        may_be_bare = bare and len(stack) == 1
        if opening and opening[0][0] == marks[0] and _is_nested_start(state, number, end, opening[1], may_be_bare):
            stack.append(opening[0])
        elif _closes(state, number, stack[-1]):
            stack.pop()
            if not stack:
                return number, inner
        if len(stack) > 1:
            inner.append(number)
    return None, inner


def _is_nested_start(state: StateBlock, number: int, end: int, info: str, bare: bool) -> bool:
    """Whether a fence within another begins code: by its language, or, if it may be bare, by the lines around it."""
    return bool(_LANGUAGE.match(info)) if info.strip() else bare and _looks_like_start(state, number, end)


def _looks_like_start(state: StateBlock, number: int, end: int) -> bool:
    """Whether a fence without a language begins code rather than ends it: a blank line before it and none after."""
    return number + 1 < end and state.isEmpty(number - 1) and not state.isEmpty(number + 1)


def _is_closed_after(state: StateBlock, start: int, end: int) -> bool:
    """Whether every fence from `start` on is closed."""
    marks = ""
    for number in range(start, end):
        if not _use_line(state):
            return True
        if marks:
            marks = "" if _closes(state, number, marks) else marks
        elif opening := _opening(state, number):
            marks = opening[0]
    return not marks


def _use_line(state: StateBlock) -> bool:
    """Counts a line that is read; returns whether more may be read."""
    state.env["line_budget"] -= 1
    return bool(state.env["line_budget"] > 0)


def _language(info: str) -> str:
    words = info.strip(" \t{}.").split()
    return words[0].lower() if words else ""


def _math(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A paragraph that begins with a formula of several lines, in which no other block begins."""
    if silent or not _starts_with(state, start, ("$", "\\")) or state.is_code_block(start):
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
    interrupts = any(rule(state, number, end, True) for rule in state.md.block.ruler.getRules("paragraph"))
    state.parentType = before
    return interrupts


def _html(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Raw HTML; a fence ends it, unless it is an element such as `<pre>`, whose content is never Markdown."""
    if not _starts_with(state, start, ("<",)):
        return False
    if not silent and not _VERBATIM.match(line(state, start)):
        numbers = range(start + 1, end)
        end = next((n for n in numbers if state.isEmpty(n) or _opening(state, n)), end)
    return html_block(state, start, end, silent)
