"""Kernels that end while a batch is made or runs: the next one attaches to it, and it is paid once."""

from __future__ import annotations

import sqlite3
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from claude_magic.batch.message_batches import creation, part
from claude_magic.journal.batches import BatchJournal
from claude_magic.magics.claude import ClaudeHandle
from tests.batch_api import BatchAPI
from tests.notebook_kernel import Kernel
from tests.server import Answer, Received

TEXTS = ["one", "two", "three"]
MAP = "batch = claude.map(['one', 'two', 'three'], batch=True)"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "LOOKS", (0.0, 0.01))
    monkeypatch.setattr(part, "_JOURNAL_SECONDS", 0.01)


class Dying(BaseException):
    """As if the process ended here: nothing after it is done."""


def states(path: Path) -> list[Any]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("select state, batch_id from batch order by id").fetchall()
    connection.close()
    return found


def die_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The next call of a method of the journal ends the kernel, as far as the journal and the API can tell."""

    def die(*_: object) -> None:
        raise Dying

    monkeypatch.setattr(BatchJournal, name, die)


def another_kernel(monkeypatch: pytest.MonkeyPatch) -> ClaudeHandle:
    """A kernel that is not the one before, which has ended."""
    from claude_magic.journal import crash_recovery

    crash_recovery._own_sessions.clear()
    part._parts.clear()
    monkeypatch.setattr(creation, "LOOKS", (0.0, 0.01))
    return ClaudeHandle()


def test_killed_between_the_creation_and_the_journal(batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ClaudeHandle()
    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "set_unclear", lambda *_: None)  # whoever is killed writes nothing more
        die_at(patch, "set_sent")
        with pytest.raises(Dying):
            first.map(TEXTS, batch=True)
    assert (batch_api.created, states(first.journal.path)) == (1, [("ready", None)])
    batch = another_kernel(monkeypatch).map(TEXTS, batch=True)
    assert batch.results() == ["ONE", "TWO", "THREE"]
    assert (batch_api.created, batch.ids) == (1, list(batch_api.batches))


def test_killed_before_the_creation_was_sent(batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ClaudeHandle()
    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "set_unclear", lambda *_: None)
        die_at(patch, "upload")
        with pytest.raises(Dying):
            first.map(TEXTS, batch=True)
    assert batch_api.received == []
    assert another_kernel(monkeypatch).map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 1


def test_killed_while_the_rows_are_written(batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ClaudeHandle()
    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "delete", lambda *_: None)
        die_at(patch, "set_ready")
        with pytest.raises(Dying):
            first.map(TEXTS, batch=True)
    assert states(first.journal.path) == [("building", None)]
    assert another_kernel(monkeypatch).map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert (batch_api.created, [state for state, _ in states(first.journal.path)]) == (1, ["read"])


def test_killed_while_the_results_are_read(batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    batch_api.polls = None
    first = ClaudeHandle()
    batch = first.map(TEXTS, batch=True)
    ended = BatchJournal.end
    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "end", lambda self, batch, several, hide: ended(self, batch, several[:1], hide))
        patch.setattr(BatchJournal, "set_read", lambda *_, **how: None)
        batch_api.end()
        batch.wait()
        assert len(first.journal.last()) == 1
    again = another_kernel(monkeypatch)
    assert again.map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert len(again.journal.last()) == 3
    assert batch_api.created == 1


def test_a_kernel_that_still_makes_the_batch_is_waited_for(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one does not send it too."""
    seen: list[Any] = []
    other = ClaudeHandle()
    respond = batch_api.respond

    def look(request: Received) -> Answer | None:
        if request.method == "POST" and not seen:
            seen.append(other.map(TEXTS, batch=True))  # while the answer to the first one is not there yet
            seen.append(seen[0].wait(0.3).done)
        return respond(request)

    monkeypatch.setattr(batch_api, "respond", look)
    monkeypatch.setattr("claude_magic.batch.message_batches.start._lock", _NoLock())  # as if in another process
    first = ClaudeHandle().map(TEXTS, batch=True)
    waiting, done = seen
    assert done is False
    assert waiting.results() == first.results() == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 1


class _NoLock:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.kernel
def test_a_real_kernel_killed_before_it_knew_the_answer_is_followed_by_another(batch_api: BatchAPI) -> None:
    dies = textwrap.dedent(
        """
        import os, signal
        from claude_magic.journal.batches import BatchJournal
        BatchJournal.set_sent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    with Kernel() as first:
        assert first.run("%load_ext claude_magic\nfrom claude_magic import claude" + dies).error is None
        first.submit(MAP)
        while first.manager.provisioner.process.poll() is None:
            time.sleep(0.05)
    assert batch_api.created == 1
    with Kernel() as second:
        assert second.run("%load_ext claude_magic\nfrom claude_magic import claude").error is None
        ran = second.run(f"{MAP}\nprint(list(batch.results()), batch.ids)")
        assert ran.error is None, ran.error
        assert f"['ONE', 'TWO', 'THREE'] {list(batch_api.batches)}" in ran.stdout
    assert batch_api.created == 1
