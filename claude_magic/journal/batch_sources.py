"""Where the results of requests are found: in batches of this or an earlier run, or in exchanges."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from . import queries
from .batch_rows import REPLACED, SUCCEEDED, WAITING, Source


class SourceLookup:
    """Finds requests of batches and exchanges, within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def sources(self, identities: Iterable[str], endpoint: str, *, exchanges: bool) -> dict[str, list[Source]]:
        """By identity: where results of equal requests are found, the failed ones last.

        Args:
            exchanges: Whether exchanges that were no part of a batch are taken, too.
        """
        wanted = json.dumps(sorted(set(identities)))
        found: dict[str, list[Source]] = {}
        requests = self._connection.execute(
            "select r.identity, r.id, r.batch, r.state from batch_request r join batch b on b.id = r.batch "
            "where r.identity in (select value from json_each(?)) and r.state != ? and b.endpoint = ? order by r.id",
            (wanted, REPLACED, endpoint),
        )
        for identity, number, batch, state in requests:
            failed = state not in (WAITING, SUCCEEDED)
            found.setdefault(identity, []).append(Source(request=number, batch=batch, failed=failed))
        others = self._connection.execute(
            "select identity, id from exchange where identity in (select value from json_each(?)) "  # noqa: S608
            f"and {queries.IS_COMPLETE} and id not in (select exchange_id from batch_request "
            "where exchange_id is not null and identity in (select value from json_each(?))) order by id",
            (wanted, wanted),
        )
        for identity, number in others if exchanges else ():
            found.setdefault(identity, []).append(Source(exchange=number))
        for several in found.values():
            several.sort(key=lambda source: source.failed)
        return found

    def replace(self, source: Source) -> None:
        """A failed request of a batch that is sent again in another."""
        self._connection.execute("update batch_request set state = ? where id = ?", (REPLACED, source.request))
