r"""Tables: a header, a rule, and rows. No cell is dropped, and code with a pipe in it is one cell.

Source: https://github.github.com/gfm/#tables-extension-
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_OTHER = re.compile(r"-+|-[ \t].*")  # the underline of a heading, an item
_STOP = re.compile(r"\\.|`+|\|")
_FILLED = 20_000  # empty cells that may be added: a wide header and many short rows would be quadratic
Cell = tuple[int, str]
"""Where a cell begins in its row, and what stands there."""


def table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table; the library's rule, but for its cells."""
    if check := state.env.get("check"):
        check()
    head = _head(state, start, end)
    if head is None or silent:
        return head is not None
    cells, aligns = head
    opened = state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _push_row(state, start, "th", cells, aligns)
    state.push("thead_close", "thead", -1)
    last = _push_body(state, start + 2, end, aligns)
    state.push("table_close", "table", -1)
    opened.map = [start, last]
    state.line = last
    return True


def _head(state: StateBlock, start: int, end: int) -> tuple[list[Cell], list[str]] | None:
    """The cells of the header and how their columns are aligned; `None` if no table begins here."""
    if start + 2 > end or state.is_code_block(start) or state.is_code_block(start + 1):
        return None
    if state.sCount[start + 1] < state.blkIndent or state.isEmpty(start + 1):
        return None
    rule = _line(state, start + 1).rstrip()
    if rule[0] not in "|:-" or _OTHER.fullmatch(rule) or not _RULE.fullmatch(rule):
        return None
    aligns = [_alignment(text.strip()) for _, text in _split(rule, whole=False)]
    cells = _cells(_line(state, start), len(aligns))
    return (cells, aligns) if len(cells) == len(aligns) else None


def _push_body(state: StateBlock, start: int, end: int, aligns: list[str]) -> int:
    """The rows; returns the line after them."""
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
        if missing < _FILLED:
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


def _cells(row: str, wanted: int) -> list[Cell]:
    """The cells of a row: with its code whole, unless only splitting that gives as many as are wanted."""
    whole = _split(row, whole=True)
    if len(whole) == wanted or "`" not in row:
        return whole
    split = _split(row, whole=False)
    return split if len(split) == wanted else whole


def _split(row: str, *, whole: bool) -> list[Cell]:
    r"""What stands between the pipes; `\|` is none.

    Args:
        whole: Pipes in code are none either.
    """
    row = row.rstrip(" \t")
    ends = _code_ends(row) if whole else {}
    found, start, at = list[Cell](), int(row.startswith("|")), int(row.startswith("|"))
    while stop := _STOP.search(row, at):
        at = stop.end()
        if stop[0] == "|":
            found.append((start, row[start : stop.start()]))
            start = at
        elif stop[0][0] == "`":
            at = ends.get(stop.start(), at)
    if row[start:].strip():
        found.append((start, row[start:]))
    return found


def _code_ends(row: str) -> dict[int, int]:
    """Where each run of backticks begins that a later one of its length closes, and where that ends."""
    ends: dict[int, int] = {}
    later: dict[int, int] = {}
    for run in reversed(list(re.finditer("`+", row))):
        length = run.end() - run.start()
        if length in later:
            ends[run.start()] = later[length]
        later[length] = run.end()
    return ends
