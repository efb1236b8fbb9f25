"""What the journal adds to an exchange of 5 KB, streamed: wall seconds of the whole, and of its first token."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

from .child import SHORT, answer, measured
from .table import Row, Section, milliseconds

GOAL = 0.002  # seconds that the journal may add
ROUNDS, CALLS = (1, 2) if SHORT else (30, 10)
ASKED = "5 KB"


def section(url: str) -> Section:
    """With the journal and without, by turns in one process."""
    found = measured("journal", "by_turns", url=url)
    return Section(
        title="(f) An exchange of 5 KB that is streamed, wall time. Floor: the same with no journal.",
        rows=[
            _row("claude('5 KB'), written to the journal", found, "seconds", goal=GOAL),
            _row("    until its first token", found, "first"),
        ],
        notes=[
            f"medians of {ROUNDS} rounds of {CALLS} calls each, by turns in one process",
            f"exchanges and arrivals in the journal: {found['rows'][0]:,.0f} and {found['rows'][1]:,.0f}",
        ],
    )


def _row(what: str, found: Mapping[str, list[float]], name: str, goal: float | None = None) -> Row:
    pairs = list(zip(found[f"on {name}"], found[f"off {name}"], strict=True))
    added = statistics.median(on - off for on, off in pairs)
    return Row(
        what=what,
        ours=milliseconds(statistics.median(on for on, _ in pairs)),
        floor=milliseconds(statistics.median(off for _, off in pairs)),
        ratio=f"{milliseconds(added)} more",
        goal="" if goal is None else f"< {milliseconds(goal)} more",
        met=None if goal is None else added < goal,
    )


def by_turns() -> Mapping[str, list[float]]:
    """Seconds of one exchange, and until its first token; and how much was written."""
    import sqlite3

    from claude_magic import claude

    journals = {"on": claude.settings.journal, "off": ""}
    found: dict[str, list[float]] = {f"{name} {what}": [] for name in journals for what in ("seconds", "first")}
    for round_ in range(ROUNDS + 1):
        for name, path in journals.items():
            claude.settings.journal = path
            seconds, first = _seconds(lambda: claude(ASKED))
            if round_:  # the first one warms up
                found[f"{name} seconds"].append(seconds)
                found[f"{name} first"].append(first)
    claude.settings.journal = None
    with sqlite3.connect(claude.journal.path) as connection:
        counts = [
            connection.execute(f"select count(*) from {table}").fetchone()[0] for table in ("exchange", "arrival")
        ]
    return {**found, "rows": counts}


def _seconds(ask: Callable[[], object]) -> tuple[float, float]:
    began, first = time.perf_counter(), 0.0
    for _ in range(CALLS):
        first += ask().first_token_seconds  # type: ignore[attr-defined]
    return (time.perf_counter() - began) / CALLS, first / CALLS


if __name__ == "__main__":
    answer({"by_turns": by_turns})
