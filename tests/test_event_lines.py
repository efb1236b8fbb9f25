"""The events of a reply as they arrive: in a real kernel, and as lines of a terminal."""

from __future__ import annotations

import json
import re
import time
import types
from collections.abc import Iterator

import pytest

from claude_magic.api.accumulator import Accumulator
from claude_magic.display.live import event_log
from claude_magic.display.live.event_log import EventPage, EventTerminal, event_table
from claude_magic.errors import ConnectionFailed, Interrupted
from claude_magic.wire import Events, Exchange, Headers, ServerSentEvent, TimedEvent
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.panel_exchange import exchange, request
from tests.replaying import exchange as growing_exchange
from tests.server import text_events
from tests.terminal_screen import screen
from tests.test_page import sent, shown
from tests.test_panel import HOSTILE, Read
from tests.test_steps import USE, with_calls


def replay(
    deltas: int, *, each: int = 1, every: float = 0.1, panel: bool = False, error: str = "", whole: bool = True
) -> int:
    """Runs inside the kernel: events that arrive `each` at a time, on a clock of its own; how many there were."""
    clock = [0.0]
    event_log.time = types.SimpleNamespace(monotonic=lambda: clock[0])  # type: ignore[attr-defined]
    last = exchange(deltas)
    page = EventPage(panel=panel)
    for at in range(0, len(last.events), each):
        page.events(last.events[at : at + each])
        page.show(growing_exchange("", seconds=clock[0]))
        clock[0] += every
    last = last.with_error(Interrupted(error)) if error else last
    page.finish(last if whole else growing_exchange("", error=Interrupted(error)))
    page.finish(last)
    event_log.time = time  # type: ignore[attr-defined]
    return len(last.events)


@pytest.fixture
def events_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setattr(event_log, "time", time)  # the tests give it a clock of their own
    with Shell() as kernel:
        assert kernel.run("from tests import test_event_lines as t").error is None
        yield kernel


def rows(html: str) -> list[str]:
    """The event names, and what is said of those left out."""
    return re.findall(r"<tr><td>[^<]*</td><td>([^<]*)</td><td", html)


# In a notebook


def test_at_the_end_there_is_one_table_and_the_summary(events_kernel: Kernel) -> None:
    (bundle,) = shown(events_kernel.run("t.replay(8)"))
    names = ["message_start", "content_block_start", "ping", *["content_block_delta"] * 8]
    names += ["content_block_stop", "message_delta", "message_stop"]
    assert rows(bundle["text/html"]) == names
    assert [line.split()[2] for line in bundle["text/plain"].split("\n")[:14]] == names
    assert bundle["text/plain"].split("\n")[-1].startswith("claude-opus-5-5 · 46 in (+1,200 cached) / 500 out tokens")
    assert "<svg" in bundle["text/html"]


