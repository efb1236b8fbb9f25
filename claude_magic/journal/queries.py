"""Queries of the journal: rows by time, by words, by request, and sums."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from datetime import date
from typing import Any

from ..wire import Exchange, TimedEvent
from ..wire.message import fix_surrogates
from ..wire.recorded_answer import RecordedAnswer
from . import rows

GROUPS = ("day", "model", "notebook", "conversation", "provider")
_MAX_WORDS = 50  # of a search
_DAY = "date(began, 'localtime')"
_SUMMARY_COLUMNS = (
    "id, began, model, prompt, stop_reason, input_tokens, cache_write_tokens, cache_read_tokens, output_tokens, "
    "usd, seconds, request_id, error, notebook, conversation, provider, answer is not null as is_call"
)
IS_COMPLETE = "stop_reason is not null and error is null and status < 300 and message is not null"
_HAS_ANSWER = "answer is not null and error is null and status < 300 and json_extract(answer, '$.dropped') is null"

_MAX_LATER = 100  # exchanges that are searched for the results of calls

Row = dict[str, Any]
_MEAN_OF = 50  # exchanges


def last(connection: sqlite3.Connection, count: int) -> list[Row]:
    """The last exchanges, the newest first."""
    return select_rows(connection, f"select {_SUMMARY_COLUMNS} from exchange order by id desc limit ?", count)  # noqa: S608


def mean_seconds(connection: sqlite3.Connection, model: str) -> float | None:
    """The mean time of the last complete exchanges with a model."""
    last = f"select seconds from exchange where model = ? and {IS_COMPLETE} order by id desc limit {_MEAN_OF}"  # noqa: S608
    mean: float | None = connection.execute(f"select avg(seconds) from ({last})", (model,)).fetchone()[0]  # noqa: S608
    return mean


def search(connection: sqlite3.Connection, words: str, count: int) -> list[Row]:
    """Exchanges with words in their prompt or reply that begin with each of `words`, the best match first.

    If the index finds none, as for a part of a Chinese sentence or for punctuation, the words are searched as
    substrings, the newest exchange first.
    """
    terms = fix_surrogates(words).replace("\0", " ").split()[:_MAX_WORDS]
    if not terms:
        return []
    return _search_index(connection, terms, count) or _search_substrings(connection, terms, count)


def _search_index(connection: sqlite3.Connection, terms: list[str], count: int) -> list[Row]:
    quoted = " ".join('"' + term.replace('"', '""') + '"*' for term in terms)
    columns = ", ".join(f"exchange.{name.strip()}" for name in _SUMMARY_COLUMNS.split(","))
    return select_rows(
        connection,
        f"select {columns} from words join exchange on exchange.id = words.rowid "  # noqa: S608
        "where words match ? order by rank, exchange.id desc limit ?",
        quoted,
        count,
    )


def _search_substrings(connection: sqlite3.Connection, terms: list[str], count: int) -> list[Row]:
    condition = " and ".join(["(instr(lower(prompt), lower(?)) or instr(lower(reply), lower(?)))"] * len(terms))
    return select_rows(
        connection,
        f"select {_SUMMARY_COLUMNS} from exchange where {condition} order by id desc limit ?",  # noqa: S608
        *(term for term in terms for _ in range(2)),
        count,
    )


def exchange(connection: sqlite3.Connection, number: int) -> Exchange | None:
    """The exchange of this number; `None` if there is none."""
    return _first_exchange(connection, "select * from exchange where id = ?", number)


def session_exchanges(connection: sqlite3.Connection, session: str) -> list[tuple[str, Exchange]]:
    """The exchanges of a kernel session in order, each with the place of its request."""
    found = select_rows(connection, "select * from exchange where session = ? order by id", session)
    return [(row["place"], _exchange(connection, row)) for row in found]


def answer(connection: sqlite3.Connection, identity: str, number: int, *, or_last: bool) -> RecordedAnswer | None:
    """The complete answer number `number` (from 0, the oldest) to a request; `None` if there is none.

    Args:
        or_last: Whether the last answer is returned for numbers beyond it.
    """
    answers = f"select * from exchange where identity = ? and (({IS_COMPLETE}) or ({_HAS_ANSWER})) order by id"  # noqa: S608
    found = select_rows(connection, f"{answers} limit 1 offset ?", identity, number)
    if not found and or_last:
        found = select_rows(connection, f"{answers} desc limit 1", identity)
    return _recorded_answer(connection, found)


def answer_rows(connection: sqlite3.Connection, identities: Iterable[str]) -> list[Row]:
    """The rows of the complete answers to these requests, without their events, in order."""
    columns = "id, identity, reply, stop_reason, input_tokens, output_tokens, usd, seconds"
    values = "select value from json_each(?)"
    return select_rows(
        connection,
        f"select {columns} from exchange where identity in ({values}) and {IS_COMPLETE} order by id",  # noqa: S608
        json.dumps(list(identities)),
    )


def displayed_answer(connection: sqlite3.Connection, identity: str, cell: str) -> RecordedAnswer | None:
    """The last answer to a cell, if it is complete and answers this request; else `None`."""
    newest = "select * from exchange where cell = ? order by id desc limit 1"
    found = select_rows(connection, f"select * from ({newest}) where identity = ? and {IS_COMPLETE}", cell, identity)  # noqa: S608
    return _recorded_answer(connection, found)


def later_exchanges(connection: sqlite3.Connection, number: int) -> list[Exchange]:
    """The later exchanges of the same turn as the exchange of this number, without their events.

    After a restart of the kernel a turn goes on in another session; those of the same session come first.
    """
    found = select_rows(connection, "select cell, session, notebook from exchange where id = ?", number)
    if not found:
        return []
    first = re.sub(r"(#\d+)\.\d+$", r"\1", found[0]["cell"])
    later = select_rows(
        connection,
        "select * from exchange where id > ? and cell > ? and cell < ? and notebook = ? "
        "order by session = ? desc, id limit ?",
        number,
        f"{first}.",
        f"{first}/",  # the character after the point
        found[0]["notebook"],
        found[0]["session"],
        _MAX_LATER,
    )
    return [rows.exchange(row, [], _attachments(connection, row["id"])) for row in later]


def _recorded_answer(connection: sqlite3.Connection, answers: list[Row]) -> RecordedAnswer | None:
    return rows.recorded_answer(answers[0], _events(connection, answers[0]["id"])) if answers else None


def last_of_cell(connection: sqlite3.Connection, cell: str, notebook: str) -> Exchange | None:
    """The last complete exchange of a notebook's cell; `None` if there is none."""
    statement = f"select * from exchange where cell = ? and notebook = ? and {IS_COMPLETE} order by id desc limit 1"  # noqa: S608
    return _first_exchange(connection, statement, cell, notebook)


