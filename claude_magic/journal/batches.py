"""Message batches in the journal: every request of a batch stands here before the batch is made.

So nothing is paid twice: whoever asks the same again, in another kernel or after a crash, finds that it is under way or
answered. A batch is `building` while its requests are written, `ready` while its kernel makes it, `unclear` if no
answer to that came, `sent` when its id is known, and `read` when its results are here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..errors import SettingsError
from . import crash_recovery, database, queries
from .batch_rows import (
    BUILDING,
    READ,
    READY,
    SENT,
    SUCCEEDED,
    UNCLEAR,
    WAITING,
    Ended,
    NewRequest,
    Place,
    Source,
)
from .batch_sources import SourceLookup
from .batch_upload import StoredUpload
from .journal import Journal
from .writer import Limit, check_budget, insert_exchange

Row = Mapping[str, Any]
Found = TypeVar("Found")


class BatchJournal:
    """The batches of one journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._journal.path

    def begin(self, place: Place, began: str) -> int:
        """A new batch without requests; its id in the journal."""

        def write(connection: sqlite3.Connection) -> int:
            columns = {**vars(place), "began": began, "state": BUILDING}
            names = ", ".join(columns)
            done = connection.execute(
                f"insert into batch ({names}) values ({', '.join('?' * len(columns))})",  # noqa: S608  names are ours
                list(columns.values()),
            )
            return int(done.lastrowid or 0)

        return self._write(write)

    def drop_abandoned(self, session: str) -> None:
        """Deletes batches that a kernel was writing when it ended or was stopped: nothing of them was sent.

        Args:
            session: This kernel, which writes none now.
        """

        def write(connection: sqlite3.Connection) -> None:
            rows = connection.execute("select id, session, began from batch where state = ?", (BUILDING,)).fetchall()
            for number, writer, began in rows:
                if writer == session or not crash_recovery.may_run(writer, began):
                    connection.execute("delete from batch where id = ?", (number,))

        self._write(write)

    def add(
        self, batch: int, chunk: Sequence[NewRequest], sources: Callable[[SourceLookup], Sequence[Source | None]]
    ) -> list[tuple[Source, bool]]:
        """Adds those requests of a chunk that are nowhere yet; the source of each row's result, and whether it is new.

        Args:
            sources: From a lookup to the source of each request, `None` for a new one; asked within the transaction
                that writes them, so that two kernels never both send the same.
        """

        def write(connection: sqlite3.Connection) -> list[tuple[Source, bool]]:
            pairs = zip(sources(SourceLookup(connection)), chunk, strict=True)
            return [(found or _insert(connection, batch, new), found is None) for found, new in pairs]

        return self._write(write)

    def set_ready(self, batch: int, requests: int, size: int, reserved_usd: float, limit: Limit | None) -> None:
        """The batch is complete, and is about to be made.

        Args:
            size: The sum of the sizes of its requests.

        Raises:
            OverBudget: It could exceed `limit`.
        """

        def write(connection: sqlite3.Connection) -> None:
            if limit is not None:
                check_budget(connection, limit, reserved_usd)
            connection.execute(
                "update batch set state = ?, requests = ?, bytes = ?, reserved_usd = ? where id = ?",
                (READY, requests, size, reserved_usd, batch),
            )

        self._write(write)

    def set_sent(self, batch: int, batch_id: str, created: str, expires: str) -> None:
        """The batch was made."""
        self._update(batch, state=SENT, batch_id=batch_id, created=created, expires=expires)

    def set_unclear(self, batch: int, other: str = "") -> None:
        """Whether the batch was made is not known.

        Args:
            other: The id of one that it was taken for, and that is another one.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "update batch set state = ?, batch_id = null, excluded = trim(excluded || ' ' || ?) where id = ?",
                (UNCLEAR, other, batch),
            )

        self._write(write)

    def claim(self, batch: int, session: str) -> bool:
        """Whether this kernel may look for a batch that is not known to be made, and make it; no other one may then."""

        def write(connection: sqlite3.Connection) -> bool:
            row = connection.execute("select state, session, began from batch where id = ?", (batch,)).fetchone()
            if row is None or row[0] not in (READY, UNCLEAR):
                return False
            if row[0] == READY and row[1] != session and crash_recovery.may_run(row[1], row[2]):
                return False
            connection.execute("update batch set state = ?, session = ? where id = ?", (READY, session, batch))
            return True

        return self._write(write)

    def delete(self, batch: int) -> None:
        """A batch that was not made."""
        self._write(lambda connection: connection.execute("delete from batch where id = ?", (batch,)))

    def upload(self, batch: int) -> StoredUpload:
        """The body that makes the batch, read from the journal while it is sent."""
        row = self.batch(batch)
        return StoredUpload(self.path, batch, 0 if row is None else row["bytes"])

    def batch(self, batch: int) -> Row | None:
        """The row of a batch."""
        return next(iter(self._rows("select * from batch where id = ?", batch)), None)

    def by_batch_id(self, batch_id: str) -> Row | None:
        """The row of the batch that the API calls so."""
        return next(iter(self._rows("select * from batch where batch_id = ? order by id desc", batch_id)), None)

    def known_ids(self) -> set[str]:
        """The ids, as the API calls them, of all batches that are here."""
        return {row["batch_id"] for row in self._rows("select batch_id from batch where batch_id is not null")}

    def states(self, batch: int) -> dict[str, int]:
        """How many requests of a batch are in each state."""
        rows = self._rows("select state, count(*) as n from batch_request where batch = ? group by state", batch)
        return {row["state"]: row["n"] for row in rows}

    def spent(self, batches: Iterable[int]) -> tuple[float, int]:
        """What the results of these batches that are here cost, in US dollars, and of how many that is unknown."""
        rows = self._rows(
            "select total(usd) as usd, count(*) - count(usd) as unpriced from exchange where id in "
            "(select exchange_id from batch_request where batch in (select value from json_each(?)))",
            json.dumps(list(batches)),
        )
        return float(rows[0]["usd"]), int(rows[0]["unpriced"])

    def waiting(self, batch: int, custom_ids: Sequence[str]) -> dict[str, Row]:
        """By custom id, those of these requests whose results are not here yet."""
        rows = self._rows(
            "select id, row, custom_id, identity, request from batch_request where batch = ? and state = ? "
            "and custom_id in (select value from json_each(?))",
            batch,
            WAITING,
            json.dumps(custom_ids),
        )
        return {row["custom_id"]: row for row in rows}

    def holds(self, batch: int, custom_id: str) -> bool:
        """Whether a batch has a request of this custom id."""
        return bool(self._rows("select 1 from batch_request where batch = ? and custom_id = ?", batch, custom_id))

    def request_ids(self, batch: int) -> list[int]:
        """The ids of its requests, in their order."""
        return [row["id"] for row in self._rows("select id from batch_request where batch = ? order by id", batch)]

    def end(self, batch: int, ended: Sequence[Ended], hide: Callable[[str], str]) -> dict[str, int | None]:
        """Writes the end of requests; one whose end is here already is left as it is.

        Args:
            hide: Redacts API keys.

        Returns:
            By the custom id of those that were written: the id of the exchange, `None` if there was none.
        """

        def write(connection: sqlite3.Connection) -> dict[str, int | None]:
            found = {each.custom_id: each for each in ended}
            rows = connection.execute(
                "select id, custom_id from batch_request where batch = ? and state = ? "
                "and custom_id in (select value from json_each(?))",
                (batch, WAITING, json.dumps(list(found))),
            ).fetchall()
            return {custom_id: _end(connection, number, found[custom_id], hide) for number, custom_id in rows}

        return self._write(write)

    def set_read(self, batch: int, *, lost: tuple[str, str] = ("", "")) -> None:
        """All results are here; nothing is reserved any more.

        Args:
            lost: The state and the error of requests that had no result.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "update batch_request set state = ?, error = ?, request = null where batch = ? and state = ?",
                (*lost, batch, WAITING),
            )
            connection.execute("update batch set state = ?, reserved_usd = 0 where id = ?", (READ, batch))

        self._write(write)

    def results(self, sources: Sequence[Source]) -> list[Row]:
        """What is here of the results of these rows, in their order."""
        facts = "e.reply, e.stop_reason, e.input_tokens, e.output_tokens, e.usd, e.error_type, e.error, e.error_body"
        rest = f"{facts}, e.ended, e.status, e.request_id, e.id as entry"
        requests = self._rows(
            f"select r.id as request_row, r.state, r.error as why, {rest} from batch_request r "  # noqa: S608
            "left join exchange e on e.id = r.exchange_id where r.id in (select value from json_each(?))",
            json.dumps([each.request for each in sources if each.request is not None]),
        )
        exchanges = self._rows(
            f"select '{SUCCEEDED}' as state, null as why, {rest} from exchange e "  # noqa: S608
            "where e.id in (select value from json_each(?))",
            json.dumps([each.exchange for each in sources if each.exchange is not None]),
        )
        by_request = {row["request_row"]: row for row in requests}
        by_exchange = {row["entry"]: row for row in exchanges}
        return [
            by_exchange.get(each.exchange, {}) if each.request is None else by_request.get(each.request, {})
            for each in sources
        ]

    def sources(self, identities: Iterable[str], endpoint: str) -> dict[str, list[Source]]:
        """By identity: where results of equal requests are found; nothing is written."""
        with self._journal.reading() as connection:
            return SourceLookup(connection).sources(identities, endpoint, exchanges=True)

    def prompts(self, sources: Sequence[Source]) -> list[str]:
        """The prompt of each request of a batch; its custom id where there is no exchange."""
        rows = self._rows(
            "select r.id, coalesce(e.prompt, r.custom_id) as prompt from batch_request r "
            "left join exchange e on e.id = r.exchange_id where r.id in (select value from json_each(?))",
            json.dumps([each.request for each in sources]),
        )
        by_id = {row["id"]: row["prompt"] for row in rows}
        return [by_id.get(each.request, "") for each in sources]

    def _update(self, batch: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [*columns.values(), batch]
        self._write(lambda connection: connection.execute(f"update batch set {names} where id = ?", values))  # noqa: S608

    def _rows(self, statement: str, *values: object) -> list[Row]:
        with self._journal.reading() as connection:
            return list(queries.select_rows(connection, statement, *values))

    def _write(self, do: Callable[[sqlite3.Connection], Found]) -> Found:
        """Runs `do` in a transaction, and returns what it returns.

        Raises:
            SettingsError: The journal cannot be written, without which no batch is made.
        """
        try:
            return self._journal.writer.run(do)
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(
                f"the journal cannot be written: {database.reason(error)}. A batch is not made without it, as it could "
                "be paid twice. Check Claude.journal."
            ) from None


def _insert(connection: sqlite3.Connection, batch: int, new: NewRequest) -> Source:
    done = connection.execute(
        "insert into batch_request (batch, row, custom_id, identity, request) values (?, ?, ?, ?, ?)",
        (batch, new.row, new.custom_id, new.identity, new.content),
    )
    return Source(request=done.lastrowid, batch=batch)


def _end(connection: sqlite3.Connection, number: int, ended: Ended, hide: Callable[[str], str]) -> int | None:
    exchange = None
    if ended.begin is not None:
        columns, attachments = ended.begin
        exchange = insert_exchange(connection, columns, attachments, ended.end, hide)
    connection.execute(
        "update batch_request set state = ?, error = ?, exchange_id = ?, request = null where id = ?",
        (ended.state, ended.error or None, exchange, number),
    )
    return exchange
