"""The reply in a terminal: appended, stripped, never drawn twice."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claude_magic.display.terminal import terminal as terminal_module
from claude_magic.display.terminal.terminal import Terminal
from claude_magic.errors import ConnectionFailed, Interrupted
from claude_magic.wire import Exchange, Message
from tests import terminal_screen
from tests.replaying import exchange

FACTS = "claude-opus-5-5 · 46 in / 133 out tokens · 1.0 s · req_test\n"
ROOT = Path(__file__).parents[1]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def streamed(*texts: str, last: Exchange | None = None) -> None:
    """Print a reply that grows so, then ends with `last`."""
    terminal = Terminal()
    for text in texts:
        terminal.show(exchange(text))
    terminal.finish(last or exchange(texts[-1], stop_reason="end_turn"))


def test_text_is_appended_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.show(exchange("Hel"))
    assert capsys.readouterr().out == "Hel"
    terminal.show(exchange("Hello, wor"))
    assert capsys.readouterr().out == "lo, wor"
    terminal.finish(exchange("Hello, world\n", stop_reason="end_turn"))
    assert capsys.readouterr().out == f"ld\n\n{FACTS}"


def test_to_finish_twice_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.finish(exchange("Hi", stop_reason="end_turn"))
    terminal.finish(exchange("Hi", stop_reason="end_turn"))
    terminal.show(exchange("Hi there"))
    assert capsys.readouterr().out == f"Hi\n\n{FACTS}"


def test_controls_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b]52;c;eA==\x07b\x1b[2Jc\x9bd\u202ee\x00f"
    streamed(*(hostile[:end] for end in range(len(hostile) + 1)))
    assert capsys.readouterr().out == f"a]52;c;eA==b[2Jcdef\n\n{FACTS}"


def test_half_a_character_waits_for_its_other_half(capsys: pytest.CaptureFixture[str]) -> None:
    streamed("a\ufffd", "a🙂", "a🙂\ufffd", "a🙂é")
    assert capsys.readouterr().out == f"a🙂é\n\n{FACTS}"


def test_blank_lines_do_not_pile_up(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n\n\na" + "\n" * 500 + "b" + "\n" * 500
    streamed(*(text[:end] for end in range(0, len(text) + 1, 7)), text)
    assert capsys.readouterr().out == f"a\n\n\nb\n\n{FACTS}"


def test_the_wait_is_told_on_a_terminal_only_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(terminal_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    for screen, waited in ((Screen(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stdout", screen)
        clock[0] = 0.0
        terminal = Terminal()
        for seconds in (0.1, 1.0, 2.0):
            clock[0] = seconds
            terminal.show(exchange(message=Message(), seconds=seconds))
        assert ("waiting for claude-opus-5-5… 2 s" in screen.getvalue()) is waited
        terminal.show(exchange("Hi"))
        assert "\n" not in screen.getvalue()
        assert shown(screen.getvalue()) == ["Hi"]


def shown(text: str) -> list[str]:
    """The lines of a terminal after `text`: a carriage return goes back to the start of its line."""
    lines = []
    for line in text.split("\n"):
        cells: list[str] = []
        for stretch in line.split("\r"):
            cells[: len(stretch)] = stretch
        lines.append("".join(cells).rstrip())
    return lines


def test_thinking_is_dim_on_a_terminal_and_plain_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]
    for screen, thought in ((Screen(), "\x1b[2mthinking: Hm.\x1b[22m"), (io.StringIO(), "thinking: Hm.")):
        monkeypatch.setattr("sys.stdout", screen)
        streamed("", last=exchange(content, stop_reason="end_turn"))
        assert screen.getvalue().startswith(f"{thought}\n\nYes.\n\n")


def test_a_tool_call_is_an_indented_line_before_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    content: list[dict[str, Any]] = [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "t", "name": "get_weather", "input": {"city": "Oslo\x1b[2J"}},
    ]
    streamed("Let me", last=exchange(content, stop_reason="tool_use"))
    printed = capsys.readouterr().out
    assert printed.startswith('Let me see.\n\n  get_weather(city="Oslo[2J")\n\n')
    assert "\x1b" not in printed
    assert printed.endswith(f"the model asks for get_weather.\n{FACTS}")


def test_a_failure_before_any_answer_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    failed = exchange(message=Message(), status=None, error=ConnectionFailed("refused"))
    terminal = Terminal()
    terminal.finish(failed)
    assert capsys.readouterr().out == ""


def test_an_interrupted_reply_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    streamed("Once upon", last=exchange("Once upon", error=Interrupted("stopped")))
    assert capsys.readouterr().out.startswith("Once upon\n\ninterrupted: ")


def test_a_stdout_that_cannot_say_it_gets_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    monkeypatch.setattr("sys.stdout", narrow)
    streamed("naïve")
    narrow.flush()
    assert narrow.buffer.getvalue().startswith(b"na?ve\n\n")  # type: ignore[attr-defined]


@pytest.mark.process
def test_rich_renders_finished_blocks_and_lets_nothing_steer_the_terminal() -> None:
    pytest.importorskip("rich")
    code = (
        "import sys; sys.stdout.isatty = lambda: True\n"
        "from claude_magic.display.terminal.rich_terminal import RichTerminal, available\n"
        "from claude_magic.wire import Exchange, Message, Request\n"
        "assert available()\n"
        "def grown(text): return Exchange(request=Request(method='POST', url=''), message=Message(body={"
        "'content': [{'type': 'text', 'text': text}], 'stop_reason': 'end_turn', 'usage': {}}))\n"
        "text = '# Title\\n\\nSome **bold** \\x1b]0;x\\x07[link](https://e.org)\\n\\n- one\\n- two\\n' * 40\n"
        "terminal = RichTerminal()\n"
        "for end in range(0, len(text), 100): terminal.show(grown(text[:end]))\n"
        "terminal.finish(grown(text))\n"
    )
    env = {**os.environ, "TERM": "xterm-256color", "FORCE_COLOR": "1", "COLUMNS": "60"}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, check=True)
    printed = ran.stdout.decode()
    shown_at_end = "\n".join(terminal_screen.screen(printed, 60))
    assert "**" not in shown_at_end
    assert shown_at_end.count("Title") == 40
    assert "\x1b]" not in printed
    assert "\x1b[1m" in printed
