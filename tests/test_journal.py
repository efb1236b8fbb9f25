"""The journal keeps every exchange, for everybody who writes it at once, and never gets in the way."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from claude_magic.errors import APIError, CellError, OverBudget, SettingsError
from claude_magic.journal import Entry, Journal, Limit, Origin, database
from claude_magic.journal import migrations as migrations_module
from claude_magic.journal.crash_recovery import new_session_name
from claude_magic.journal.database import connect
from claude_magic.journal.migrations import MIGRATIONS, migrate, split_statements
from claude_magic.journal.rows import end_columns, start_columns
from claude_magic.wire import Exchange, Headers, Message, Request, TimedEvent
from tests.exchange_fields import exchange_of

ROOT = Path(__file__).parents[1]
BEGAN = "2026-11-20T10:00:00.000+00:00"
SESSION = new_session_name()
LATER = "not in the journal yet: it is written as soon as another process releases the file"


class Views:
    """Shows a title and the number of rows."""

    def entries(self, title: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        return {"text/plain": f"{title}: {len(rows)}"}

    def spending(self, rows: Sequence[Mapping[str, Any]], by: str) -> Any:
        return rows


def made(path: Path) -> Journal:
    return Journal(path, Views())


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    it = made(tmp_path / "data" / "journal.db")
    yield it
    it.close()


def asked(text: str = "hello", **fields: Any) -> Request:
    body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **fields}
    headers = Headers([("x-api-key", "$ANTHROPIC_API_KEY"), ("anthropic-version", "2023-06-01")])
    return Request(method="POST", url="https://api.test/v1/messages", headers=headers, body=body)


def events(text: str) -> list[TimedEvent]:
    start = {
        "type": "message_start",
        "message": {"model": "claude-opus-5-5", "content": [], "usage": {"input_tokens": 7}},
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return [TimedEvent(0.1 * n, each["type"], json.dumps(each)) for n, each in enumerate((start, block, delta))]


def exchange(request: Request, text: str = "hi there", **fields: Any) -> Exchange:
    body = {
        "model": "claude-opus-5-5",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 5},
    }
    known = {
        "status": 200,
        "headers": Headers([("request-id", "req_1"), ("set-cookie", "a=b")]),
        "usd": 0.002,
        "seconds": 1.5,
    }
    return exchange_of(**{"request": request, "message": Message(body=body), **known, **fields})


def entry(request: Request, began: str = BEGAN, arrived: Sequence[TimedEvent] = (), **place: str) -> Entry:
    columns, attachments = start_columns(request, Origin(**{"session": SESSION, **place}), began)
    found = [(each.seconds, [each.event], [each.data]) for each in arrived]
    return Entry(columns=columns, attachments=attachments, source=lambda at: (found[at[0] :], (len(found), 0)))


def keep(journal: Journal, text: str = "hello", answer: str = "hi there", **more: Any) -> int:
    request = more.pop("request", None) or asked(text)
    begun = entry(request, more.pop("began", BEGAN), more.pop("arrived", ()), **more.pop("place", {}))
    journal.writer.begin(begun)
    note = journal.writer.end(begun, end_columns(exchange(request, answer, **more), BEGAN))
    assert note in ("", LATER)  # on a busy machine a row may take longer than anybody waits for it
    for _ in range(100):
        if begun.id is not None:
            break
        journal.writer.flush()
    assert begun.id is not None
    return begun.id


def test_an_exchange_comes_back_as_it_was(journal: Journal) -> None:
    request = asked("What is a monad? ☃")
    number = keep(
        journal, request=request, answer="A monoid …", arrived=events("A monoid …"), retries=2, model_note="n"
    )
    back = journal.exchange(number)
    assert (back.text, back.request.body, back.status, back.usd, back.seconds) == (
        "A monoid …",
        request.body,
        200,
        0.002,
        1.5,
    )
    assert (back.headers["request-id"], back.retries, back.model_note, back.began) == ("req_1", 2, "n", BEGAN)
    assert list(back.events) == events("A monoid …")


def test_the_row_is_there_before_anything_is_sent(journal: Journal) -> None:
    journal.writer.begin(entry(asked("before")))
    with closing(sqlite3.connect(journal.path)) as other:
        assert other.execute("select prompt, ended from exchange").fetchall() == [("before", None)]


def wait_until_written(other: sqlite3.Connection, events: int) -> None:
    end, count = time.monotonic() + 100, -1
    while count != events:
        assert time.monotonic() < end, "the events were not written"
        time.sleep(0.05)
        with suppress(sqlite3.OperationalError):  # on a busy machine the tables are not there yet
            (count,) = other.execute("select count(*) from arrival").fetchone()


@pytest.mark.parametrize("count", [-1, True, "3", 2.0, 10**30])
def test_a_number_of_rows_that_is_none_is_refused(journal: Journal, count: Any) -> None:
    for view in (journal.last, lambda count: journal.search("hello", count)):
        with pytest.raises(CellError, match="is not a number of rows"):
            view(count)


def test_events_are_written_while_the_reply_grows(journal: Journal) -> None:
    arrived = events("begun")
    begun = entry(asked(), arrived=arrived)
    journal.writer.begin(begun)
    with closing(sqlite3.connect(journal.path)) as other:
        wait_until_written(other, len(arrived))


def test_the_same_event_is_written_once(journal: Journal) -> None:
    begun = entry(asked(), arrived=events("text"))
    journal.writer.begin(begun)
    with closing(sqlite3.connect(journal.path)) as other:
        wait_until_written(other, 3)
    journal.writer.end(begun, end_columns(exchange(asked()), BEGAN))
    assert len(journal.exchange(1).events) == 3


def test_no_key_and_no_cookie_stands_in_the_file(journal: Journal) -> None:
    headers = Headers(
        [("x-api-key", "$ANTHROPIC_API_KEY"), ("x-proxy-secret", "hush-hush-1"), ("authorization", "hush-2")]
    )
    keep(
        journal, request=Request(method="POST", url="https://api.test/v1/messages", headers=headers, body=asked().body)
    )
    journal.close()
    content = journal.path.read_bytes()
    assert b"hush" not in content
    assert b"a=b" not in content
    assert b"$ANTHROPIC_API_KEY" in content


def test_only_its_owner_can_read_the_files(journal: Journal) -> None:
    keep(journal)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in journal.path.parent.iterdir()}
    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(journal: Journal) -> None:
    opened_by_hand = journal.path
    opened_by_hand.parent.mkdir()
    opened_by_hand.touch(mode=0o644)
    keep(journal)
    assert stat.S_IMODE(opened_by_hand.stat().st_mode) == 0o600


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_a_journal_of_any_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for script in MIGRATIONS[:version]:
            for statement in split_statements(script):
                old.execute(statement)
        old.execute(f"pragma user_version = {version}")
        if version:
            old.execute(
                "insert into exchange (began, session, method, url, request_headers, request, identity, model, prompt, reply)"
                " values (?, 's', 'POST', 'u', '[]', '{}', 'i', 'm', 'an ancient question', 'an ancient answer')",
                (BEGAN,),
            )
            old.execute("update exchange set ended = began")
    with closing(connect(path)) as new:
        assert new.execute("pragma user_version").fetchone()[0] == len(MIGRATIONS)
    it = made(path)
    number = keep(it)
    assert [row["id"] for row in it.last()] == ([number, 1] if version else [number])
    assert [row["prompt"] for row in it.search("ancient")] == (["an ancient question"] if version else [])
    it.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations_module, "MIGRATIONS", (MIGRATIONS[0], "create table fine (a);\nnonsense;"))
    with closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.Error):
            migrate(connection)
        assert connection.execute("select count(*) from sqlite_master").fetchone()[0] == 0


def test_the_journal_of_a_newer_version_is_left_alone(journal: Journal) -> None:
    keep(journal)
    journal.close()
    with closing(sqlite3.connect(journal.path)) as other:
        other.execute("pragma user_version = 999")
    begun = entry(asked())
    journal.writer.begin(begun)
    assert "newer claude-magic" in journal.writer.end(begun, end_columns(exchange(asked()), BEGAN))
    with pytest.raises(SettingsError, match="newer claude-magic"):
        journal.last()


WRITING = """
import sys
from pathlib import Path
from tests.test_journal import keep, made
it = made(Path(sys.argv[1]))
for number in range(500):
    keep(it, f"question {number} of {sys.argv[2]}", "an answer")
