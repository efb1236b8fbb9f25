"""Message batches as tables: the state of one that is watched, and the list of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ...wire.short_text import dollars, spent
from .table import Bar, Cell, Kind, table, words

_COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
_KINDS: dict[str, Kind] = {**dict.fromkeys((*_COUNTS, "requests"), "number"), "batch": "code"}
_SHOWN = 20

PartFacts = tuple[str, str, Mapping[str, int], str]
"""Of a batch: its id, its status, how many requests are in each state, and when it expires, in ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class BatchFacts:
    """What is shown of rows that batches answer.

    Attributes:
        known: How many of the rows were known without a batch.
        failed_before: How many failed in an earlier run, and are not sent again.
        usd: What the results that are here cost.
        unpriced: How many results have an unknown price.
        most_usd: The most that those which are not here can cost; `None` if unknown.
        in_others: How many requests of the batches are none of these rows.
        note: What went wrong; `""` for nothing.
        foreign: Whether it was made elsewhere: what it costs is not in the journal.
    """

    rows: int
    known: int = 0
    failed_before: int = 0
    parts: Sequence[PartFacts] = field(default_factory=tuple)
    usd: float = 0.0
    unpriced: int = 0
    most_usd: float | None = 0.0
    in_others: int = 0
    note: str = ""
    done: bool = False
    foreign: bool = False


def batch_bundle(facts: BatchFacts, now: datetime | None = None) -> dict[str, str]:
    """The mime bundle of batches that are watched: a summary, and a row for each."""
    rows: list[list[Cell]] = []
    for name, status, counts, expires in list(facts.parts)[:_SHOWN]:
        total = sum(counts.values())
        ended = total - counts.get("processing", 0)
        left = "" if status == "ended" else time_left(expires, now)
        numbers = [f"{counts.get(each, 0):,}" for each in _COUNTS]
        rows.append([name or "…", status, Bar(ended / total if total else 0.0), *numbers, left])
    head = ["batch", "status", "", *_COUNTS, "ends within"]
    if not rows:
        texts = f"{facts.rows:,} rows, all known: no batch was made"
        return {"text/html": f"<div><strong>{texts}</strong></div>", "text/plain": texts}
    more = len(facts.parts) - len(rows)
    below = [f"… {more:,} more batches"] * (more > 0) + [words(facts.note, 300)] * bool(facts.note)
    bundle = table(summary(facts), head, rows, kinds=_KINDS, below=" · ".join(below))
    if below:
        bundle["text/plain"] += "\n" + " · ".join(below)
    return bundle


def summary(facts: BatchFacts) -> str:
    """One line: how many rows, what they cost so far, and what is not sent again."""
    rows = "1 row" if facts.rows == 1 else f"{facts.rows:,} rows"
    texts = [f"{rows} in {len(facts.parts):,} {'batch' if len(facts.parts) == 1 else 'batches'}"]
    texts += [f"{facts.known:,} known without one"] * bool(facts.known)
    others = "1 request" if facts.in_others == 1 else f"{facts.in_others:,} requests"
    texts += [f"with {others} of other tables"] * bool(facts.in_others)
    if facts.foreign:
        return texts[0] + " · not made here: what it costs is not counted"
    texts.append(_cost(facts))
    if facts.failed_before:
        texts.append(f"{facts.failed_before:,} failed before: resume=True sends them again")
    return " · ".join(texts)


def _cost(facts: BatchFacts) -> str:
    """What they cost; the API says so of no request before the whole batch has ended."""
    if facts.done:
        return f"{spent(facts.usd, facts.unpriced)} in all, at half the price"
    most = "" if facts.most_usd is None else f"at most {dollars(facts.usd + facts.most_usd)}"
    if facts.usd or facts.unpriced:
        return ", ".join(filter(None, (f"{spent(facts.usd, facts.unpriced)} so far", most, "at half the price")))
    return ", ".join(filter(None, (most, "at half the price", "known when it ends")))


def batch_table(
    rows: Sequence[tuple[PartFacts, str, bool]], *, more: bool, now: datetime | None = None
) -> dict[str, str]:
    """The mime bundle of a list of batches.

    Args:
        rows: Each with when it was made, and whether it was made here.
        more: Whether there are further ones.
    """
    if not rows:
        return {"text/html": "<div>no batches</div>", "text/plain": "no batches"}
    cells: list[list[Cell]] = []
    for (name, status, counts, expires), created, ours in rows:
        numbers = [f"{counts.get(each, 0):,}" for each in _COUNTS]
        left = "" if status == "ended" else time_left(expires, now)
        cells.append([name, status, *numbers, created[:16].replace("T", " "), left, "yes" if ours else ""])
    head = ["batch", "status", *_COUNTS, "made (UTC)", "ends within", "in the journal"]
    return table("", head, cells, kinds=_KINDS, below="… more: claude.batches.all()" if more else "")


def time_left(expires: str, now: datetime | None = None) -> str:
    """How long a batch may still take, at most; `""` if unknown."""
    try:
        end = datetime.fromisoformat(expires.replace("Z", "+00:00"))
    except ValueError:
        return ""
    end = end if end.tzinfo else end.replace(tzinfo=timezone.utc)
    minutes = int((end - (now or datetime.now(timezone.utc))).total_seconds() // 60)
    if minutes <= 0:
        return "ends now"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
