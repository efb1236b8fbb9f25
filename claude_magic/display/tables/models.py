"""The list of models as a table: context, output, prices, end of life, capabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ..text.excerpt import plain_line
from .table import Cell, Kind, table

_HEAD = ("model", "context", "max output", "$ per M in", "$ per M out", "end of life", "capabilities")
_KINDS: dict[str, Kind] = {
    "model": "code",
    **dict.fromkeys(("context", "max output", "$ per M in", "$ per M out"), "number"),
    "end of life": "state",
    "capabilities": "wrap",
}
_SHORT = {
    "image_input": "images",
    "pdf_input": "pdf",
    "structured_outputs": "structured output",
    "context_management": "context editing",
}
_FIRST = ("thinking", "effort", "image_input", "pdf_input", "structured_outputs", "batch", "citations")
_MOST_WORDS = 16
_SOON = 90  # days


def model_table(rows: Sequence[Mapping[str, Any]], *, today: date | None = None) -> dict[str, str]:
    """The mime bundle of a list of models, in their order.

    Args:
        rows: Each with `id`; `max_input_tokens`, `max_tokens`, `capabilities`, `deprecated`, `retires` and
            `lifecycle` as the API reports them; `usd_input` and `usd_output` in US dollars per million tokens.
            What is missing is shown as unknown.
        today: The date that an end of life is compared with; `None` for today.
    """
    if not rows:
        return {"text/html": "<div>no models</div>", "text/plain": "no models"}
    today = today or date.today()
    marks = [state and f"cm-{state}" for state in (_state(row, today) for row in rows)]
    return table("", _HEAD, [_cells(row, today) for row in rows], kinds=_KINDS, marks=marks)


def _cells(row: Mapping[str, Any], today: date) -> list[Cell]:
    return [
        plain_line(str(row.get("id") or "unknown"), 80),
        _size(row.get("max_input_tokens")),
        _size(row.get("max_tokens")),
        _price(row.get("usd_input")),
        _price(row.get("usd_output")),
        _retirement(row, today),
        ", ".join(_capabilities(row.get("capabilities"))) or None,
    ]


def _size(tokens: object) -> str | None:
    """A number of tokens, such as `1M`, `200k` or `8,192`; `None` if unknown."""
    if not isinstance(tokens, int) or isinstance(tokens, bool) or not 0 <= tokens < 10**15:
        return None
    for unit, sign in ((1_000_000, "M"), (1_000, "k")):
        if tokens >= unit and tokens % unit == 0:
            return f"{tokens // unit:,}{sign}"
    return f"{tokens:,}"


def _capabilities(capabilities: object) -> Iterator[str]:
    """The names of the capabilities that a model supports, the most wanted first."""
    if not isinstance(capabilities, Mapping):
        return
    names = [*_FIRST, *(name for name in capabilities if name not in _FIRST)]
    supported = [name for name in names if _is_supported(capabilities.get(name))]
    for name in supported[:_MOST_WORDS]:
        yield _SHORT.get(name, plain_line(str(name).replace("_", " "), 40))
    if len(supported) > _MOST_WORDS:
        yield f"{len(supported) - _MOST_WORDS:,} more"


def _is_supported(capability: object) -> bool:
    return capability.get("supported") is True if isinstance(capability, Mapping) else capability is True


def _price(dollars: object) -> str | None:
    """The dollars with two decimals, or with all of them if there are more; `None` if unknown."""
    if not isinstance(dollars, int | float) or isinstance(dollars, bool) or not 0 <= dollars < 1e9:
        return None
    return f"{dollars:.2f}" if round(dollars, 2) == dollars else f"{dollars:.6g}"


def _state(row: Mapping[str, Any], today: date) -> str:
    """`ended` for a retired model, `ends` for one that is deprecated or retires soon, else `""`."""
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
    """The date of an ISO 8601 time; `None` if it is not one."""
    try:
        return date.fromisoformat(str(moment)[:10])
    except ValueError:
        return None