it.close()
"""


@pytest.mark.process
def test_four_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "shared.db"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, "-c", WRITING, str(path), str(n)], env=environment, stderr=subprocess.PIPE)
        for n in range(4)
    ]
    said = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    with closing(sqlite3.connect(path)) as it:
        assert (
            it.execute("select count(*), count(distinct prompt), count(ended) from exchange").fetchone() == (2000,) * 3
        )
        assert it.execute("pragma integrity_check").fetchone() == ("ok",)


def test_many_threads_of_one_kernel_lose_nothing(journal: Journal) -> None:
    threads = [threading.Thread(target=lambda: [keep(journal) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.last(1000)) == 200


def test_a_locked_journal_delays_nobody_and_is_written_later(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 100.0)
    keep(journal)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        begun, began = entry(asked("while it is locked")), time.monotonic()
        journal.writer.begin(begun)
        note = journal.writer.end(begun, end_columns(exchange(asked()), BEGAN))
        took = time.monotonic() - began
        other.execute("rollback")
    assert "written as soon as another process releases the file" in note
    assert took < 50
    assert [row["prompt"] for row in journal.last()] == ["while it is locked", "hello"]


def test_a_damaged_journal_is_kept_aside_and_said_once(journal: Journal) -> None:
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(b"this is not a database, but it was somebody's" * 100)
    notes = []
    for _ in range(2):
        begun = entry(asked())
        journal.writer.begin(begun)
        notes.append(journal.writer.end(begun, end_columns(exchange(asked()), BEGAN)))
    (kept,) = journal.path.parent.glob("journal.damaged-*.db")
    assert kept.read_bytes().startswith(b"this is not a database")
    assert f"kept as {kept}" in notes[0]
    assert notes[1] == ""
    assert len(journal.last()) == 2


def test_a_journal_that_is_damaged_inside_is_kept_aside_when_it_is_noticed(journal: Journal) -> None:
    keep(journal)
    journal.close()
    with journal.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (journal.path.stat().st_size - 4096))
    begun = entry(asked("after"))
    journal.writer.begin(begun)
    assert "damaged" in journal.writer.end(begun, end_columns(exchange(asked()), BEGAN))
    assert [row["prompt"] for row in journal.last()] == ["after"]


def test_a_journal_that_was_deleted_is_begun_anew(journal: Journal) -> None:
    keep(journal)
    for path in list(journal.path.parent.iterdir()):
        path.unlink()
    keep(journal, "after")
    assert [row["prompt"] for row in journal.last()] == ["after"]


def test_a_place_that_cannot_be_is_a_quiet_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    it = made(tmp_path / "file" / "below" / "journal.db")
    begun = entry(asked())
    it.writer.begin(begun)
    assert it.writer.end(begun, end_columns(exchange(asked()), BEGAN)) == "not kept in the journal: Not a directory"
    with pytest.raises(SettingsError, match=r"the journal cannot be read: .*Not a directory"):
        it.last()
    it.close()


FULL = """
import resource, sys
from pathlib import Path
from claude_magic.journal.rows import end_columns
from tests.test_journal import asked, entry, exchange, keep, made, BEGAN
it = made(Path(sys.argv[1]))
keep(it)
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
begun = entry(asked("x" * 1_000_000))
it.writer.begin(begun)
print(it.writer.end(begun, end_columns(exchange(asked()), BEGAN)))
print(len(it.last()))
"""


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_a_full_disk_is_a_quiet_line(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "j.db")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    first, second = ran.stdout.splitlines()
    assert first.startswith("not kept in the journal: ")
    assert second == "1"


def test_a_file_system_that_may_only_be_read_is_a_quiet_line() -> None:
    it = made(Path("/proc/journal.db"))
    begun = entry(asked())
    it.writer.begin(begun)
    assert it.writer.end(begun, end_columns(exchange(asked()), BEGAN)).startswith("not kept in the journal: ")
    it.close()


def test_words_are_found_in_questions_and_replies(journal: Journal) -> None:
    keep(journal, "What is a tuple?", "An immutable Sequence, déjà vu.")
    keep(journal, "What is a list?", "A mutable one.")
    assert [row["id"] for row in journal.search("tuple")] == [1]
    assert [row["id"] for row in journal.search("SEQU deja")] == [1]
    assert [row["id"] for row in journal.search("what is")] == [2, 1]
    assert len(journal.search('"quoted (NOT AND * ^ : -')) == 0
    assert len(journal.search("  ")) == 0
    assert [row["id"] for row in journal.search("a\0tuple")] == [1]


def test_a_number_that_is_not_there_is_one_line(journal: Journal) -> None:
    with pytest.raises(CellError, match="no exchange 12 in the journal"):
        journal.exchange(12)


def test_a_failed_exchange_keeps_its_error(journal: Journal) -> None:
    error = APIError("HTTP 404: no", status=404, type="not_found_error", request_id="req_9", body={"type": "error"})
    number = keep(journal, message=Message(), error=error, status=404)
    back = journal.exchange(number).error
    assert isinstance(back, APIError)
    assert (str(back), back.status, back.type, back.body) == ("HTTP 404: no", 404, "not_found_error", {"type": "error"})


def test_spending_is_summed_by_what_was_asked(journal: Journal) -> None:
    keep(journal, place={"notebook": "a.ipynb"}, usd=0.25)
    keep(journal, place={"notebook": "a.ipynb"}, usd=None, began="2026-11-21T10:00:00.000+00:00")
    keep(journal, place={"notebook": "b.ipynb"}, usd=0.5)
    rows = journal.spend("notebook")
    assert [(r["notebook"], r["exchanges"], r["usd"], r["unpriced"]) for r in rows] == [
        ("b.ipynb", 1, 0.5, 0),
        ("a.ipynb", 2, 0.25, 1),
    ]
    assert [r["day"] for r in journal.spend()] == ["2026-11-20", "2026-11-21"]
    for by in ("model", "conversation", "provider"):
        assert sum(row["tokens_in"] for row in journal.spend(by)) == 21
    with pytest.raises(CellError, match="one of day, model"):
        journal.spend("colour")


def test_what_is_forgotten_is_gone_from_the_disk(journal: Journal) -> None:
    import base64

    image = {
        "type": "image",
        "source": {
            "type": "base64",
            "media_type": "image/png",
            "data": base64.b64encode(b"SECRETPIXELS" * 2000).decode(),
        },
    }
    keep(
        journal,
        request=asked(
            "", messages=[{"role": "user", "content": [image, {"type": "text", "text": "UNFORGETTABLE words"}]}]
        ),
    )
    keep(journal, "another")
    for number in range(50):
        keep(journal, f"more {number}")
    assert journal.forget(id=1) == "forgotten: 1 exchange"
    content = b"".join(path.read_bytes() for path in journal.path.parent.iterdir())
    assert b"UNFORGETTABLE" not in content
    assert b"unforgettable" not in content
    assert b"SECRETPIXELS" not in content
    assert [len(journal.search(words)) for words in ("unforgettable", "another")] == [0, 1]


def test_forgetting_by_time(journal: Journal) -> None:
    keep(journal, "old", began="2020-01-01T00:00:00.000+00:00")
    keep(journal, "new", began="2026-11-20T10:00:00.000+00:00")
    assert journal.forget(before="2026-01-01") == "forgotten: 1 exchange"
    assert [row["prompt"] for row in journal.last()] == ["new"]
    assert journal.forget(before=timedelta(days=-1)) == "forgotten: 1 exchange"
    for wrong in ({}, {"before": "x", "id": 1}, {"before": "last week"}):
        with pytest.raises(CellError, match="othing was deleted"):
            journal.forget(**wrong)


def test_numbers_are_not_given_twice(journal: Journal) -> None:
    keep(journal)
    journal.forget(id=1)
    assert keep(journal) == 2


def test_an_attachment_is_kept_once_and_comes_back(journal: Journal) -> None:
    import base64

    data = base64.b64encode(os.urandom(30_000)).decode()
    blocks = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "text", "text": "look"},
    ]
    request = asked(messages=[{"role": "user", "content": blocks}])
    first, second = keep(journal, request=request), keep(journal, request=request)
    assert journal.exchange(first).request.body == journal.exchange(second).request.body == request.body
    with closing(sqlite3.connect(journal.path)) as it:
        assert it.execute("select count(*) from attachment").fetchone() == (1,)
        assert it.execute("select max(length(request)) from exchange").fetchone()[0] < 1000


@pytest.mark.parametrize("name", ["all.jsonl", "all.csv", "all.db"])
def test_it_is_exported(journal: Journal, tmp_path: Path, name: str) -> None:
    keep(journal, "one, with\nlines")
    keep(journal, "two")
    path = journal.export(tmp_path / name)
    if name.endswith(".db"):
        with closing(sqlite3.connect(path)) as copy:
            prompts = [row[0] for row in copy.execute("select prompt from exchange")]
    elif name.endswith(".csv"):
        import csv

        with path.open(newline="") as file:
            prompts = [row["prompt"] for row in csv.DictReader(file)]
    else:
        prompts = [json.loads(line)["prompt"] for line in path.read_text().splitlines()]
    assert prompts == ["one, with\nlines", "two"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_that_cannot_be_is_one_line(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name must end in one of"):
        journal.export(tmp_path / "all.xls")
    with pytest.raises(SettingsError, match="No such file or directory"):
        journal.export(tmp_path / "none" / "all.csv")


def test_odd_text_is_kept_sound(journal: Journal) -> None:
    number = keep(journal, "nul \0 and \ud83d half", "reply \0 \u202e", place={"notebook": "n\ud800.ipynb"})
    assert journal.exchange(number).text == "reply \0 \u202e"
    assert journal.last()[0]["prompt"] == "nul \0 and \ufffd half"


def test_a_days_budget_holds_for_all_who_write(journal: Journal) -> None:
    limit = Limit(usd=1.0, since="2026-11-20T00:00:00.000+00:00")
    other = made(journal.path)
    journal.writer.begin(entry(asked()), 0.6, limit)
    with pytest.raises(OverBudget, match=r"up to \$0.6000, and \$0.6000 of \$1.0000"):
        other.writer.begin(entry(asked()), 0.6, limit)
    other.writer.begin(entry(asked()), 0.4, limit)
    assert len(other.last()) == 2
    other.close()


def test_a_days_budget_that_cannot_be_read_lets_nothing_pass(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    it = made(tmp_path / "file" / "journal.db")
    with pytest.raises(OverBudget, match=r"the amount spent today is not known: (Not a directory|File exists)"):
        it.writer.begin(entry(asked()), 0.1, Limit(usd=1, since=BEGAN))
    it.close()


@pytest.mark.process
def test_a_fork_writes_on_its_own(journal: Journal) -> None:
    keep(journal)
    child = os.fork()
    if not child:
        try:
            keep(journal, "from the child")
            journal.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    keep(journal, "after")
    assert {row["prompt"] for row in journal.last()} == {"hello", "from the child", "after"}


def test_a_reply_whose_file_was_replaced_while_it_was_written_is_in_the_new_one_and_touches_no_other(
    journal: Journal,
) -> None:
    begun = entry(asked("mine"), arrived=events("all of it"))
    journal.writer.begin(begun)
    journal.writer.flush()
    for path in list(journal.path.parent.iterdir()):
        path.unlink()
    other = made(journal.path)
    assert keep(other, "another's", place={"session": "elsewhere-1"}) == begun.id
    other.close()
    assert journal.writer.end(begun, end_columns(exchange(asked("mine")), BEGAN)) == ""
    assert [row["prompt"] for row in journal.last()] == ["mine", "another's"]
    assert journal.exchange(2).message.text == "hi there"
    assert len(journal.exchange(2).events) == 3


def test_a_reply_that_was_forgotten_while_it_was_written_is_kept(journal: Journal) -> None:
    begun = entry(asked("mine"), arrived=events("all of it"))
    journal.writer.begin(begun)
    journal.forget(before=timedelta(days=-9999))
    assert journal.writer.end(begun, end_columns(exchange(asked("mine")), BEGAN)) == ""
    assert [row["prompt"] for row in journal.last()] == ["mine"]


def test_a_damaged_file_that_another_kernel_has_replaced_is_not_moved_again(journal: Journal) -> None:
    keep(journal)
    now = database.file_number(journal.path)
    assert database.move_aside(journal.path, now + 1) == ""
    assert database.file_number(journal.path) == now
    assert database.move_aside(journal.path, now).startswith("the journal was damaged")
    assert database.file_number(journal.path) == -1


@pytest.mark.parametrize(
    "words", ["文章", "☃", "\0", "qu\0estion", "\ud800", '"', "-", "x " * 20_000, "a" * 1_000_000, 5]
)
def test_a_search_finds_or_finds_nothing_whatever_is_typed(journal: Journal, words: Any) -> None:
    keep(journal, "日本語の文章です ☃☃ question", 'so "called" - as 5')
    found = [row["id"] for row in journal.search(words)]
    assert found == ([] if words in ("\0", "\ud800", "x " * 20_000, "a" * 1_000_000) else [1])


@pytest.mark.parametrize(
    "code",
    [
        lambda journal: journal.exchange(2**70),
        lambda journal: journal.last(2**70),
        lambda journal: journal.last("x"),
        lambda journal: journal.forget(id=2**70),
        lambda journal: journal.forget(id=[1]),
        lambda journal: journal.forget(id=True),
        lambda journal: journal.forget(before=timedelta.max),
        lambda journal: journal.forget(before=date.min),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_nothing_is_deleted(
    journal: Journal, code: Callable[[Journal], object]
) -> None:
    keep(journal)
    with pytest.raises(CellError):
        code(journal)
    assert len(journal.last()) == 1


def test_what_somebody_still_reads_is_not_called_gone(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.2)
    keep(journal, "a deep secret")
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from exchange").fetchone()
        with pytest.raises(SettingsError, match="deleted, but still on the disk"):
            journal.forget(id=1)
    assert len(journal.last()) == 0
    journal.forget(id=1)
    assert b"a deep secret" not in b"".join(path.read_bytes() for path in journal.path.parent.iterdir())


def test_the_journal_is_not_exported_over_itself(journal: Journal) -> None:
    keep(journal)
    with pytest.raises(SettingsError, match="itself"):
        journal.export(journal.path)
    assert len(journal.last()) == 1


def test_a_spreadsheet_computes_nothing_of_an_export(journal: Journal, tmp_path: Path) -> None:
    keep(journal, "=HYPERLINK(1)", "@SUM(1)")
    with journal.export(tmp_path / "out.CSV").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["prompt"], row["reply"], row["model"]) == ("'=HYPERLINK(1)", "'@SUM(1)", "claude-opus-5-5")
    (exact,) = (json.loads(line) for line in journal.export(tmp_path / "out.jsonl").read_text().splitlines())
    assert (exact["prompt"], exact["reply"]) == ("=HYPERLINK(1)", "@SUM(1)")


def test_an_exchange_of_a_dead_kernel_whose_number_another_process_has_is_completed(journal: Journal) -> None:
    machine = SESSION.split("-", maxsplit=1)[0]
    dead = {
        "ours": f"{machine}-{os.getpid()}-000000000000",  # the kernel of a container that was started again
        "its parent's": f"{machine}-{os.getppid()}-000000000000",
    }
    for name, of in dead.items():
        journal.writer.begin(entry(asked(name), "2020-01-01T00:00:00.000+00:00", session=of))
    journal.writer.begin(entry(asked("mine")))
    assert [(row["prompt"], bool(row["error"])) for row in journal.last()] == [
        ("mine", False),
        ("its parent's", True),
        ("ours", True),
    ]


@pytest.mark.process
def test_an_ended_process_that_nobody_has_buried_is_dead(journal: Journal) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    of = f"{SESSION.split('-', maxsplit=1)[0]}-{process.pid}-000000000000"
    journal.writer.begin(entry(asked(), datetime.now(timezone.utc).isoformat(), session=of))
    assert "kernel died" in journal.last()[0]["error"]
    process.wait()


def test_the_file_has_its_mode_under_any_umask(journal: Journal) -> None:
    journal.path.parent.mkdir(parents=True)
    before = os.umask(0o777)
    try:
        keep(journal)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in journal.path.parent.iterdir()} == {0o600}
