"""429, 529 and their kind: what is seen while the next try is waited for, and what the error says after the last."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import formatdate
from itertools import pairwise

import pytest

from claude_magic.api.accumulator import Accumulator
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.transports.base import ResponseStream
from claude_magic.api.transports.pace import Pace
from claude_magic.api.transports.rate_limit import RateLimits
from claude_magic.api.transports.retry import RetryTransport
from claude_magic.display.answers.screen import AnswerPage, AnswerTerminal
from claude_magic.display.live.event_log import EventTerminal
from claude_magic.display.panel.tabs import tabs
from claude_magic.display.reply.status import status_line, with_seconds
from claude_magic.display.terminal.terminal import Terminal
from claude_magic.errors import ConnectionFailed
from claude_magic.wire import Headers, Request
from claude_magic.wire.retry_after import retry_after, try_again
from tests.notebook_shell import Shell
from tests.replaying import REQUEST, exchange
from tests.server import Answer, Server, failure, reply
from tests.terminal_screen import screen

NOW = 1_696_004_797.0
SOON = ("retry-after-ms", "1")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was written to a terminal so far."""
    monkeypatch.setattr("claude_magic.display.terminal.waiting_line.is_terminal", lambda: True)
    monkeypatch.setattr("claude_magic.display.live.event_log.is_terminal", lambda: True)
    monkeypatch.setattr("claude_magic.display.terminal.terminal.is_terminal", lambda: True)
    written: list[str] = []

    def text() -> str:
        written.append(capsys.readouterr().out)
        return "".join(written)

    return text


class Clock:
    """A clock that goes on only while something waits: it looks every 50 ms at what is shown then."""

    def __init__(self) -> None:
        self.now = 100.0
        self.looks: Callable[[], object] = bool

    def __call__(self) -> float:
        return self.now


class Waiting(Interrupt):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def sleep(self, seconds: float) -> None:
        end = self._clock.now + seconds
        while self._clock.now < end:
            self._clock.looks()
            self._clock.now = min(self._clock.now + 0.05, end)
        self._clock.looks()
        self.check()


class Scripted:
    """A transport that answers with these statuses, 0.25 s later by the clock."""

    def __init__(self, clock: Clock, *headers: dict[str, str] | None) -> None:
        self._clock = clock
        self._answers: Iterator[dict[str, str] | None] = iter(headers)

    def send(self, request: Request) -> ResponseStream:
        self._clock.now += 0.25
        headers = next(self._answers)
        if headers is None:
            raise ConnectionFailed("no route. Try again.")
        pairs = {name: value for name, value in headers.items() if name != "status"}
        return ResponseStream(
            status=int(headers["status"]), headers=Headers(pairs.items()), chunks=iter([b"{}"]), close=lambda: None
        )


def tried(*answers: dict[str, str] | None, retries: int = 2) -> tuple[list[tuple[float, str]], ResponseStream]:
    """When which note was first seen, by the clock, and the last response."""
    clock, notes = Clock(), list[tuple[float, str]]()
    accumulator = Accumulator(REQUEST, clock=clock)

    def look() -> None:
        if not notes or notes[-1][1] != accumulator.note:
            notes.append((clock.now, accumulator.note))

    clock.looks = look
    transport = RetryTransport(
        inner=Scripted(clock, *answers),
        max_retries=retries,
        interrupt=Waiting(clock),
        rate_limit=RateLimits(clock),
        pace=Pace(clock),
        accumulator=accumulator,
        clock=clock,
    )
    return notes, transport.send(REQUEST)


def test_the_wait_counts_down_with_one_duration() -> None:
    notes, _ = tried({"status": "429", "retry-after": "2"}, {"status": "200"})
    assert [note for _, note in notes] == [
        "rate limited: try 2 of 3 in 2 s",
        "rate limited: try 2 of 3 in 1 s",
        "rate limited: try 2 of 3",
    ]


