"""What the journal is asked: rows by time, by words, by what was asked, and sums of them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from ..wire import Exchange, TimedEvent
from ..wire.message import fix_surrogates
from ..wire.recorded_answer import RecordedAnswer
from . import rows

BY = ("day", "model", "notebook", "conversation", "provider")
_MOST_WORDS = 50  # of a search
_DAY = "date(began, 'localtime')"
_LINE = (
    "id, began, model, prompt, stop_reason, input_tokens, cache_write_tokens, cache_read_tokens, output_tokens, "
    "usd, seconds, request_id, error, notebook, conversation, provider"
)
_WHOLE = "stop_reason is not null and error is null and status < 300 and message is not null"
_ANSWERED = "answer is not null and error is null and status < 300 and json_extract(answer, '$.dropped') is null"

_MOST_FOLLOWING = 100  # exchanges in which the results of calls are looked for

Row = dict[str, Any]


def last(connection: sqlite3.Connection, count: int) -> list[Row]:
    """The last exchanges, the newest first."""
    return _all(connection, f"select {_LINE} from exchange order by id desc limit ?", count)  # noqa: S608


def search(connection: sqlite3.Connection, words: str, count: int) -> list[Row]:
    """Exchanges in whose question or reply all the words begin, the best first.

    What the index knows no words for, such as a part of a Chinese sentence or a row of signs, is looked for
    letter by letter, the newest first.
    """
    asked = fix_surrogates(words).replace("\0", " ").split()[:_MOST_WORDS]
    if not asked:
        return []
    return _by_index(connection, asked, count) or _by_letters(connection, asked, count)


def _by_index(connection: sqlite3.Connection, asked: list[str], count: int) -> list[Row]:
    quoted = " ".join('"' + word.replace('"', '""') + '"*' for word in asked)
    columns = ", ".join(f"exchange.{name.strip()}" for name in _LINE.split(","))
    return _all(
        connection,
        f"select {columns} from words join exchange on exchange.id = words.rowid "  # noqa: S608
        "where words match ? order by rank, exchange.id desc limit ?",
        quoted,
        count,
    )


def _by_letters(connection: sqlite3.Connection, asked: list[str], count: int) -> list[Row]:
    holds = " and ".join(["(instr(lower(prompt), lower(?)) or instr(lower(reply), lower(?)))"] * len(asked))
    return _all(
        connection,
        f"select {_LINE} from exchange where {holds} order by id desc limit ?",  # noqa: S608
        *(word for word in asked for _ in range(2)),
        count,
    )


def exchange(connection: sqlite3.Connection, number: int) -> Exchange | None:
    """The whole exchange; `None` if there is none of this number."""
    found = _all(connection, "select * from exchange where id = ?", number)
    return _exchange(connection, found[0]) if found else None


def of_session(connection: sqlite3.Connection, session: str) -> list[tuple[str, Exchange]]:
    """A kernel's exchanges in order, with the place that each was asked at."""
    found = _all(connection, "select * from exchange where session = ? order by id", session)
    return [(row["place"], _exchange(connection, row)) for row in found]


def answer(connection: sqlite3.Connection, identity: str, number: int, *, or_last: bool) -> RecordedAnswer | None:
    """The `number`-th whole answer to a request, from 0, in the order they were given; or the last one."""
    answers = f"select * from exchange where identity = ? and (({_WHOLE}) or ({_ANSWERED})) order by id"  # noqa: S608
    found = _all(connection, f"{answers} limit 1 offset ?", identity, number)
    if not found and or_last:
        found = _all(connection, f"{answers} desc limit 1", identity)
    return _recorded_answer(connection, found)


def rows_of(connection: sqlite3.Connection, identities: Iterable[str]) -> list[Row]:
    """What the whole answers to these requests were, without their events, in their order."""
    columns = "id, identity, reply, stop_reason, input_tokens, output_tokens, usd, seconds"
    asked = "select value from json_each(?)"
    return _all(
        connection,
        f"select {columns} from exchange where identity in ({asked}) and {_WHOLE} order by id",  # noqa: S608
        json.dumps(list(identities)),
    )


