"""Where no thread can be started, everything runs in its caller, one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from claude_magic import claude as handle
from claude_magic import concurrency
from claude_magic.errors import SettingsError
from claude_magic.magics.claude import ClaudeHandle
from tests.batch_api import BatchAPI
from tests.notebook_shell import Shell
from tests.server import STREAM, Answer, Server, event, reply, text_events
from tests.tool_streams import asks

_TOOLS = """
import asyncio
from claude_magic import claude

@claude.tool(approve=False)
def weather(city: str) -> str:
    "The weather."
    return f"rain in {city}"

@claude.tool(approve=False)
async def later(city: str) -> str:
    "The weather later."
    await asyncio.sleep(0.01)
    return f"sun in {city}"
"""


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours cannot be started; those of the scripted API can."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("claude-magic"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_it_is_known_that_there_are_none() -> None:
    assert not concurrency.can_run_beside()


def test_a_cell_is_answered_and_in_the_journal(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hello", " there"))
    ran = shell.run("%%claude\nHi")
    assert ran.error is None
    assert "Hello there" in ran.text
    assert handle.journal.exchange(1).text == "Hello there"


def test_a_reply_grows_as_it_arrives(shell: Shell, endpoint: Server) -> None:
    grown, complete = threading.Event(), threading.Event()
    pieces: list[bytes | Callable[[], object]] = []
    for each in text_events(["word "] * 300):
        pieces += [event(each), lambda: grown.wait(0.2)]  # what came last is shown with the next event
    endpoint.answers(Answer(headers=STREAM, pieces=[*pieces[:-4], complete.set, *pieces[-4:]]))

    def watch(message: dict[str, Any]) -> None:
        if "word" in str(message["content"]) and not complete.is_set():
            grown.set()

    shell.run("%%claude\nHi", watch=watch)
    assert grown.is_set()


def test_several_requests_are_sent_one_after_another(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    ran = shell.run("%%claude --times 2\nHi")
    assert ran.error is None
    assert [word in ran.text for word in ("one", "two")] == [True, True]


def test_functions_run_and_an_async_one_that_waits_says_why_it_cannot(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"}), ("later", {"city": "Rome"})), reply("Rain."))
    shell.run(_TOOLS)
    assert shell.run("%%claude --tools weather,later\nHow is it?").error is None
    first, second = endpoint.last.json["messages"][-1]["content"]
    assert first["content"][0]["text"] == "rain in Oslo"
    assert "no thread can be started" in second["content"][0]["text"]


def test_a_table_is_mapped(endpoint: Server) -> None:
    endpoint.answers(reply("yes"))
    claude = ClaudeHandle()
    assert claude.map(["a", "b", "c"]) == ["yes"] * 3
    claude.session.close()


def test_a_batch_is_looked_at_by_whoever_waits(batch_api: BatchAPI) -> None:
    claude = ClaudeHandle()
    batch_api.polls = None
    batch = claude.map(["one", "two"], batch=True)
    batch_api.end()
    assert batch.results() == ["ONE", "TWO"]
    claude.session.close()


def test_a_wait_for_a_batch_ends_in_time(batch_api: BatchAPI) -> None:
    claude = ClaudeHandle()
    batch_api.polls = None
    batch = claude.map(["one"], batch=True)
    assert not batch.wait(0.01).done
    claude.session.close()


def test_a_server_of_its_own_process_says_that_it_cannot_run(shell: Shell) -> None:
    ran = shell.run("from claude_magic import claude; claude.mcp('here', 'python -m none')")
    assert ran.error is not None
    assert "cannot run here" in ran.error[1]


def test_the_local_model_says_that_it_cannot_run() -> None:
    from claude_magic import local

    with pytest.raises(SettingsError, match="cannot run here: it needs a process"):
        local.start()
