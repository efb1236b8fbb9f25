"""`claude.batches`: the message batches of the endpoint; by its id, any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..api.endpoints.batches import MessageBatch
from ..batch.message_batches.attach import attach, newest
from ..session.session import Session

if TYPE_CHECKING:
    from ..batch.message_batches.batch import Batch

_SHOWN = 20
_MOST = 10_000


class Batches(Sequence[MessageBatch]):
    """The newest batches of the workspace; displayed, a table. They are asked for when they are first needed.

    Args:
        count: The most batches.
    """

    def __init__(self, session: Session, count: int = _SHOWN) -> None:
        self._session = session
        self._count = count
        self._found: tuple[list[MessageBatch], set[str]] | None = None

    def all(self) -> Batches:
        """As many as the endpoint lists, page by page."""
        return Batches(self._session, _MOST)

    def __len__(self) -> int:
        return min(len(self._load()[0]), self._count)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._attach(index)
        return self._load()[0][: self._count][index]

    def _attach(self, id: str) -> Batch[Any]:
        from ..display.live.batch_status import show

        batch = attach(self._session, id)
        show(batch)
        return batch

    def _load(self) -> tuple[list[MessageBatch], set[str]]:
        if self._found is None:
            self._found = newest(self._session, self._count + 1)
        return self._found

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.batches import batch_table

        batches, ours = self._load()
        rows = [
            ((each.id, each.status, vars(each.counts), each.expires), each.created, each.id in ours)
            for each in batches[: self._count]
        ]
        return batch_table(rows, more=len(batches) > self._count)
