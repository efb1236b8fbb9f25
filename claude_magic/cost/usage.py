"""What a notebook has used so far: tokens and dollars, in all and by conversation."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..concurrency import Lock
from ..wire.short_text import dollars

_NAME_LIMIT = 40
_SEEN_IF_ANY = ("replayed", "failed", "cache read", "cache written")


@dataclass(frozen=True, kw_only=True)
class UsageTotals:
    """Running totals of exchanges.

    Attributes:
        exchanges: How many were sent; those that failed are among them.
        replayed: How many were answered from a recording; they used nothing, and count nowhere else.
        failed: How many ended in an error.
        input_tokens: Those that the cache had no share in.
        usd: US dollars, of those whose price is known.
        unpriced: How many exchanges have a price that is unknown.
    """

    exchanges: int = 0
    replayed: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def plus(
        self, usage: Mapping[str, Any], usd: float | None, *, failed: bool = False, replayed: bool = False
    ) -> UsageTotals:
        """The totals with one more exchange.

        Args:
            usage: The API's JSON; what is no count in it counts as none.
            usd: US dollars; `None` if unknown.
            failed: Whether it ended in an error.
            replayed: Whether nothing was sent.
        """
        if replayed:
            return replace(self, replayed=self.replayed + 1)
        return UsageTotals(
            exchanges=self.exchanges + 1,
            replayed=self.replayed,
            failed=self.failed + failed,
            input_tokens=self.input_tokens + _count(usage, "input_tokens"),
            output_tokens=self.output_tokens + _count(usage, "output_tokens"),
            cache_read_tokens=self.cache_read_tokens + _count(usage, "cache_read_input_tokens"),
            cache_write_tokens=self.cache_write_tokens + _count(usage, "cache_creation_input_tokens"),
            usd=self.usd + (usd or 0.0),
            unpriced=self.unpriced + (usd is None),
        )

    @property
    def cost(self) -> str:
        """The dollars, and for how many exchanges they are not known."""
        return dollars(self.usd) + (f" + {self.unpriced:,} of unknown price" if self.unpriced else "")


class Usage:
    """The totals of a notebook; several threads may add to them."""

    def __init__(self) -> None:
        self._total = UsageTotals()
        self._by_conversation: dict[str, UsageTotals] = {}
        self._lock = Lock()

    def add(
        self,
        usage: Mapping[str, Any],
        usd: float | None,
        *,
        failed: bool = False,
        replayed: bool = False,
        conversation: str = "",
    ) -> None:
        """Count one exchange.

        Args:
            usage: The API's JSON.
            usd: US dollars; `None` if unknown.
            failed: Whether it ended in an error.
            replayed: Whether it was answered from a recording.
            conversation: Its name; `""` if it belongs to none.
        """
        with self._lock:
            self._total = self._total.plus(usage, usd, failed=failed, replayed=replayed)
            if conversation:
                before = self._by_conversation.get(conversation, UsageTotals())
                self._by_conversation[conversation] = before.plus(usage, usd, failed=failed, replayed=replayed)

    @property
    def total(self) -> UsageTotals:
        """Of all exchanges, whether they belong to a conversation or not."""
        return self._total

    @property
    def by_conversation(self) -> dict[str, UsageTotals]:
        """By the conversation's name, in the order in which they began; a copy."""
        with self._lock:
            return dict(self._by_conversation)

    def __repr__(self) -> str:
        lines = list(self._lines())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(_align(line, widths) for line in lines)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": repr(self)}

    def _html(self) -> str:
        head, *rows = ([html.escape(cell) for cell in line] for line in self._lines())
        columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        body = "".join(
            f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
            for name, *cells in rows
        )
        return f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"

    def _lines(self) -> Iterator[list[str]]:
        """The cells of the table: names, then numbers; a column of noughts is left out."""
        with self._lock:
            total, by_conversation = self._total, dict(self._by_conversation)
        numbers = _numbers(total)
        shown = [name for name in numbers if name not in _SEEN_IF_ANY or numbers[name] != "0"]
        yield ["", *shown]
        yield ["all", *(numbers[name] for name in shown)]
        for conversation, tally in by_conversation.items():
            numbers = _numbers(tally)
            yield [_name(conversation), *(numbers[name] for name in shown)]


def _numbers(tally: UsageTotals) -> dict[str, str]:
    counts = {
        "exchanges": tally.exchanges,
        "replayed": tally.replayed,
        "failed": tally.failed,
        "in": tally.input_tokens,
        "cache read": tally.cache_read_tokens,
        "cache written": tally.cache_write_tokens,
        "out": tally.output_tokens,
    }
    return {**{name: f"{count:,}" for name, count in counts.items()}, "cost": tally.cost}


def _align(line: list[str], widths: list[int]) -> str:
    """Names and costs begin in one column, counts end in one."""
    (name, *counts, cost), (width, *others, _) = line, widths
    cells = [name.ljust(width), *(count.rjust(other) for count, other in zip(counts, others, strict=True)), cost]
    return "  ".join(cells)


def _name(conversation: str) -> str:
    """On one line, without what a terminal would obey."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in conversation)
    return line if len(line) <= _NAME_LIMIT else line[: _NAME_LIMIT - 1] + "…"


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
