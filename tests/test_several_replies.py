"""`--times` and `--compare`: each reply whole, with its panel and its error in its place; no option passed over."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from claude_magic.display.live import grid as grid_module
from claude_magic.display.live.grid import Grid
from claude_magic.display.panel import live_panels
from claude_magic.display.terminal.series import Series
from claude_magic.display.terminal.terminal import Terminal
from claude_magic.errors import StreamError
from tests.notebook_kernel import shows
from tests.notebook_shell import Shell
from tests.panel_exchange import headers
from tests.replaying import exchange
from tests.server import STREAM, Answer, Server, event, failure, reply, text_events, whole


def twin(shell: Shell, cell: str) -> str:
    """The static grid of a cell that has run."""
    ran = shell.run(cell)
    assert ran.error is None, ran.error
    return next(html for html in ran.data("text/html") if "cm-static-grid" in html)


def accordions() -> list[Any]:
    """The live panels."""
    widgets = [widget for live in live_panels._live for widget in live.widgets]
    return [each for each in widgets if type(each).__name__ == "Accordion" and each.comm is not None]


def test_each_reply_has_its_summary_and_its_panel(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one **word**"))
    html = twin(shell, "%%claude --times 3 -m claude-opus-5-5\nhi")
    assert html.count("<strong>word</strong>") == 3
    assert html.count('class="cm-summary"') == 3
    assert html.count('<details class="cm-static ') == 3
    assert html.count("<summary>Request</summary>") == 3
    assert html.count("claude.last.code(") == 1
    assert html.count("claude.journal.exchange(…).code(") == 2
    assert [f"{number} of 3" in html for number in (1, 2, 3)] == [True] * 3
    assert len(accordions()) == 3


def test_the_panels_of_an_earlier_run_are_closed(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    for _ in range(3):
        assert shell.run("%%claude --times 2\nhi", cell_id="a").error is None
    assert len(accordions()) == 2


def test_without_panels_there_are_none(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    assert "cm-static " not in twin(shell, "%%claude --times 2 --no-panel\nhi")
    assert accordions() == []


def test_the_source_is_shown_where_it_is_asked_for(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one **word**"))
    assert "one **word**" in twin(shell, "%%claude --times 2 --raw\nhi")


def test_an_error_stands_in_its_place_and_the_others_go_on(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "no such model"), reply("fine"))
    shell.run("%config Claude.concurrency = 1")
    html = twin(shell, "%%claude --times 3 -o replies\nhi")
    assert html.count("no such model") >= 1
    failed = html[html.index("1 of 3") : html.index("2 of 3")]
    assert failed[: failed.index("<details")].count("req_011Test") == 1
    assert html.index("1 of 3") < html.index("no such model") < html.index("2 of 3") < html.index("fine")
    first, *others = shell.user_ns["replies"]
    assert (type(first).__name__, others) == ("APIError", ["fine", "fine"])


def test_an_error_is_shown_before_the_others_have_ended(shell: Shell, endpoint: Server) -> None:
    """The second request is answered only once the first one's error is on the page."""
    seen = threading.Event()
    pieces = list(reply("fine").pieces)
    slow = Answer(headers=STREAM, pieces=[*pieces[:3], lambda: seen.wait(60), *pieces[3:]])
    endpoint.answers(failure(404, "not_found_error", "no such model"), slow)
    ran = shell.run(
        "%%claude --times 2\nhi",
        watch=lambda message: seen.set() if shows(message, "no such model") else None,
    )
    assert ran.error is None
    assert seen.is_set()


def test_where_all_fail_it_is_an_error(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "no such model"))
    ran = shell.run("%%claude --times 2\nhi")
    assert ran.error is not None
    assert "no such model" in ran.error[1]


def test_values_are_made_of_each_reply(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole('{"a": 1}'), whole("no JSON"))
    shell.run("%config Claude.concurrency = 1")
    html = twin(shell, "%%claude --times 2 --no-stream --as json -o values\nhi")
    first, second = shell.user_ns["values"]
    assert first == {"a": 1}
    assert type(second).__name__ == "CellError"
    assert "cm-tree" in html
    assert "the reply is not JSON" in html


def test_a_comparison_binds_what_is_made_of_each_reply(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole("<x>inner</x>"))
    assert shell.run("%%claude --compare max-tokens=5,6 --no-stream --tag x -o table\nhi").error is None
    assert list(shell.user_ns["table"]["reply"]) == ["inner", "inner"]


@pytest.mark.parametrize("option", ["--as code", "--as code -o values"])
def test_code_of_several_replies_fills_no_cell_and_that_is_said(shell: Shell, endpoint: Server, option: str) -> None:
    endpoint.answers(whole("```python\nx = 1\n```"))
    ran = shell.run(f"%%claude --times 2 --no-stream {option}\nhi")
    assert ran.error is None
    assert ("the next cell is not filled" in ran.stdout) is (option == "--as code")
    if "-o" in option:
        assert shell.user_ns["values"] == ["x = 1", "x = 1"]


