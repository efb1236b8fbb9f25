"""Turns with tools that are replayed: what the functions returned was recorded too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook_kernel import Kernel, Ran
from tests.server import Server, reply
from tests.test_tools import WEATHER, asks, defined, html

CELL = "%%claude --tools weather -o said\nHow warm is it in Oslo?"


def asked(kernel: Kernel, endpoint: Server) -> Ran:
    """A turn that is really asked, with one call."""
    defined(kernel, WEATHER)
    endpoint.answers(asks(("weather", {"city": "Oslo"}), text="Let me look."), reply("It is 18 degrees."))
    ran = kernel.run(CELL, cell_id="a")
    assert ran.error is None, ran.error
    assert kernel.value("ran") == [["Oslo", 1]]
    return ran


def restarted(kernel: Kernel, before: str) -> Kernel:
    """A kernel that has run `before` since its restart."""
    kernel.restart()
    ran = kernel.run(f"%load_ext claude_magic\nfrom claude_magic import claude\n{WEATHER}\n{before}")
    assert ran.error is None, ran.error
    return kernel


def test_a_recording_answers_without_running_the_function(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    kernel.run("from claude_magic import claude\nclaude.record('lesson.recording.txt')")
    asked(kernel, endpoint)
    endpoint.received.clear()
    again = restarted(kernel, "claude.replay('lesson.recording.txt')")
    ran = again.run(CELL)
    assert ran.error is None, ran.error
    assert again.value("said") == "It is 18 degrees."
    assert again.value("ran") == []
    assert "recorded, not run" in html(ran)
    assert endpoint.received == []
    assert again.run(CELL.replace("-o said", "--run-tools")).error is None
    assert again.value("ran") == [["Oslo", 1]]
    assert endpoint.received == []


@pytest.mark.parametrize("mode", ["on", "only"])
def test_the_journal_answers_without_running_the_function(mode: str, kernel: Kernel, endpoint: Server) -> None:
    asked(kernel, endpoint)
    endpoint.received.clear()
    again = restarted(kernel, f"claude.settings.replay = '{mode}'")
    ran = again.run(CELL, cell_id="b")
    assert ran.error is None, ran.error
    assert again.value("said") == "It is 18 degrees."
    assert again.value("ran") == []
    assert endpoint.received == []


def test_run_all_again_shows_the_same_page_and_sends_nothing(kernel: Kernel, endpoint: Server) -> None:
    asked(kernel, endpoint)
    kernel.run("claude.settings.reuse_on_run_all = True")
    endpoint.received.clear()
    assert kernel.run(CELL, cell_id="a").error is None
    assert endpoint.received == []
    assert kernel.value("ran") == [["Oslo", 1]]


def test_what_was_not_recorded_is_not_run_either(kernel: Kernel, endpoint: Server) -> None:
    defined(kernel, WEATHER)
    endpoint.answers(asks(("weather", {"city": "Oslo"})))
    kernel.run("%config Claude.max_tool_steps = 1")
    kernel.run(CELL)
    again = restarted(kernel, "claude.settings.replay = 'only'")
    ran = again.run(CELL)
    assert ran.error is not None
    assert ran.error[0] == "NotRecorded"
    assert "--run-tools" in ran.error[1]
    assert again.value("ran") == []


def test_a_step_that_nobody_can_be_asked_about_is_replayed_to_its_end(kernel: Kernel, endpoint: Server) -> None:
    asked(kernel, endpoint)
    again = restarted(kernel, "claude.settings.replay = 'only'")
    ran = again.run(CELL.replace("-o said", "--step"))
    assert ran.error is None, ran.error
    assert "It is 18 degrees." in html(ran)
    assert again.value("ran") == []
