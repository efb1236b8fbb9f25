"""Kernels that end while a batch is made or runs: the next one attaches to it, and it is paid once."""

from __future__ import annotations

import os
import sqlite3
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from claude_magic.batch.message_batches import creation, part
from claude_magic.batch.message_batches.access import access
from claude_magic.errors import APIError, CellError, Interrupted, SettingsError
from claude_magic.journal import crash_recovery
from claude_magic.journal.batch_rows import Place
from claude_magic.journal.batches import BatchJournal
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.prompt.options.options import Options
from tests.batch_api import BatchAPI
from tests.notebook_kernel import Kernel
from tests.server import Answer, Received, failure

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
    monkeypatch.setattr(crash_recovery, "_own_sessions", set())  # those of other tests are kept
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
    ended, kept = BatchJournal.end, [1]

    def keep_one(journal: BatchJournal, number: int, several: Any, hide: Any) -> Any:
        return ended(journal, number, several[: kept.pop() if kept else 0], hide)

    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "end", keep_one)
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


def test_stopped_while_batches_are_made_nothing_is_left_that_others_wait_for(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    from claude_magic.batch.message_batches import start as start_module
    from claude_magic.batch.message_batches.plan import plan

    monkeypatch.setattr(start_module, "plan", lambda *how: plan(*how, most_requests=1))
    upload = BatchJournal.upload
    asked: list[int] = []

    def interrupted(self: BatchJournal, batch: int) -> Any:
        asked.append(batch)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return upload(self, batch)

    first = ClaudeHandle()
    first.settings.budget_usd = 5.0
    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "upload", interrupted)
        with pytest.raises(Interrupted, match="stopped while batches were made"):
            first.map(TEXTS, batch=True)
    assert [state for state, _ in states(first.journal.path)] == ["sent", "unclear"]
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 3
    first.map(TEXTS, batch=True).wait()


def test_what_is_reserved_for_a_batch_of_unknown_fate_is_given_back_at_its_end(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    handle.settings.budget_usd = 5.0
    batch_api.creations = [failure(500, "api_error", "oops")]
    with pytest.raises(APIError):
        handle.map(TEXTS, batch=True)
    budget = handle.session.ledger.budget
    assert budget.remaining(5.0) < 5.0
    batch = handle.map(TEXTS, batch=True)
    batch.wait()
    assert budget.remaining(5.0) == pytest.approx(5.0 - batch.usd)


def test_a_kernel_that_dies_while_another_waits_for_its_batch(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ClaudeHandle()
    journal = BatchJournal(first.journal)
    place = Place(session="none-1-dead", endpoint=batch_api.url)
    number = journal.begin(place, "2026-11-28T00:00:00.000+00:00")
    second = ClaudeHandle()
    monkeypatch.setattr(crash_recovery, "may_run", lambda *_: True)
    first_request = second.map(TEXTS, batch=True).results()
    assert first_request == ["ONE", "TWO", "THREE"]
    waiting = part.Part(number)
    context = access(second.session, Options())
    waiting.look(context)
    assert (waiting.note, waiting.failure) == ("another kernel is making it", None)
    monkeypatch.setattr(crash_recovery, "may_run", lambda *_: False)
    waiting.due = 0.0
    waiting.look(context)
    assert "ended before it was sent. Run it again" in str(waiting.failure)


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_in_a_forked_child_a_batch_of_the_parent_says_who_watches_it(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().map(TEXTS, batch=True)
    child = os.fork()
    if child == 0:
        try:
            batch.wait()
        except CellError as error:
            os._exit(7 if "the parent process watches" in str(error) else 8)
        os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    batch_api.end()
    assert batch.results() == ["ONE", "TWO", "THREE"]


def test_a_journal_that_cannot_be_written_after_the_creation_pays_nothing_twice(
    batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SettingsError("the journal cannot be written: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(BatchJournal, "set_sent", full)
        with pytest.raises(SettingsError, match="the disk is full"):
            ClaudeHandle().map(TEXTS, batch=True)
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 1
