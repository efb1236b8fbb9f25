"""The models that can be asked, as a table: how much they read and write, what they can do, what they cost."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ..text.excerpt import plain_line

_HEAD = ("model", "context", "max output", "$ per M in", "$ per M out", "end of life", "can")
_RIGHT = (1, 2, 3, 4)  # columns of numbers
_SHORT = {
    "image_input": "images",
    "pdf_input": "pdf",
    "structured_outputs": "structured output",
    "context_management": "context editing",
}
_FIRST = ("thinking", "effort", "image_input", "pdf_input", "structured_outputs", "batch", "citations")
_MOST_WORDS = 16
_SOON = 90  # days
_UNKNOWN = "?"
_STATES = {"": "", "ends": "cm-ends", "ended": "cm-ended"}
_STYLE = (
    "<style>.cm-models.cm-models{table-layout:auto;border-collapse:collapse;font-size:var(--jp-ui-font-size1,13px)}"
    ".cm-models.cm-models :is(td,th){text-align:left;padding:2px 12px 2px 0;vertical-align:top;white-space:normal}"
    ".cm-models.cm-models :is(td,th).cm-number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".cm-models :is(code,td:nth-child(6)){white-space:nowrap}.cm-models .cm-ended td{opacity:.55}"
    ".cm-models .cm-ended code{text-decoration:line-through}"
    ".cm-models .cm-ends td:nth-child(6){color:var(--jp-warn-color1,#ef6c00);"
    "font-weight:600}</style>"
)


def catalogue(rows: Sequence[Mapping[str, Any]], *, today: date | None = None) -> dict[str, str]:
    """The mime bundle of a list of models, in their order.

    Args:
        rows: Of each what is known of it: `id`; `max_input_tokens`, `max_tokens`, `capabilities`, `deprecated`,
            `retires` and `lifecycle`, as the API tells them; `usd_input` and `usd_output`, US dollars per million
            tokens. What is missing is shown as unknown.
        today: The day from which an end of life is seen; `None` for the present one.
    """
    if not rows:
        return {"text/html": "<div>no models</div>", "text/plain": "no models"}
    today = today or date.today()
    lines = [_cells(row, today) for row in rows]
    states = [_state(row, today) for row in rows]
    return {"text/html": _STYLE + _html(lines, states), "text/plain": _text(lines)}


def _cells(row: Mapping[str, Any], today: date) -> list[str]:
    return [
        plain_line(str(row.get("id") or _UNKNOWN), 80),
        _size(row.get("max_input_tokens")),
        _size(row.get("max_tokens")),
        _price(row.get("usd_input")),
        _price(row.get("usd_output")),
        _retirement(row, today),
        ", ".join(_words(row.get("capabilities"))) or _UNKNOWN,
    ]


def _size(tokens: object) -> str:
    """A number of tokens, as models are advertised: `1M`, `200k`, `8,192`."""
    if not isinstance(tokens, int) or isinstance(tokens, bool) or not 0 <= tokens < 10**15:
        return _UNKNOWN
    for unit, sign in ((1_000_000, "M"), (1_000, "k")):
        if tokens >= unit and tokens % unit == 0:
            return f"{tokens // unit:,}{sign}"
    return f"{tokens:,}"


def _words(capabilities: object) -> Iterator[str]:
    """What a model supports, in a word each: those first that most readers look for."""
    if not isinstance(capabilities, Mapping):
        return
    names = [*_FIRST, *(name for name in capabilities if name not in _FIRST)]
    able = [name for name in names if _is_supported(capabilities.get(name))]
    for name in able[:_MOST_WORDS]:
        yield _SHORT.get(name, plain_line(str(name).replace("_", " "), 40))
    if len(able) > _MOST_WORDS:
        yield f"{len(able) - _MOST_WORDS:,} more"


def _is_supported(capability: object) -> bool:
    return capability.get("supported") is True if isinstance(capability, Mapping) else capability is True


def _price(dollars: object) -> str:
    """Two decimals, or as many as there are."""
    if not isinstance(dollars, int | float) or isinstance(dollars, bool) or not 0 <= dollars < 1e9:
        return _UNKNOWN
    return f"{dollars:.2f}" if round(dollars, 2) == dollars else f"{dollars:.6g}"


def _state(row: Mapping[str, Any], today: date) -> str:
    """`ended`, `ends` if that is soon or announced, else `""`."""
    day = _day(row.get("retires"))
    if row.get("lifecycle") == "retired" or (day is not None and day <= today):
        return "ended"
    soon = day is not None and (day - today).days <= _SOON
    return "ends" if soon or row.get("lifecycle") == "deprecated" or row.get("deprecated") else ""


def _retirement(row: Mapping[str, Any], today: date) -> str:
    state, day = _state(row, today), _day(row.get("retires"))
    if day is None:
        return {"ended": "retired", "ends": "deprecated"}.get(state, "")
    if state == "ended":
        return f"retired {day}"
    days = (day - today).days
    return f"retires {day}, in {days:,} day{'s' * (days != 1)}" if state else f"{day}"


def _day(moment: object) -> date | None:
    """The day of an ISO 8601 time; `None` if it is none."""
    try:
        return date.fromisoformat(str(moment)[:10])
    except ValueError:
        return None


def _html(lines: Sequence[Sequence[str]], states: Sequence[str]) -> str:
    body = "".join(f'<tr class="{_STATES[state]}">{_row(line)}</tr>' for line, state in zip(lines, states, strict=True))
    head = "".join(f'<th scope="col"{_number(column)}>{title}</th>' for column, title in enumerate(_HEAD))
    return f'<table class="cm-models mathjax_ignore"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(line: Sequence[str]) -> str:
    cells = [html.escape(cell) for cell in line]
    cells[0] = f"<code>{cells[0]}</code>"
    return "".join(f"<td{_number(column)}>{cell}</td>" for column, cell in enumerate(cells))


def _number(column: int) -> str:
    return ' class="cm-number"' if column in _RIGHT else ""


def _text(lines: Sequence[Sequence[str]]) -> str:
    table = [list(_HEAD), *map(list, lines)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in _RIGHT else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )
