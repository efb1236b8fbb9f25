"""A batch created elsewhere: its results are read from the API each time, as its requests are unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...api.endpoints import batches as endpoint
from ...display.tables.batches import BatchFacts
from ...display.tables.map_replies import Replies
from ...errors import BatchCanceled, BatchExpired, ConnectionFailed, StreamError, TimedOut
from ...wire import Request
from ..runner import RowResult, of_exchange
from .access import Access
from .batch import Batch
from .outcomes import canceled_or_expired, exchange_of
from .part import Watched

_TRIES = 4


class ForeignBatch(Batch[Replies]):
    """A batch by its id; iterated, the result of each request in the order in which they come.

    Attributes:
        custom_ids: Of each request, once `results` has read them.
    """

    def __init__(self, access: Access, id: str) -> None:
        self.custom_ids: list[str] = []
        self._watched = Watched(id)
        super().__init__(access, (), [self._watched], ForeignBatch._table_of)

    def __len__(self) -> int:
        return self._watched.requests

    def __iter__(self) -> Iterator[RowResult]:
        return (result for _, result in self.named_results())

    def named_results(self) -> Iterator[tuple[str, RowResult]]:
        """The custom id and the result of each request, as they arrive; they are not held.

        Raises:
            ExchangeError: There are none, or they broke off.
        """
        access, batch = self._access, self._watched.latest
        assert access is not None  # noqa: S101  it was given
        if batch is None or not batch.is_ended:
            return
        for outcome in endpoint.results(access.client, access.requests, self._watched.id):
            exchange = exchange_of(access, Request(method="POST", url=""), outcome, batch)
            if exchange is None:
                kind = BatchCanceled if outcome.kind == endpoint.CANCELED else BatchExpired
                yield outcome.custom_id, RowResult(reply=kind(canceled_or_expired(outcome.kind)))
            else:
                yield outcome.custom_id, replace(of_exchange(exchange), seconds=None)

    @property
    def facts(self) -> BatchFacts:
        return replace(super().facts, rows=len(self), foreign=True)

    @staticmethod
    def _table_of(batch: Batch[Any]) -> Replies:
        assert isinstance(batch, ForeignBatch)  # noqa: S101  it is its own table
        pairs = batch._pairs()
        batch.custom_ids = [name for name, _ in pairs]
        return Replies(
            [result for _, result in pairs],
            questions=batch.custom_ids,
            grades=None,
            passed=(),
            seconds=batch.seconds,
        )

    def _pairs(self) -> list[tuple[str, RowResult]]:
        for attempt in range(_TRIES):
            try:
                return list(self.named_results())
            except (StreamError, ConnectionFailed, TimedOut):
                if attempt == _TRIES - 1:
                    raise
        return []
