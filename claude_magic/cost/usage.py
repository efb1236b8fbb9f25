"""The usage of a notebook: tokens and dollars, in total and by conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..concurrency import Lock
from ..wire.short_text import spent
from ..wire.text_width import align

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
        return spent(self.usd, self.unpriced)


class UsageViews(Protocol):
    """How the totals are shown."""

    def usage(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Mapping[str, str]:
        """The mime bundle of totals: names, then counts, then the cost."""


class Usage:
    """The totals of a notebook; several threads may add to them.

    Args:
        views: How they are displayed; `None` for text only.
    """

    def __init__(self, views: UsageViews | None = None) -> None:
        self._views = views
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
        (name, *counts, cost), *rows = self._lines()
        return "\n".join(align([[name, *counts, cost], *rows], [False, *(True for _ in counts), False]))

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        if self._views is None:
            return {"text/plain": repr(self)}
        head, *rows = self._lines()
        return {**self._views.usage(head, rows), "text/plain": repr(self)}

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
        "tokens in": totals.input_tokens,
        "cache read": totals.cache_read_tokens,
        "cache written": totals.cache_write_tokens,
        "tokens out": totals.output_tokens,
    }
    return {**{name: f"{count:,}" for name, count in counts.items()}, "cost": totals.cost}


def _name(conversation: str) -> str:
    """The name on one line, without control characters, shortened."""
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in conversation)
    return line if len(line) <= _NAME_LIMIT else line[: _NAME_LIMIT - 1] + "…"


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