def test_the_panel_stands_after_the_events(events_kernel: Kernel) -> None:
    events, view, twin = shown(events_kernel.run("t.replay(8, panel=True)"))
    assert "cm-lines" in events["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "cm-static" in twin["text/html"]


def test_of_many_events_the_first_and_last_hundred_stay(events_kernel: Kernel) -> None:
    (bundle,) = shown(events_kernel.run("t.replay(1000, each=50)"))
    found = rows(bundle["text/html"])
    assert (len(found), found[0], found[100], found[-1]) == (201, "message_start", "", "message_stop")
    assert "… 806 more" in bundle["text/html"]
    assert "… 806 more" in bundle["text/plain"]


def test_the_live_table_grows_to_two_hundred_rows(events_kernel: Kernel) -> None:
    ran = events_kernel.run("t.replay(600, each=20, every=1)")
    live = [m["content"]["data"]["text/html"] for _, m in ran.messages if "display_data" in m["msg_type"]][:-1]
    assert [len(rows(html)) for html in live] == [*range(40, 201, 20), *[201] * 21]
    assert "606 events" in live[-1]


def test_what_is_sent_is_bounded_and_at_most_ten_times_a_second(events_kernel: Kernel) -> None:
    ran = events_kernel.run("t.replay(20000, each=10, every=0.01)")  # 20 s, 1,000 events a second
    updates = [message for _, message in ran.messages if "display_data" in message["msg_type"]]
    assert len(updates) <= 200
    whole = len(json.dumps(updates[-1]["content"]))  # with all of the reply, once
    assert sent(ran) - whole < 20 * 150_000


def test_nothing_new_sends_nothing(events_kernel: Kernel) -> None:
    ran = events_kernel.run(
        "page = t.EventPage()\nfor _ in range(40):\n t.time.sleep(.02); page.show(t.growing_exchange('', seconds=3))"
    )
    assert len([m for _, m in ran.messages if "display_data" in m["msg_type"]]) == 1
    assert "waiting for claude-opus-5-5… · 3 s" in shown(ran)[0]["text/html"]


TEXT = "# A title\\n\\nThe **first** words " + "and so on " * 40


def test_the_text_grows_beside_the_events_rendered(events_kernel: Kernel) -> None:
    ran = events_kernel.run(
        f"text = {TEXT!r}.replace(chr(92) + 'n', chr(10))\nclock = [0.0]\n"
        "t.event_log.time = t.types.SimpleNamespace(monotonic=lambda: clock[0])\n"
        "page = t.EventPage()\n"
        "events = t.exchange(30).events\n"
        "for at in range(0, len(events), 3):\n"
        " clock[0] += 1\n page.events(events[at:at + 3]); page.show(t.growing_exchange(text[:at * 14]))\n"
        "page.finish(t.growing_exchange(text, stop_reason='end_turn', events=events))"
    )
    live = [m["content"]["data"]["text/html"] for _, m in ran.messages if "display_data" in m["msg_type"]]
    texts = [re.sub(r"<style>.*?</style>", "", each).partition('<div class="cm-text">')[2] for each in live]
    assert ["<h1" in each for each in texts[2:]] == [True] * len(texts[2:])
    assert not any("**" in each for each in texts)
    assert texts[-1].count("and so on") == 40
    assert [len(rows(each)) for each in live] == sorted(len(rows(each)) for each in live)
    sizes = [each.count("and so on") for each in texts]
    assert sizes == sorted(sizes)
    assert "cm-summary" in texts[-1]


def test_of_a_long_text_the_end_is_seen_while_it_grows(events_kernel: Kernel) -> None:
    ran = events_kernel.run(
        "clock = [0.0]\nt.event_log.time = t.types.SimpleNamespace(monotonic=lambda: clock[0])\n"
        "page = t.EventPage()\n"
        "for count in range(0, 40_000, 500):\n"
        " clock[0] += 1\n page.show(t.growing_exchange(' '.join(f'w{n}.' for n in range(count))))"
    )
    live = [m["content"]["data"]["text/html"] for _, m in ran.messages if "display_data" in m["msg_type"]]
    assert max(map(len, live)) < 30_000
    assert all(f"w{500 * number - 1}." in each for number, each in enumerate(live[1:], 1))


def test_a_stopped_reply_keeps_the_events_that_had_arrived(events_kernel: Kernel) -> None:
    (bundle,) = shown(events_kernel.run("t.replay(300, each=10, error='stopped', whole=False)"))
    assert len(rows(bundle["text/html"])) == 201
    assert "interrupted: it breaks off here" in bundle["text/plain"]


def test_a_question_that_failed_before_any_event_leaves_nothing(events_kernel: Kernel) -> None:
    ran = events_kernel.run(
        "page = t.EventPage()\nt.time.sleep(.3)\npage.show(t.growing_exchange(''), 'overloaded: try 2 of 3 in 2 s')\n"
        "page.finish(t.growing_exchange('', error=t.ConnectionFailed('no')))"
    )
    assert shown(ran) == [{"text/html": "", "text/plain": ""}]
    quick = "t.EventPage().finish(t.growing_exchange('', error=t.ConnectionFailed('no')))"
    assert shown(events_kernel.run(quick)) == []


def test_an_answer_that_came_whole_says_so(events_kernel: Kernel) -> None:
    (bundle,) = shown(events_kernel.run("t.EventPage().finish(t.growing_exchange('hi', stop_reason='end_turn'))"))
    assert bundle["text/plain"].split("\n")[0] == "The response was not streamed."


def test_what_stands_above_and_after_is_shown(events_kernel: Kernel) -> None:
    (bundle,) = shown(events_kernel.run("t.EventPage().finish(t.exchange(3), above='<i>a</i>', body='<b>b</b>')"))
    html = bundle["text/html"]
    assert html.index("<i>a</i>") < html.index("<svg") < html.index("message_start") < html.index("<b>b</b>")


def test_hostile_events_do_nothing() -> None:
    key = "sk-ant-api03-abcdefgh"
    read = Read(event_table([TimedEvent(1, HOSTILE, HOSTILE * 100), TimedEvent(2, key, key + "x" * 10**6)], between=3))
    assert read.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert {name for name, _ in read.attributes} <= {"class", "scope"}
    assert "abcdefgh" not in read.text
    assert len(read.text) < 2_000


# In a terminal


def arrive(terminal: EventTerminal, growing: Accumulator, since: tuple[int, int]) -> tuple[int, int]:
    batches, since = growing.events_since(since)
    terminal.events(Events(batches))
    return since


def test_events_are_written_as_they_arrive_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    growing, terminal, since = Accumulator(request()), EventTerminal(), (0, 0)
    growing.set_response(200, Headers([("request-id", "req_test")]))
    data = list(text_events(["Hel", "lo"]))
    sent = [ServerSentEvent(each["type"], json.dumps(each), "", None) for each in data]
    for at in range(0, 6, 2):
        growing.add_events(sent[at : at + 2])
        terminal.show(growing.exchange())
        since = arrive(terminal, growing, since)
    before = capsys.readouterr().out.split("\n")
    assert [line.split()[2] for line in before[:-1]] == [each["type"] for each in data[:6]]
    growing.add_events(sent[6:])
    terminal.finish(growing.exchange())
    terminal.finish(growing.exchange())
    rest = capsys.readouterr().out.split("\n")
    assert [line.split()[2] for line in rest[:2]] == ["message_delta", "message_stop"]
    assert rest[2:5] == ["", "Hello", ""]
    assert rest[5].startswith("claude-opus-5-5 · 46 in / 2 out tokens · ")
    assert rest[6:] == [""]


def test_an_event_is_one_line_without_the_padding_of_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    EventTerminal().events([TimedEvent(0.8123, "ping", '{"type": "ping"      }'), TimedEvent(61, "", "a\nb\x1b[31m")])
    assert (
        capsys.readouterr().out
        == '     812 ms  ping                 {"type": "ping"}\n  61,000 ms                       a b[31m\n'
    )


def test_in_a_terminal_the_last_words_stand_below_the_events(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("live.event_log", "terminal.waiting_line", "terminal.terminal"):
        monkeypatch.setattr(f"claude_magic.display.{name}.is_terminal", lambda: True)
    terminal, written, text = EventTerminal(), "", ""
    for number in range(30):
        text += f"word {number} "
        terminal.events([TimedEvent(number, "content_block_delta", "{}")])
        terminal.show(growing_exchange(text))
        written += capsys.readouterr().out
        lines = screen(written)
        assert len(lines) == number + 2
        assert lines[-1].endswith(f"word {number}")
    assert lines[-1].startswith("… ")
    terminal.finish(growing_exchange(text, stop_reason="end_turn"))
    lines = screen(written + capsys.readouterr().out)
    assert "\n".join(lines).count("word 29") == 1
    assert lines[30:32] == ["", text.strip()[:79].rpartition(" ")[0]]


def test_what_is_waited_for_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = EventTerminal()
    for note in (
        "overloaded: try 2 of 3 in 2 s",
        "overloaded: try 2 of 3 in 1 s",
        "",
        "timed out: try 3 of 3 in 1 s",
    ):
        terminal.show(growing_exchange(""), note)
    assert capsys.readouterr().out == "overloaded: try 2 of 3 in 2 s\ntimed out: try 3 of 3 in 1 s\n"


def test_an_answer_that_came_whole_is_told_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    EventTerminal().finish(growing_exchange("hi", stop_reason="end_turn"))
    assert capsys.readouterr().out.split("\n")[0] == "The response was not streamed."


def test_a_failure_before_any_event_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    EventTerminal().finish(growing_exchange("", error=ConnectionFailed("no")))
    assert capsys.readouterr().out == ""


__all__ = ["ConnectionFailed", "Exchange", "growing_exchange", "replay"]


def test_steps_stand_below_the_events_and_are_drawn_again(
    events_kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = events_kernel.run(
        "from tests.test_steps import *; from claude_magic.display.live.event_log import EventPage\n"
        "page = EventPage(); whole = exchange([USE], stop_reason='tool_use')\n"
        "page.finish(with_calls(whole, 'waiting')); page.update(with_calls(whole, 'done', 'rain'))"
    )
    assert ran.error is None
    (shown,) = [output["data"] for output in ran.outputs if output["type"] == "display_data"]
    assert "cm-step" in shown["text/html"]
    assert ') → "rain"' in shown["text/plain"]
    terminal, whole = EventTerminal(), growing_exchange([USE], stop_reason="tool_use")
    terminal.finish(with_calls(whole, "waiting"))
    for _ in range(2):
        terminal.update(with_calls(whole, "done", "rain"))
    printed = capsys.readouterr().out
    assert (printed.count("waiting for you"), printed.count("get_weather(")) == (0, 2)
    assert printed.count('→ "rain"') == 1