@pytest.mark.parametrize("seconds", ["2", "2.4", "2.6", "7.49", "0.3", "59.5"])
def test_the_wait_changes_its_text_at_most_once_a_second(seconds: str) -> None:
    notes, _ = tried({"status": "529", "retry-after": seconds}, {"status": "200"})
    counted = [when for when, note in notes if re.search(r" in \d+ s$", note)]
    assert len(counted) == max(1, round(float(seconds)))
    assert all(later - earlier > 0.9 for earlier, later in pairwise(counted))


def test_each_try_is_counted_and_the_last_response_says_how_many_there_were() -> None:
    busy = {"status": "529", "retry-after": "1"}
    notes, response = tried(busy, busy, busy)
    assert [note for _, note in notes if note.endswith("in 1 s")] == [
        "overloaded: try 2 of 3 in 1 s",
        "overloaded: try 3 of 3 in 1 s",
    ]
    assert (response.status, response.tries, response.seconds) == (529, 3, 2.75)


def test_a_connection_that_fails_again_says_how_often_it_was_tried() -> None:
    with pytest.raises(ConnectionFailed, match=r"^no route\. Try again\. Tried 3 times in (1\.\d|2\.\d) s\.$"):
        tried(None, None, None)
    with pytest.raises(ConnectionFailed, match=r"^no route\. Try again\.$"):
        tried(None, retries=0)


def test_a_status_has_one_duration() -> None:
    growing = exchange("", seconds=5.0)
    assert status_line(growing, 0, "rate limited: try 2 of 3 in 2 s") == "rate limited: try 2 of 3 in 2 s"
    assert status_line(growing, 0, "rate limited: try 2 of 3") == "rate limited: try 2 of 3 · 5 s"
    assert with_seconds("3 lines, 2.0 MB", 0.9) == "3 lines, 2.0 MB"


NOTES = ("overloaded: try 2 of 3 in 2 s", "overloaded: try 2 of 3 in 1 s", "overloaded: try 2 of 3")


