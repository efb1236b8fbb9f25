"""A reply in a terminal while it grows: in terminal IPython, on a pty, with a stream that waits for the test."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from claude_magic.display.terminal.terminal import _fitted
from claude_magic.display.terminal.word_wrap import WordWrap, wrap_facts
from claude_magic.errors import APIError
from tests.server import STREAM, Answer, Server, event, text_events
from tests.terminal_screen import Running, in_terminal, screen

FORMULA = r"$\int_0^1 f(x)\,dx\!$"
PARAGRAPH = ["The first words of **one paragraph** come early, ", f"with {FORMULA}, ", "and the others ", "follow."]


@contextmanager
def cell_in_ipython(
    server: Server, *texts: str, rich: bool, columns: int = 80
) -> Iterator[tuple[Running, threading.Event]]:
    """A `%%claude` cell in terminal IPython; after the first piece of text, the stream waits for the event."""
    go_on = threading.Event()
    pieces = [event(each) for each in text_events(texts)]
    server.answers(Answer(headers=STREAM, pieces=[*pieces[:4], lambda: go_on.wait(60), *pieces[4:]]))
    code = (
        "import sys\n" + ("" if rich else "sys.modules['rich'] = None\n") + "from IPython import start_ipython\n"
        'cell = \'get_ipython().run_line_magic("load_ext", "claude_magic")\\n'
        'get_ipython().run_cell_magic("claude", "", "Tell me.")\'\n'
        "start_ipython(['--no-banner', '--colors=NoColor', '-c', cell])\n"
    )
    with in_terminal([sys.executable, "-c", code], os.environ, columns=columns) as running:
        try:
            yield running, go_on
        finally:
            go_on.set()


def holds(text: str) -> Callable[[list[str]], bool]:
    return lambda lines: text in " ".join(lines)


@pytest.mark.process
@pytest.mark.parametrize("rich", [True, False])
def test_a_paragraph_is_seen_before_it_ends(endpoint: Server, rich: bool) -> None:
    if rich:
        pytest.importorskip("rich")
    with cell_in_ipython(endpoint, *PARAGRAPH, rich=rich) as (running, go_on):
        seen = running.read_until(holds("The first words of"))
        assert "follow." not in " ".join(seen)
        go_on.set()
        ended = running.read_to_end()
    assert " ".join(ended).count("The first words of") == 1
    assert " ".join(ended).count("follow.") == 1
    assert ("**" in " ".join(ended)) is not rich
    assert FORMULA in " ".join(ended)


@pytest.mark.process
def test_a_status_in_tokens_stands_below_the_growing_text_and_is_gone_at_the_end(endpoint: Server) -> None:
    pytest.importorskip("rich")
    with cell_in_ipython(endpoint, *PARAGRAPH, rich=True) as (running, go_on):
        running.read_until(holds("about 12 tokens"))
        go_on.set()
        ended = running.read_to_end()
    assert "about" not in " ".join(ended)
    summary = next(number for number, line in enumerate(ended) if line.startswith("claude-opus-5-5 · "))
    assert ended[summary - 2 : summary] == ["others follow.", ""]
    assert "\x1b[?25h" in running.output.rsplit("\x1b[?25l", 1)[1]  # the cursor is shown again


@pytest.mark.process
@pytest.mark.parametrize("rich", [True, False])
def test_no_word_and_no_request_id_is_broken_in_a_narrow_terminal(endpoint: Server, rich: bool) -> None:
    if rich:
        pytest.importorskip("rich")
    words = " ".join(["characteristic", "of", "unquestionably", "multidimensional"] * 8)
    with cell_in_ipython(endpoint, *words.partition("of"), rich=rich, columns=40) as (running, go_on):
        go_on.set()
        lines = running.read_to_end()
    assert " ".join(" ".join(lines).split()).count(words) == 1
    assert any("req_" in line and line.split("req_")[1].isalnum() for line in lines)
    assert all(len(line) <= 40 for line in lines)


@pytest.mark.process
def test_a_growing_text_higher_than_the_screen_is_whole_at_the_end(endpoint: Server) -> None:
    pytest.importorskip("rich")
    lines = [f"- line {number}\n" for number in range(60)]
    with cell_in_ipython(endpoint, "".join(lines), "- the last\n", rich=True) as (running, go_on):
        running.read_until(holds("line 59"))
        go_on.set()
        ended = running.read_to_end()
    assert [line.split("line ")[1] for line in ended if "line " in line] == [str(number) for number in range(60)]


def test_the_line_of_an_error_breaks_no_word_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    message = "overloaded, after 3 tries in 12 s (request-id req_011CTestOfAnIdentifier). Try again in a minute."
    screens: list[io.StringIO] = [Screen(), io.StringIO()]
    shown = []
    for output in screens:
        monkeypatch.setattr("sys.stdout", output)
        monkeypatch.setenv("COLUMNS", "40")
        shown.append(APIError(message, status=529)._render_traceback_())
    assert max(map(len, shown[0])) < 40
    assert " ".join(shown[0]) == shown[1][0]
    assert len(shown[1]) == 1


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_word_begun_too_near_to_the_margin_is_taken_back() -> None:
    wrap = WordWrap(12)
    printed = [wrap.feed(piece) for piece in ("one two th", "re", "e four")]
    assert screen("".join(printed[:1]), 12) == ["one two th"]
    assert screen("".join(printed), 12) == ["one two", "three four"]


def test_a_word_longer_than_a_line_is_left_to_the_terminal() -> None:
    address = "https://example.org/" + "a" * 30
    assert WordWrap(20).feed(f"see {address} now") == f"see \n{address} now"


def test_lines_of_code_stay_as_they_are() -> None:
    code = "```python\nx = 'a line of code that is longer than the terminal'\n```\n"
    assert WordWrap(20).feed(code) == code


def test_scripts_without_spaces_are_broken_between_characters() -> None:
    assert WordWrap(11).feed("重要重要重要重要") == "重要重要重\n要重要"


def test_facts_are_broken_between_facts() -> None:
    line = "claude-opus-5-5 · 46 in / 133 out tokens · $0.0031 · 1.0 s · req_011CTest"
    assert wrap_facts(line, 40) == "claude-opus-5-5\n46 in / 133 out tokens · $0.0031\n1.0 s · req_011CTest"


def test_the_line_of_a_call_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("claude_magic.display.terminal.terminal.is_terminal", lambda: True)
    assert _fitted(['  population(city="Oslo") refused: The user refused this call.', ""]) == [
        '  population(city="Oslo") refused: The \nuser refused this call.',
        "",
    ]
