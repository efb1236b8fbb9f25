r"""Tables: a header, a delimiter row, and rows. No cell is dropped, and code with a pipe in it is one cell.

Source: https://github.github.com/gfm/#tables-extension-
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_NOT_A_RULE = re.compile(r"-+|-[ \t].*")  # the underline of a heading, or a list item
_STOP = re.compile(r"\\.|`+|\|")
_MAX_EMPTY_CELLS = 20_000  # to add: a wide header with many short rows would have a quadratic size
Cell = tuple[int, str]
"""The position of a cell in its row, and its text."""


def table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of the grammar: a table, as the library reads it, but with other rules for cells."""
    if check := state.env.get("check"):
        check()
    head = _head(state, start, end)
    if head is None or silent:
        return head is not None
    cells, aligns = head
    table_open = state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _push_row(state, start, "th", cells, aligns)
    state.push("thead_close", "thead", -1)
    last = _push_body(state, start + 2, end, aligns)
    state.push("table_close", "table", -1)
    table_open.map = [start, last]
    state.line = last
    return True


def _head(state: StateBlock, start: int, end: int) -> tuple[list[Cell], list[str]] | None:
    """The cells of the header and the alignment of their columns; `None` if no table begins here."""
    if start + 2 > end or state.is_code_block(start) or state.is_code_block(start + 1):
        return None
    if state.sCount[start + 1] < state.blkIndent or state.isEmpty(start + 1):
        return None
    rule = _line(state, start + 1).rstrip()
    if rule[0] not in "|:-" or _NOT_A_RULE.fullmatch(rule) or not _RULE.fullmatch(rule):
        return None
    aligns = [_alignment(text.strip()) for _, text in _split(rule, whole=False)]
    cells = _cells(_line(state, start), len(aligns))
    return (cells, aligns) if len(cells) == len(aligns) else None


def _push_body(state: StateBlock, start: int, end: int, aligns: list[str]) -> int:
    """Adds the rows; returns the line after them."""
    number, missing = start, 0
    before, state.parentType = state.parentType, "table"
    terminators = state.md.block.ruler.getRules("blockquote")
    while number < end and not state.isEmpty(number):
        if state.sCount[number] < state.blkIndent or state.is_code_block(number):
            break
        if any(rule(state, number, end, True) for rule in terminators):
            break
        cells = _cells(_line(state, number), len(aligns))
        if not cells:  # a pipe alone
            break
        if number == start:
            state.push("tbody_open", "tbody", 1)
        missing += max(0, len(aligns) - len(cells))
        if missing < _MAX_EMPTY_CELLS:
            cells += [(0, "")] * (len(aligns) - len(cells))
        _push_row(state, number, "td", cells, aligns)
        number += 1
    if number > start:
        state.push("tbody_close", "tbody", -1)
    state.parentType = before
    return number


def _push_row(state: StateBlock, number: int, tag: str, cells: list[Cell], aligns: list[str]) -> None:
    state.push("tr_open", "tr", 1).map = [number, number + 1]
    first = state.bMarks[number] + state.tShift[number]
    first -= state.src.rfind("\n", 0, first) + 1
    for column, (start, text) in enumerate(cells):
        align = aligns[column] if column < len(aligns) else ""
        state.push(f"{tag}_open", tag, 1).attrs = {"style": f"text-align:{align}"} if align else {}
        token = state.push("inline", "", 0)
        token.content = text.strip(" \t").replace(r"\|", "|")
        token.map, token.children, token.meta = [number, number + 1], [], {"cell": (first + start, text)}
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _alignment(rule: str) -> str:
    left, right = rule.startswith(":"), rule.endswith(":")
    return "center" if left and right else "left" if left else "right" if right else ""


def _cells(row: str, columns: int) -> list[Cell]:
    """The cells of a row: code is not split, unless only splitting it gives the right number of cells."""
    whole = _split(row, whole=True)
    if len(whole) == columns or "`" not in row:
        return whole
    split = _split(row, whole=False)
    return split if len(split) == columns else whole


def _split(row: str, *, whole: bool) -> list[Cell]:
    r"""The texts between the pipes; `\|` does not separate.

    Args:
        whole: Whether pipes in code do not separate either.
    """
    row = row.rstrip(" \t")
    ends = _code_ends(row) if whole else {}
    cells, start, at = list[Cell](), int(row.startswith("|")), int(row.startswith("|"))
    while stop := _STOP.search(row, at):
        at = stop.end()
        if stop[0] == "|":
            cells.append((start, row[start : stop.start()]))
            start = at
        elif stop[0][0] == "`":
            at = ends.get(stop.start(), at)
    if row[start:].strip():
        cells.append((start, row[start:]))
    return cells


def _code_ends(row: str) -> dict[int, int]:
    """By the start of each run of backticks that a later run of the same length closes, the end of that run."""
    ends: dict[int, int] = {}
    later: dict[int, int] = {}
    for run in reversed(list(re.finditer("`+", row))):
        length = run.end() - run.start()
        if length in later:
            ends[run.start()] = later[length]
        later[length] = run.end()
    return ends