def test_each_combination_is_asked_several_times(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    html = twin(shell, "%%claude --compare max-tokens=5,6 --times 2 -o table\nhi")
    assert sorted(received.json["max_tokens"] for received in endpoint.received) == [5, 5, 6, 6]
    assert "max-tokens=5 · 1 of 2" in html.replace("max_tokens", "max-tokens")
    table = shell.user_ns["table"]
    assert table[["max_tokens", "run"]].values.tolist() == [[5, 1], [5, 2], [6, 1], [6, 2]]


def test_the_replies_are_compared_with_each_other(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole("a grey cat"), whole("a black cat"), whole("a grey dog"))
    shell.run("%config Claude.concurrency = 1")
    ran = shell.run("%%claude --times 3 --no-stream --diff\nhi")
    assert ran.error is None
    text = ran.data("text/plain")[-1]
    assert "2 of 3 against 1 of 3" in text
    assert "text: a grey cat → a black cat" in text
    assert "3 of 3 against 1 of 3" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--times 2 --events", "--events lists the events of one reply"),
        ("--compare max-tokens=5,6 --events", "Leave it out, or --compare."),
        ("--times 2 --step", "--step stops after the messages of one reply"),
        ("--times 2 --preview", "--preview shows one request"),
        ("--compare max-tokens=5,6 --count", "--count counts the tokens of one request"),
        ("--compare max-tokens=5,6 --show curl", "--show prints one request"),
        ("--compare max-tokens=5,6,7 --times 7", "asks for 21 replies; 20 is the most"),
    ],
)
def test_what_has_no_meaning_for_several_replies_is_refused(
    shell: Shell, endpoint: Server, line: str, said: str
) -> None:
    ran = shell.run(f"%%claude {line}\nhi")
    assert ran.error is not None
    assert said in ran.error[1]
    assert endpoint.received == []


def test_several_short_replies_save_little(shell: Shell, endpoint: Server) -> None:
    """Less than as many cells would, at 8 KB each: they share their style."""
    sent = [(name, value) for name, value in headers().items() if name.lower() != "transfer-encoding"]
    endpoint.answers(Answer(headers=tuple(sent), pieces=[event(each) for each in text_events(["Hello"])]))

    outputs = shell.run("%%claude --times 4\nhi").outputs
    saved = [nbformat.v4.new_output("display_data", data=each["data"]) for each in outputs]
    assert len(json.dumps(saved)) < 4 * 6_500


def test_where_widgets_are_missing_the_page_grows_all_the_same(
    shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid_module, "has_widgets", lambda: False)
    pieces = list(reply("begun **now", "** and ended").pieces)
    seen = threading.Event()
    endpoint.answers(Answer(headers=STREAM, pieces=[*pieces[:4], lambda: seen.wait(60), *pieces[4:]]))
    ran = shell.run(
        "%%claude --times 2\nhi",
        watch=lambda message: seen.set() if shows(message, "begun <strong>now</strong>") else None,
    )
    assert seen.is_set()
    assert ran.data("text/html")[0].count('<details class="cm-static ') == 2


@pytest.mark.slow
@pytest.mark.parametrize("lives", [True, False])
def test_thousands_of_updates_send_little(monkeypatch: pytest.MonkeyPatch, lives: bool) -> None:
    """Three replies of 60 KB in 100 s."""
    clock, sizes = [0.0], list[int]()
    monkeypatch.setattr(grid_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(grid_module, "has_widgets", lambda: False)
    monkeypatch.setattr(grid_module, "publish_display_data", lambda data, **_: sizes.append(len(data["text/html"])))
    grid = Grid(["a", "b", "c"])
    if lives:
        columns: dict[tuple[int, int], str] = {}

        def show(number: int, *parts: str) -> int:
            changed = [part for at, part in enumerate(parts) if columns.get((number, at)) != part]
            columns.update({(number, at): part for at, part in enumerate(parts)})
            sizes.extend(map(len, changed))
            return sum(map(len, changed))

        grid._lives = True
        grid._published = True
        grid._widgets = SimpleNamespace(show=show)  # type: ignore[assignment]
    text = "Some **words** of a paragraph, and `code`.\n\n" * 1_400
    for step in range(2_000):
        for place in grid.places:
            place.show(exchange(text[: len(text) * step // 2_000], seconds=clock[0]))
        clock[0] += 0.05
    assert len(sizes) < 4_000
    assert sum(sizes) < (300_000 if lives else 160_000) * 100


def test_in_a_terminal_replies_follow_one_another_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = Series(["one", "two", "three"], Terminal).places
    second.show(exchange("the second"))
    first.show(exchange("the fir"))
    third.finish(exchange("", error=StreamError("dropped")))
    assert capsys.readouterr().out == "--- one\nthe fir"
    second.finish(exchange("the second, whole", stop_reason="end_turn"))
    assert capsys.readouterr().out == ""
    first.finish(exchange("the first, whole", stop_reason="end_turn"))
    printed = capsys.readouterr().out
    assert printed.startswith("st, whole")
    order = [printed.index(words) for words in ("--- two\nthe second, whole", "--- three\nStreamError: dropped")]
    assert order == sorted(order)
    assert printed.count("req_test") == 2


def test_a_note_that_comes_after_a_reply_is_printed_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    place = Series(["one"], Terminal).places[0]
    ended = exchange("whole", stop_reason="end_turn")
    place.finish(ended)
    place.update(ended)
    capsys.readouterr()
    place.update(ended.with_notes("a file was left"))
    assert capsys.readouterr().out == "one:\na file was left\n"