def shown_answer(connection: sqlite3.Connection, identity: str, cell: str) -> RecordedAnswer | None:
    """The last answer that a cell was given, if it is a whole one to this request."""
    newest = "select * from exchange where cell = ? order by id desc limit 1"
    found = _all(connection, f"select * from ({newest}) where identity = ? and {_WHOLE}", cell, identity)  # noqa: S608
    return _recorded_answer(connection, found)


def later_exchanges(connection: sqlite3.Connection, number: int) -> list[Exchange]:
    """The exchanges that a cell went on with after the exchange of this number, without their events."""
    found = _all(connection, "select cell, session from exchange where id = ?", number)
    if not found:
        return []
    first = re.sub(r"(#\d+)\.\d+$", r"\1", found[0]["cell"])
    later = _all(
        connection,
        "select * from exchange where id > ? and session = ? and substr(cell, 1, ?) = ? order by id limit ?",
        number,
        found[0]["session"],
        len(first) + 1,
        f"{first}.",
        _MOST_FOLLOWING,
    )
    return [rows.exchange(row, [], lambda digest: _attachment(connection, digest)) for row in later]


def _recorded_answer(connection: sqlite3.Connection, found: list[Row]) -> RecordedAnswer | None:
    return rows.recorded_answer(found[0], _events(connection, found[0]["id"])) if found else None


def before(connection: sqlite3.Connection, cell: str, notebook: str) -> Exchange | None:
    """The last whole exchange of a notebook's cell."""
    asked = f"select * from exchange where cell = ? and notebook = ? and {_WHOLE} order by id desc limit 1"  # noqa: S608
    found = _all(connection, asked, cell, notebook)
    return _exchange(connection, found[0]) if found else None


def requests(connection: sqlite3.Connection, count: int) -> list[Exchange]:
    """The last whole exchanges, without their events, to look for the nearest one."""
    found = _all(connection, f"select * from exchange where {_WHOLE} order by id desc limit ?", count)  # noqa: S608
    return [rows.exchange(row, [], lambda digest: _attachment(connection, digest)) for row in found]


def spend(connection: sqlite3.Connection, by: str) -> list[Row]:
    """Exchanges, tokens and dollars of each day, model, notebook, conversation or provider."""
    name = _DAY if by == "day" else by
    return _all(
        connection,
        f"""select {name} as "{by}", count(*) as exchanges, count(error) as failed,
            cast(total(input_tokens) + total(cache_write_tokens) + total(cache_read_tokens) as integer) as tokens_in,
            cast(total(output_tokens) as integer) as tokens_out,
            total(usd) as usd, sum(usd is null) as unpriced
            from exchange where url like '%/v1/messages' or usd > 0
            group by 1 order by {"1" if by == "day" else "usd desc, exchanges desc"}""",  # noqa: S608
    )


def columns_of(connection: sqlite3.Connection) -> Iterable[Row]:
    """Every row, whole, one after another."""
    cursor = connection.execute("select * from exchange order by id")
    return (rows.as_mapping(cursor, row) for row in cursor)


def _exchange(connection: sqlite3.Connection, row: Row) -> Exchange:
    return rows.exchange(row, _events(connection, row["id"]), lambda digest: _attachment(connection, digest))


def _events(connection: sqlite3.Connection, number: int) -> list[TimedEvent]:
    found = connection.execute("select seconds, events from arrival where exchange_id = ? order by id", (number,))
    return rows.events(found)


def _attachment(connection: sqlite3.Connection, digest: str) -> bytes | None:
    found = connection.execute("select data from attachment where digest = ?", (digest,)).fetchone()
    return None if found is None else bytes(found[0])


def _all(connection: sqlite3.Connection, statement: str, *values: object) -> list[Row]:
    cursor = connection.execute(statement, values)
    return [rows.as_mapping(cursor, row) for row in cursor]