@pytest.mark.parametrize("presenter", [Terminal, EventTerminal, AnswerTerminal])
def test_a_terminal_updates_one_line_and_nothing_of_it_stays(
    presenter: Callable[[], Terminal | EventTerminal | AnswerTerminal],
    terminal: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [10.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    shown = presenter()
    clock[0] += 1
    for note in NOTES:
        shown.show(exchange(""), note)
        assert [line for line in screen(terminal()) if line] == [f"{note} · 1 s" if note == NOTES[-1] else note]
    shown.finish(exchange("Hello", stop_reason="end_turn"))
    assert "overloaded" not in "\n".join(screen(terminal()))
    assert terminal().startswith("\r")


def test_an_endpoint_that_waits_writes_to_the_notebook_only_what_is_new(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [10.0]
    published: list[object] = []
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        "claude_magic.display.answers.screen.publish_display_data", lambda data, **_: published.append(data)
    )
    page = AnswerPage(panel=False)
    for tenth in range(20):
        clock[0] += 1
        page.show(exchange("", seconds=1.0), NOTES[tenth // 10])
    assert len(published) == 2


def test_the_wait_is_on_the_page_and_not_in_the_saved_notebook(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(429, "rate_limit_error", "slow down", ("retry-after", "1")), reply("after"))
    ran = shell.run("%%claude\nhi")
    shown = [str(m["content"]) for _, m in ran.messages if "rate limited" in str(m["content"])]
    assert 1 <= len(shown) <= 3
    assert "rate limited: try 2 of 3 in 1 s" in shown[0]
    assert "rate limited" not in str(ran.outputs)
    assert "after 1 retry" in str(ran.outputs)


def test_the_error_after_the_last_try_says_how_many_there_were(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(529, "overloaded_error", "Overloaded", SOON))
    ran = shell.run("%%claude\nhi")
    assert ran.error is not None
    assert re.search(
        r"Overloaded \(HTTP 529, 3 tries in \S+ s, request-id req_011Test\)\. Try again after ", ran.error[1]
    )
    assert len(endpoint.received) == 3


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("45", 45),
        ("0.2", 1),
        (formatdate(NOW + 45, usegmt=True), 45),
        ("7200", 7200),
        ("200000", 200_000),
    ],
)
def test_a_wait_is_told_with_the_time_of_the_clock(
    value: str, wait: int, shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    shell.run("%config Claude.max_retries = 0")
    endpoint.answers(failure(429, "rate_limit_error", "slow down", ("retry-after", value)))
    ran = shell.run("%%claude\nhi")
    assert ran.error is not None
    when, same_day = datetime.fromtimestamp(NOW + wait), wait < 100_000
    clock = f"{when:%H:%M:%S}" if same_day and when.date() == datetime.fromtimestamp(NOW).date() else f"{when:%F %T}"
    assert f"Try again after {clock} (in " in ran.error[1]
    assert ("the API asks to wait longer than a retry does (60 s)" in ran.error[1]) is (wait > 60)


@pytest.mark.parametrize("value", ["0", "-10", "soon", "", "nan", formatdate(NOW - 45, usegmt=True)])
def test_a_wait_that_is_none_is_not_told(
    value: str, shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    shell.run("%config Claude.max_retries = 0")
    endpoint.answers(failure(429, "rate_limit_error", "slow down", ("retry-after", value)))
    ran = shell.run("%%claude\nhi")
    assert ran.error is not None
    assert "did not say how long to wait" in ran.error[1]
    assert "try again after" not in str(ran.outputs)
    assert re.search(r"HTTP 429, 1 try in \S+ s", ran.error[1])


def test_a_wait_of_a_year_has_no_time(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(429, "rate_limit_error", "slow down", ("retry-after", "inf")))
    ran = shell.run("%%claude\nhi")
    assert ran.error is not None
    assert "The API asks to wait for more than a month." in ran.error[1]
    assert len(endpoint.received) == 1


def test_a_wait_that_ends_tomorrow_has_a_date() -> None:
    midnight = datetime.fromtimestamp(NOW).replace(hour=23, minute=59, second=50)
    assert try_again(5, midnight.timestamp()) == "try again after 23:59:55 (in 5 s)"
    assert re.fullmatch(r"try again after \d{4}-\d\d-\d\d 00:00:05 \(in 15 s\)", try_again(15, midnight.timestamp()))


@pytest.mark.parametrize(("status", "first"), [(429, True), (529, True), (503, True), (200, False)])
def test_a_wait_is_the_first_row_of_the_headers_of_an_error(status: int, first: bool) -> None:
    date = ("date", formatdate(NOW, usegmt=True))
    headers = Headers([date, ("request-id", "req_1"), ("retry-after", "45")])
    rows = tabs(exchange("", status=status, headers=headers))["Headers"].split("<tr>")
    clock = datetime.fromtimestamp(NOW + 45)
    assert (f"<th>retry-after<td>45 · try again after {clock:%H:%M:%S} (in 45 s)" in rows[1]) is first
    assert str(rows).count("<th>retry-after<") == 1


def test_milliseconds_and_seconds_are_read_in_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    assert retry_after(Headers([("retry-after-ms", "x"), ("retry-after", "3")])) == 3
    assert retry_after(Headers([("retry-after", formatdate(NOW + 20, usegmt=True))])) == 20


def test_stop_is_obeyed_in_the_middle_of_a_count_down(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(429, "rate_limit_error", "slow down", ("retry-after", "55")))
    began = time.monotonic()
    ran = shell.run("%%claude\nhi", stop_when="try 2 of 3 in 5")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert time.monotonic() - began < 50
    assert len(endpoint.received) == 1


def test_a_server_that_hangs_up_is_tried_again_and_that_is_told(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(Answer(framing="raw", pieces=[b""]))
    shell.run("%config Claude.max_retries = 1")
    ran = shell.run("%%claude\nhi")
    assert ran.error is not None
    assert re.search(r"closed the connection before it answered\. Try again\. Tried 2 times in ", ran.error[1])