def recent_exchanges(connection: sqlite3.Connection, count: int) -> list[Exchange]:
    """The last complete exchanges, without their events."""
    found = select_rows(connection, f"select * from exchange where {IS_COMPLETE} order by id desc limit ?", count)  # noqa: S608
    return [rows.exchange(row, [], _attachments(connection, row["id"])) for row in found]


def spend(connection: sqlite3.Connection, by: str) -> list[Row]:
    """Exchanges, tokens and dollars of each day, model, notebook, conversation or provider."""
    name = _DAY if by == "day" else by
    return select_rows(
        connection,
        f"""select {name} as "{by}", count(*) as exchanges, count(error) as failed,
            cast(total(input_tokens) + total(cache_write_tokens) + total(cache_read_tokens) as integer) as tokens_in,
            cast(total(output_tokens) as integer) as tokens_out,
            total(usd) as usd, sum(usd is null) as unpriced
            from exchange where url like '%/v1/messages' or usd > 0
            group by 1 order by {"1" if by == "day" else "usd desc, exchanges desc"}""",  # noqa: S608
    )


def spend_between(connection: sqlite3.Connection, begin: date, end: date, by: str, address: str) -> list[Row]:
    """Dollars of each UTC day or model, from `begin` to before `end`, of what went to `address`."""
    name = "date(began)" if by == "day" else "model"
    return select_rows(
        connection,
        f"""select {name} as "{by}", total(usd) as usd, sum(usd is null) as unpriced from exchange
            where (url like '%/v1/messages' or usd > 0) and substr(url, 1, ?) = ?
            and date(began) >= ? and date(began) < ? group by 1 order by 1""",  # noqa: S608
        len(address),
        address,
        str(begin),
        str(end),
    )


def all_rows(connection: sqlite3.Connection) -> Iterable[Row]:
    """All rows with all columns, in order; read one by one."""
    cursor = connection.execute("select * from exchange order by id")
    return (rows.as_mapping(cursor, row) for row in cursor)


def _first_exchange(connection: sqlite3.Connection, statement: str, *values: object) -> Exchange | None:
    found = select_rows(connection, statement, *values)
    return _exchange(connection, found[0]) if found else None


def _exchange(connection: sqlite3.Connection, row: Row) -> Exchange:
    return rows.exchange(row, _events(connection, row["id"]), _attachments(connection, row["id"]))


def _events(connection: sqlite3.Connection, number: int) -> list[TimedEvent]:
    arrivals = connection.execute("select seconds, events from arrival where exchange_id = ? order by id", (number,))
    return rows.events(arrivals)


def _attachments(connection: sqlite3.Connection, number: int) -> dict[str, bytes]:
    """The data of the attachments of an exchange, by digest."""
    statement = "select digest, data from attachment join exchange_attachment using (digest) where exchange_id = ?"
    return {digest: bytes(data) for digest, data in connection.execute(statement, (number,))}


def select_rows(connection: sqlite3.Connection, statement: str, *values: object) -> list[Row]:
    cursor = connection.execute(statement, values)
    return [rows.as_mapping(cursor, row) for row in cursor]
