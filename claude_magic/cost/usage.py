"""The usage of a notebook: tokens and dollars, in total and by conversation."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..concurrency import Lock
from ..wire.short_text import dollars

_NAME_LIMIT = 40
_OPTIONAL_COLUMNS = ("replayed", "failed", "cache read", "cache written")


@dataclass(frozen=True, kw_only=True)
class UsageTotals:
    """Totals of exchanges.

    Attributes:
        exchanges: The number of exchanges sent, including failed ones.
        replayed: The number of replays; they used nothing, and are in no other count.
        failed: The number of exchanges that ended with an error.
        input_tokens: Without those written to or read from the cache.
        usd: US dollars, of the exchanges with a known price.
        unpriced: The number of exchanges with an unknown price.
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
            usage: The API's JSON; an invalid count counts as 0.
            usd: US dollars; `None` if unknown.
            failed: Whether it ended with an error.
            replayed: Whether it was answered from a recording.
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
        """The dollars as text, with the number of exchanges whose price is unknown."""
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
        """Adds one exchange.

        Args:
            usage: The API's JSON.
            usd: US dollars; `None` if unknown.
            failed: Whether it ended with an error.
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
        """The totals of all exchanges, in a conversation or not."""
        return self._total

    @property
    def by_conversation(self) -> dict[str, UsageTotals]:
        """The totals by name of conversation, in the order in which they began; a copy."""
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
        """The cells of the table: names, then numbers; optional columns with zeros only are left out."""
        with self._lock:
            total, by_conversation = self._total, dict(self._by_conversation)
        numbers = _numbers(total)
        columns = [name for name in numbers if name not in _OPTIONAL_COLUMNS or numbers[name] != "0"]
        yield ["", *columns]
        yield ["all", *(numbers[name] for name in columns)]
        for conversation, totals in by_conversation.items():
            numbers = _numbers(totals)
            yield [_name(conversation), *(numbers[name] for name in columns)]


def _numbers(totals: UsageTotals) -> dict[str, str]:
    counts = {
        "exchanges": totals.exchanges,
        "replayed": totals.replayed,
        "failed": totals.failed,
        "in": totals.input_tokens,
        "cache read": totals.cache_read_tokens,
        "cache written": totals.cache_write_tokens,
        "out": totals.output_tokens,
    }
    return {**{name: f"{count:,}" for name, count in counts.items()}, "cost": totals.cost}


def _align(line: list[str], widths: list[int]) -> str:
    """A line with names and costs aligned left, counts aligned right."""
    (name, *counts, cost), (width, *others, _) = line, widths
    cells = [name.ljust(width), *(count.rjust(other) for count, other in zip(counts, others, strict=True)), cost]
    return "  ".join(cells)


def _name(conversation: str) -> str:
    """The name on one line, without control characters, shortened."""
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in conversation)
    return line if len(line) <= _NAME_LIMIT else line[: _NAME_LIMIT - 1] + "…"


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
