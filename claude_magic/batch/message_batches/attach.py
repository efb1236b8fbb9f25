"""The batches of an endpoint: a list of them, and any of them by its id."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ...api.endpoints.batches import MessageBatch, list_batches
from ...display.tables.map_replies import Replies
from ...errors import CellError
from ...journal.batch_rows import Source
from ...prompt.options.options import Options
from ...session.session import Session
from ...wire.short_text import short_repr
from .access import access
from .batch import Batch
from .foreign import ForeignBatch
from .part import part_of


def newest(session: Session, count: int) -> tuple[list[MessageBatch], set[str]]:
    """The newest batches of the workspace, and the ids of those that are in the journal.

    Raises:
        ExchangeError: The endpoint lists none, or does not answer.
    """
    context = access(session, Options())
    listed = list_batches(context.client, context.requests, limit=min(count, 1000))
    return list(itertools.islice(listed, count)), context.journal.known_ids()


def attach(session: Session, id: str) -> Batch[Any]:
    """The batch of this id, whoever created it.

    Raises:
        CellError: It is no id.
        SettingsError: There is no key or no journal.
    """
    if not isinstance(id, str) or not id.isprintable() or not id:
        raise CellError(f"{short_repr(id)} is no id of a batch, such as 'msgbatch_01...'. claude.batches lists them.")
    context = access(session, Options())
    row = context.journal.by_batch_id(id)
    if row is None:
        return ForeignBatch(context, id)
    part = part_of(context, row["id"])
    part.load(context)
    sources = [Source(request=number, batch=row["id"]) for number in context.journal.request_ids(row["id"])]

    def table(batch: Batch[Any]) -> Replies:
        return _replies(session, batch, context.journal.prompts(sources))

    return Batch(context, sources, [part], table)


def _replies(session: Session, batch: Batch[Any], questions: Sequence[str]) -> Replies:
    replies = Replies(list(batch), questions=questions, grades=None, passed=(), seconds=batch.seconds)
    session.mapped = replies
    return replies
