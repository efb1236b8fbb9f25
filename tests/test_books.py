"""What a notebook asked, what it cost and what it may still spend, in a real kernel."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEY
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell
from tests.server import JSON, STREAM, Answer, Server, event, failure, reply, text_events, whole


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "home" / "data" / "claude-magic" / "journal.db"


def rows(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def so_far(path: Path, statement: str) -> list[Any]:
    """As `rows`; none if the tables are not there yet."""
    try:
        return rows(path, statement) if path.exists() else []
    except sqlite3.OperationalError:
        return []


def summary(ran: Ran) -> str:
    return next(html for html in ran.data("text/html") if "cm-summary" in html)


def streamed(*texts: str) -> list[bytes]:
    return [event(each) for each in text_events(texts)]


def cheap(text: str = "hi", *, sent: int = 100, received: int = 10) -> Answer:
    """A whole reply of claude-opus-5-5, at 4 and 20 dollars per million tokens."""
    body = {**json.loads(b"".join(p for p in whole(text).pieces if isinstance(p, bytes)))}
    body["model"] = "claude-opus-5-5"
    body["usage"] = {"input_tokens": sent, "output_tokens": received}
    return Answer(headers=JSON, pieces=[json.dumps(body).encode()])


# The journal


def test_the_row_is_written_before_the_request_is_sent(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    seen: list[Any] = []
    answer = reply("hi")
    look = lambda: seen.extend(rows(journal, "select prompt, ended from exchange"))  # noqa: E731
    endpoint.answers(Answer(headers=answer.headers, pieces=[look, *answer.pieces]))
    assert kernel.run("%%claude\nWhat is a tuple?").error is None
    assert seen == [("What is a tuple?", None)]


def test_an_exchange_is_written_whole_and_without_the_key(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    endpoint.answers(reply("A sequence."))
    kernel.run("%%claude -c talk -s 'Be brief.' --header x-my-secret hush\nWhat is a tuple?", cell_id="cell-a")
    ((prompt, answer, cell, conversation, status, stop, model, tokens, error),) = rows(
        journal,
        "select prompt, reply, cell, conversation, status, stop_reason, model, input_tokens, error from exchange",
    )
    assert (prompt, answer, cell, conversation) == ("What is a tuple?", "A sequence.", "cell-a#1", "talk")
    assert (status, stop, model, tokens, error) == (200, "end_turn", "claude-opus-5-5", 46, None)
    assert json.loads(rows(journal, "select request from exchange")[0][0]) == endpoint.last.json
    kernel.run("from claude_magic import claude")
    names = kernel.value("[event.event for event in claude.journal.exchange(1).events]")
    assert names[0] == "message_start"
    assert names[-1] == "message_stop"
    content = b"".join(path.read_bytes() for path in journal.parent.iterdir())
    assert KEY.encode() not in content
    assert b"hush" not in content


def test_a_key_that_the_server_sends_back_is_not_in_the_file(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    echoed = streamed(f"your key is {KEY}", "!")
    refused = {"type": "error", "error": {"type": "overloaded_error", "message": f"not with {KEY}"}}
    headers = (*STREAM, ("x-echo", KEY))
    endpoint.answers(
        Answer(headers=headers, pieces=echoed),
        Answer(headers=headers, pieces=[*echoed[:4], event(refused)]),
        Answer(status=400, headers=headers, pieces=[json.dumps({**refused, "more": KEY}).encode()]),
    )
    for _ in range(3):
        kernel.run("%%claude\nWhat is my key?")
    assert rows(journal, "select reply from exchange where id = 1") == [("your key is ***!",)]
    assert rows(journal, "select count(*) from exchange where ended is not null") == [(3,)]
    assert KEY.encode() not in b"".join(path.read_bytes() for path in journal.parent.iterdir())


@pytest.mark.parametrize(
    "asked", ["%config Claude.replay = 'on'", "%config Claude.reuse_on_run_all = True", "%config Claude.replay = 'off'"]
)
@pytest.mark.parametrize("trouble", ["no folder", "newer"])
def test_a_cell_that_looks_into_a_journal_in_trouble_is_answered_with_a_quiet_line(
    kernel: Kernel, endpoint: Server, tmp_path: Path, asked: str, trouble: str
) -> None:
    path = tmp_path / "file" / "journal.db" if trouble == "no folder" else tmp_path / "newer.db"
    if trouble == "newer":
        with closing(sqlite3.connect(path)) as other:
            other.execute("pragma user_version = 999")
    (tmp_path / "file").touch()
    before = (tmp_path / "newer.db").read_bytes() if trouble == "newer" else b""
    kernel.run(f"{asked}\n%config Claude.journal = {str(path)!r}")
    endpoint.answers(reply("a reply"))
    ran = kernel.run("%%claude --diff\nquestion", cell_id="cell-a")
    assert ran.error is None
    assert "a reply" in summary(ran) + "".join(ran.data("text/html"))
    assert "".join(ran.data("text/html")).count("not kept in the journal") == 1
    assert trouble != "newer" or path.read_bytes() == before


@pytest.mark.kernel
def test_a_kernel_that_is_killed_leaves_what_had_arrived(endpoint: Server, journal: Path) -> None:
    events = streamed("The beginning of a long reply, ", "and more of it")
    endpoint.answers(Answer(headers=STREAM, pieces=[*events[:4], 60.0]))
    with Kernel() as kernel:
        kernel.run("%load_ext claude_magic")
        kernel.client.execute("%%claude\nTell me everything")
        pid = kernel.manager.provisioner.pid
        for _ in range(2000):
            if "text_delta" in str(so_far(journal, "select events from arrival")):
                break
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    with Kernel() as kernel:
        kernel.run("%load_ext claude_magic\nfrom claude_magic import claude")
        assert "The beginning of a long reply" in kernel.value("claude.journal.exchange(1).text")
        assert "the kernel died" in kernel.value("claude.journal.exchange(1).error")
        assert kernel.value("len(claude.journal.search('beginning everything'))") == 1
        shown = kernel.run("claude.journal.exchange(1)")
        assert "The beginning of a long reply" in shown.data("text/html")[0]


@pytest.mark.kernel
def test_a_running_exchange_of_another_kernel_is_not_called_dead(
    kernel: Kernel, endpoint: Server, journal: Path
) -> None:
    events = streamed("slow", "ly")
    endpoint.answers(Answer(headers=STREAM, pieces=[*events[:4], 100.0, *events[4:]]))
    kernel.submit("%%claude\nquestion")
    with Kernel() as other:
        other.run("%load_ext claude_magic\nfrom claude_magic import claude")
        for _ in range(2000):
            if so_far(journal, "select count(*) from exchange") > [(0,)]:
                break
            time.sleep(0.05)
        assert other.value("[row['error'] for row in claude.journal.last()]") == [None]
        assert other.value("claude.journal.last()[0]['seconds']") is None


def test_a_stopped_reply_is_in_the_journal(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    events = streamed("begun", "never")
    endpoint.answers(Answer(headers=STREAM, pieces=[*events[:4], 60.0]))
    kernel.run("%%claude\nquestion", stop_when="begun")
    kernel.run("from claude_magic import claude")
    assert kernel.value("claude.last.entry") == 1
    assert kernel.value("claude.journal.exchange(1).text") == "begun"
    assert rows(journal, "select error_type, reply from exchange") == [("Interrupted", "begun")]


def test_a_failed_exchange_is_in_the_journal(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    endpoint.answers(failure(404, "not_found_error", "model: nope"))
    assert kernel.run("%%claude -m nope\nquestion").error is not None
    ((kind, error, status, usd),) = rows(journal, "select error_type, error, status, usd from exchange")
    assert (kind, status, usd) == ("APIError", 404, 0.0)
    assert "model: nope" in error


def test_an_empty_path_keeps_no_journal(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    endpoint.answers(reply("hi"))
    kernel.run("%config Claude.journal = ''")
    assert kernel.run("%%claude\nquestion").error is None
    assert not journal.exists()
    ran = kernel.run("from claude_magic import claude; claude.journal")
    assert ran.error is not None
    assert "no journal is kept" in ran.error[1]


def test_a_path_moves_the_journal(kernel: Kernel, endpoint: Server, journal: Path, tmp_path: Path) -> None:
    endpoint.answers(reply("hi"))
    kernel.run("%config Claude.journal = 'below/mine.db'")
    assert kernel.run("%%claude\nquestion").error is None
    assert not journal.exists()
    assert rows(tmp_path / "below" / "mine.db", "select prompt from exchange") == [("question",)]


@pytest.mark.parametrize("trouble", ["no directory", "damaged", "locked"])
def test_a_journal_in_trouble_is_a_quiet_line_under_the_reply(
    endpoint: Server, journal: Path, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_magic.journal.writer._EXIT_TIMEOUT", 0.5)  # the lock outlasts the shell
    monkeypatch.setattr("claude_magic.journal.database.BUSY_TIMEOUT", 1.0)
    endpoint.answers(reply("the reply"))
    journal.parent.parent.mkdir(parents=True, exist_ok=True)
    if trouble == "no directory":
        journal.parent.touch()
    else:
        journal.parent.mkdir()
        journal.write_bytes(b"not a database at all" * 300 if trouble == "damaged" else b"")
    with closing(sqlite3.connect(journal if trouble == "locked" else ":memory:", isolation_level=None)) as lock:
        lock.execute("begin exclusive")
        with Shell() as kernel:
            kernel.run("%load_ext claude_magic")
            ran = kernel.run("%%claude\nquestion")
    assert ran.error is None
    assert ran.data("text/plain")[0] == "the reply"
    told = {
        "no directory": "not kept in the journal",
        "damaged": "the journal was damaged",
        "locked": "not in the journal yet",
    }
    assert told[trouble] in summary(ran)
    assert ran.seconds < 60


def test_the_tables_of_the_journal_are_shown(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("<b>bold</b> answer"))
    kernel.run("%%claude\n<script>alert(1)</script> question")
    kernel.run("from claude_magic import claude")
    shown = kernel.run("claude.journal")
    (html,) = shown.data("text/html")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "req_011Test" in shown.data("text/plain")[-1]
    found = kernel.run("claude.journal.search('bold')")
    assert "exchanges with 'bold'" in found.data("text/plain")[-1]
    chart = kernel.run("claude.journal.spend(by='model')")
    assert "<svg" in chart.data("text/html")[0]
    assert kernel.value("type(claude.journal.spend()).__mro__[1].__name__") == "DataFrame"
    assert kernel.value("type(claude.journal.spend()[['usd']]).__name__") == "DataFrame"


def test_an_exchange_at_the_end_of_a_cell_is_shown_as_its_cell_showed_it(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("**strong** words"))
    live = kernel.run("%%claude\nquestion")
    kernel.run("from claude_magic import claude")
    for code in ("claude.last", "claude.journal.exchange(1)"):
        again = kernel.run(code)
        assert again.data("text/html")[0] == live.data("text/html")[0]
        assert len(again.outputs) == len(live.outputs)


# Price and usage


def test_the_summary_line_says_what_the_reply_cost(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap(sent=1_000, received=200))
    assert "$0.0080" in summary(kernel.run("%%claude\nquestion"))


def test_an_unknown_price_is_called_unknown_until_it_is_told(kernel: Kernel, endpoint: Server) -> None:
    odd = cheap(sent=1_000_000, received=0)
    odd = Answer(
        headers=JSON,
        pieces=[piece.replace(b"claude-opus-5-5", b"tiny-1") for piece in odd.pieces if isinstance(piece, bytes)],
    )
    endpoint.answers(odd)
    assert "price unknown" in summary(kernel.run("%%claude -m tiny-1\nquestion"))
    kernel.run("%config Claude.prices = {'tiny-1': {'input': 0.5, 'output': 1}}")
    assert "$0.5000" in summary(kernel.run("%%claude -m tiny-1\nquestion"))


@pytest.mark.parametrize("wrong", ["{'m': 3}", "{'m': {'input': -1}}", "{'m': {'input': 'x'}}", "[1]", "{1: {}}"])
def test_prices_of_the_wrong_form_are_refused(kernel: Kernel, wrong: str) -> None:
    ran = kernel.run(f"%config Claude.prices = {wrong}")
    assert "refused" in (ran.error[1] if ran.error else ran.stdout)


def test_usage_is_added_up_by_conversation_and_shown_by_the_line_magic(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap(), cheap(), failure(400, "invalid_request_error", "no"), cheap())
    kernel.run("%%claude -c talk\none", cell_id="a")
    kernel.run("%%claude\ntwo", cell_id="b")
    kernel.run("%%claude\nthree", cell_id="c")
    kernel.run("%config Claude.replay = 'on'")
    kernel.run("%%claude\ntwo", cell_id="b")
    kernel.run("from claude_magic import claude")
    total = "claude.usage.total"
    assert kernel.value(f"[{total}.exchanges, {total}.failed, {total}.replayed]") == [3, 1, 1]
    assert kernel.value(f"[{total}.input_tokens, {total}.output_tokens]") == [200, 20]
    assert kernel.value(f"{total}.usd") == pytest.approx(2 * (100 * 4 + 10 * 20) / 1e6)
    assert kernel.value("claude.usage.by_conversation['talk'].exchanges") == 1
    card = kernel.run("%claude").stdout
    assert "talk" in card
    assert "$0.0012" in card


def test_the_line_magic_tells_the_rate_limits_of_the_last_reply(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    kernel.run("%%claude\nquestion")
    assert "requests 49 of 50" in kernel.run("%claude").stdout


# Budgets


def test_what_could_pass_the_budget_is_refused_and_not_sent(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(whole('{"input_tokens": 100}'))
    kernel.run("%config Claude.budget_usd = 0.01")
    ran = kernel.run("%%claude -t 1000\nquestion")
    assert ran.error is not None
    name, text, lines = ran.error
    assert name == "OverBudget"
    assert "$0.0100" in text
    assert "Nothing was sent" in text
    assert "Claude.budget_usd" in text
    assert len(lines) == 1
    assert [received.path for received in endpoint.received if not received.path.endswith("count_tokens")] == []


def test_a_budget_counts_what_was_spent(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap(sent=1_000, received=300))  # $0.0100
    kernel.run("%config Claude.budget_usd = 0.0215")
    codes = [kernel.run(f"%%claude -t 400\nquestion {n}") for n in range(3)]
    assert [ran.error is None for ran in codes] == [True, True, False]
    asked = [received for received in endpoint.received if not received.path.endswith("count_tokens")]
    assert len(asked) == 2


def test_the_endpoint_counts_where_the_bound_would_refuse(kernel: Kernel, endpoint: Server) -> None:
    counted = Answer(headers=JSON, pieces=[b'{"input_tokens": 10}'])
    endpoint.answers(counted, cheap())
    kernel.run("%config Claude.budget_usd = 0.0021")  # 100 tokens out are $0.0020
    assert kernel.run(f"%%claude -t 100\n{'word ' * 300}").error is None
    assert [received.path.rsplit("/", 1)[1] for received in endpoint.received] == ["count_tokens", "messages"]


def test_cells_that_run_at_once_cannot_pass_a_budget_together(kernel: Kernel, endpoint: Server) -> None:
    slow = cheap(sent=10, received=1)
    endpoint.answers(Answer(headers=JSON, pieces=slow.pieces, before_headers=0.5))
    kernel.run("%config Claude.budget_usd = 0.05")
    kernel.run(
        "from claude_magic import OverBudget, claude\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "def ask(n):\n"
        "    try:\n        return claude(f'question {n}', max_tokens=1000).text\n"
        "    except OverBudget as error:\n        return 'refused'\n"
        "with ThreadPoolExecutor(8) as pool:\n    found = list(pool.map(ask, range(8)))"
    )
    assert sorted(kernel.value("found")) == ["hi", "hi", *["refused"] * 6]


@pytest.mark.kernel
def test_kernels_that_run_at_once_cannot_pass_a_days_budget_together(endpoint: Server) -> None:
    slow = cheap(sent=10, received=1)
    refused = threading.Event()
    endpoint.answers(Answer(headers=JSON, pieces=[lambda: refused.wait(60), *slow.pieces]))
    with Kernel() as one, Kernel() as other:
        for kernel in (one, other):
            kernel.run("%load_ext claude_magic\n%config Claude.budget_usd_per_day = 0.03")
        one.submit("%%claude -t 1000\nquestion")
        for _ in range(2000):
            if endpoint.received:
                break
            time.sleep(0.05)
        ran = other.run("%%claude -t 1000\nquestion")
        refused.set()
    assert ran.error is not None
    assert "Claude.budget_usd_per_day" in ran.error[1]


def test_a_days_budget_forgets_yesterday(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap(sent=1_000, received=1))
    kernel.run("%%claude -t 1000\nquestion")
    kernel.run(
        "import contextlib, sqlite3; from claude_magic import claude\n"
        "def change(statement):\n    with contextlib.closing(sqlite3.connect(claude.journal.path)) as db, db:\n"
        "        db.execute(statement)\n"
        "change('update exchange set usd = 5')\n%config Claude.budget_usd_per_day = 1"
    )
    assert kernel.run("%%claude -t 1000\nquestion").error is not None
    kernel.run("change(\"update exchange set began = '2020-01-01T00:00:00.000+00:00'\")")
    assert kernel.run("%%claude -t 1000\nquestion").error is None


def test_a_days_budget_needs_the_journal(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap())
    kernel.run("%config Claude.budget_usd_per_day = 1\n%config Claude.journal = ''")
    ran = kernel.run("%%claude\nquestion")
    assert ran.error is not None
    assert "counted in the journal, and none is kept" in ran.error[1]
    assert endpoint.received == []


def test_under_a_budget_a_model_of_unknown_price_is_refused_unless_allowed(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap())
    kernel.run("%config Claude.budget_usd = 1")
    ran = kernel.run("%%claude -m tiny-1\nquestion")
    assert ran.error is not None
    assert "the price of tiny-1 is unknown" in ran.error[1]
    assert endpoint.received == []
    kernel.run("%config Claude.unpriced = 'allow'")
    assert kernel.run("%%claude -m tiny-1\nquestion").error is None


def test_a_replayed_answer_costs_no_budget(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(cheap("known"))
    kernel.run("%%claude\nquestion", cell_id="a")
    kernel.run("%config Claude.budget_usd = 0.0\n%config Claude.replay = 'on'")
    assert kernel.run("%%claude\nquestion", cell_id="a").data("text/plain")[0] == "known"
    assert kernel.run("%%claude\nanother question", cell_id="a").error is not None


def test_several_at_once_are_all_written_and_counted(kernel: Kernel, endpoint: Server, journal: Path) -> None:
    endpoint.answers(cheap())
    kernel.run("%%claude --times 5\nquestion", cell_id="a")
    assert sorted(rows(journal, "select cell from exchange")) == [(f"a#1/{n}",) for n in range(1, 6)]
    kernel.run("from claude_magic import claude")
    assert kernel.value("claude.usage.total.exchanges") == 5
