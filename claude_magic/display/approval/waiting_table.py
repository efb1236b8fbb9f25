"""What waits for the user's approval, as a table: the name that `%claude --approve` takes, and what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ...wire.tool import Call
from ..reply.call_signature import call_line
from ..tables.table import Kind, table, words

_WORDS = 60  # characters of a prompt
_CALLS = 3  # that are written out for each turn
_HEAD = ("name", "cell", "first words", "asks to run")
_KINDS: dict[str, Kind] = {"first words": "wrap", "asks to run": "wrap", "name": "code"}
_BELOW = "%claude --approve NAME goes on with one of them, %claude --refuse NAME why refuses its calls"


def waiting_table(several: Iterable[tuple[str, str, str, Sequence[Call]]]) -> dict[str, str]:
    """The mime bundle of what waits.

    Args:
        several: Name, cell or moment, prompt and calls of each; no calls if results wait to be sent.
    """
    rows = [
        [words(name, 40), _moment(cell), words(prompt, _WORDS), _lines(calls)] for name, cell, prompt, calls in several
    ]
    return table("Waiting for your approval", _HEAD, rows, kinds=_KINDS, below=_BELOW)


def short_name(name: str, cell: str, calls: Sequence[Call]) -> str:
    """The name of one that waits, with its cell and its first call, for an error of one line."""
    more = ", …" if len(calls) > 1 else ""
    asks = call_line(calls[0].name, calls[0].arguments, 60) + more if calls else "its results wait to be sent"
    return f"{words(name, 40)} ({_moment(cell)}: {asks})"


def _lines(calls: Sequence[Call]) -> str:
    """The first calls, and how many more there are."""
    if not calls:
        return "nothing more: its results wait to be sent"
    lines = [call_line(each.name, each.arguments, 80) for each in calls[:_CALLS]]
    more = len(calls) - len(lines)
    return "; ".join([*lines, *([f"{more:,} more"] if more > 0 else [])])


def _moment(cell: str) -> str:
    """The cell, or of one of an earlier kernel the time in the local time zone."""
    try:
        return datetime.fromisoformat(cell).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return words(cell, 30)
