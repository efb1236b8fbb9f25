"""The ledger of a kernel: journal, budget, usage and recording of what is sent."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..concurrency import Lock, in_child
from ..cost.budget import Budget
from ..cost.usage import Usage
from ..errors import ClaudeError, OverBudget
from ..settings import Claude
from ..wire import Exchange, Record, Request, Timing
from .costs import cost, worst_cases
from .journal_row import JournalRow, new_row, now
from .replays import Replays

if TYPE_CHECKING:
    from ..api.accumulator import Accumulator
    from ..api.client import Client
    from ..journal import Journal
    from ..journal.recordings import Recorder
    from ..wire.recorded_answer import RecordedAnswer
    from .notebook import Views


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request.

    Attributes:
        cell: The cell, and the number of this request within it.
        notebook: Its path; `""` if unknown.
        conversation: Its name; `""` for none.
        on_page: Whether the cell keeps its name when it runs again, so that a page shows its earlier answer.
        again: Whether to send even if a recorded answer exists.
    """

    cell: str
    notebook: str = ""
    conversation: str = ""
    on_page: bool = False
    again: bool = False

    def part(self, number: int | str) -> Caller:
        """The same, for one of several requests of the cell."""
        return replace(self, cell=f"{self.cell}{number}")


@dataclass(kw_only=True)
class OpenEntry:
    """The entry of a request that is being sent; the sender sets the exchange.

    Attributes:
        exchange: After the `with`, also with its price and its journal entry.
    """

    exchange: Exchange | None = None

    @property
    def result(self) -> Exchange:
        """The exchange, once it is set."""
        assert self.exchange is not None  # noqa: S101  the sender sets it
        return self.exchange


class Ledger:
    """Writes down what a kernel sends, and keeps to its budget.

    Args:
        views: How the journal is displayed.

    Attributes:
        replays: Answers from a recording or the journal.
        recorder: Writes exchanges to a recording; `None` if there is none.
        session: The id of this kernel in the journal; `""` before the journal is first used.
    """

    def __init__(self, views: Views) -> None:
        self.replays = Replays()
        self.recorder: Recorder | None = None
        self.budget = Budget()
        self.usage = Usage(views)
        self.session = ""
        self._views = views
        self._journals: dict[Path, Journal] = {}
        self._lock = Lock()
        self._is_child = False
        in_child(self._forget)

    def journal(self, settings: Claude) -> Journal | None:
        """The journal that the settings name; `None` if none is kept."""
        path = journal_path(settings)
        if path is None:
            return None
        from ..journal import Journal
        from ..journal.crash_recovery import new_session_name

        with self._lock:
            self.session = self.session or new_session_name()
            if path not in self._journals:
                self._journals[path] = Journal(path, self._views)
            return self._journals[path]

    def close(self) -> None:
        """Finishes pending writes, and closes the journals."""
        with self._lock:
            journals = [*self._journals.values()]
            self._journals.clear()
        for journal in journals:
            journal.close()

    def _forget(self) -> None:
        """In a child process: it has its own session, and the recording stays the parent's."""
        self.session, self._is_child = "", True

    def record(self, path: Path | None, settings: Claude) -> Recorder | None:
        """Starts a recording with the exchanges of this process so far; `None` ends it.

        Raises:
            SettingsError: The file cannot be written.
        """
        from ..api import credentials
        from ..journal.recordings import Recorder

        self.recorder = None
        if path is not None:
            recorder = Recorder(path, credentials.redact_secrets)
            journal = self.journal(settings)
            for place, exchange in () if journal is None else journal.session_exchanges(self.session):
                recorder.add(place, exchange)
            recorder.write()
            self.recorder = recorder
        return self.recorder

    def close_replay(self, settings: Claude, exchange: Exchange, recorded: RecordedAnswer, caller: Caller) -> Exchange:
        """The exchange with the times of the recorded one, entered in usage and recording; it costs nothing."""
        complete = exchange.message.stop_reason is not None
        events = recorded.events if complete else exchange.response.events
        exchange = replace(
            exchange,
            response=replace(exchange.response, events=events),
            timing=Timing(
                began=recorded.when,
                seconds=recorded.seconds,
                first_token_seconds=recorded.first_token_seconds,
                retries=recorded.retries,
            ),
            record=Record(entry=recorded.entry, replayed=recorded.when),
            model_note=recorded.model_note,
        )
        free = recorded.model_note or exchange.answer is not None
        exchange = exchange.with_record(usd=0.0 if free else cost(settings, exchange))
        if exchange.answer is None:
            self.usage.add(exchange.message.usage, exchange.usd, replayed=True, conversation=caller.conversation)
        return self._record(exchange, caller)

    @contextlib.contextmanager
    def open(
        self,
        settings: Claude,
        request: Request,
        caller: Caller,
        *,
        provider: str,
        client: Client,
        accumulator: Accumulator,
        priced: bool = True,
    ) -> Iterator[OpenEntry]:
        """The entry of a request that is sent within the `with`: journal row, budget, usage and recording.

        Args:
            provider: The name of the provider that answers.
            client: Counts the tokens, if a budget needs them, and redacts its key.
            accumulator: What has arrived, to be written down if the process ends.
            priced: Whether a model answers; else it costs nothing, and is no part of `claude.usage`.

        Raises:
            OverBudget: It could cost more than is left; nothing was sent.
        """
        entry, free, began = OpenEntry(), provider == "local" or not priced, now()
        journal, row = self.journal(settings), None
        if journal is not None:
            row = new_row(
                journal,
                self.session,
                request,
                caller,
                provider=provider,
                began=began,
                client=client,
                accumulator=accumulator,
            )
        reserved = self._reserve(settings, request, row, client, free=free)
        try:
            yield entry
            exchange = replace(entry.result, timing=replace(entry.result.timing, began=began))
            exchange = exchange.with_record(usd=0.0 if free else cost(settings, exchange))
            entry.exchange = exchange
            entry.exchange = exchange = exchange if row is None else row.end(exchange)
        finally:
            self.budget.settle(reserved, entry.exchange.usd if entry.exchange else None)
        if priced:
            failed = exchange.error is not None
            self.usage.add(exchange.message.usage, exchange.usd, failed=failed, conversation=caller.conversation)
        entry.exchange = self._record(exchange, caller)

    def take_batch_exchange(self, caller: Caller, exchange: Exchange) -> None:
        """Counts an exchange that was a row of a batch, and records it; the journal holds it already."""
        self.usage.add(exchange.message.usage, exchange.usd, failed=exchange.error is not None)
        self._record(exchange, caller)

    def _reserve(
        self, settings: Claude, request: Request, row: JournalRow | None, client: Client, *, free: bool
    ) -> float:
        """Reserves what the exchange can cost, and begins its row; the reserved US dollars."""
        if free or (settings.budget_usd is None and settings.budget_usd_per_day is None):
            if row is not None:
                row.begin(0.0, None)
            return 0.0
        if row is None and settings.budget_usd_per_day is not None:
            raise OverBudget(
                "Claude.budget_usd_per_day is counted in the journal, and none is kept. Nothing was sent. "
                "Set Claude.journal = None, or the budget to None."
            )
        failure: OverBudget | None = None
        for most in worst_cases(settings, request, client):
            try:
                self.budget.reserve(most, settings.budget_usd)
            except OverBudget as error:
                failure = error
                continue
            try:
                if row is not None:
                    row.begin(most, settings.budget_usd_per_day)
                return most
            except OverBudget as error:
                self.budget.settle(most, 0.0)
                failure = error
        raise failure or OverBudget(
            "how many tokens this request has cannot be told, and there is a budget. Nothing was sent. "
            "Leave attachments out, or set Claude.budget_usd = None."
        )

    def _record(self, exchange: Exchange, caller: Caller) -> Exchange:
        if self.recorder is None:
            return exchange
        if self._is_child:
            return exchange.with_notes(
                "not in the recording: this is a child process, and the recording is its parent's"
            )
        try:
            self.recorder.record(caller.cell, exchange)
        except ClaudeError as error:
            return exchange.with_notes(str(error))
        return exchange


def journal_path(settings: Claude) -> Path | None:
    """The path of the journal; `None` if none is kept."""
    if settings.journal == "":
        return None
    if settings.journal is not None:
        return Path(settings.journal).expanduser().absolute()
    return _default_path(os.environ.get("HOME"), os.environ.get("XDG_DATA_HOME"))


@functools.cache
def _default_path(*_: object) -> Path:
    """The path of the journal if no setting says otherwise; it depends on the environment."""
    import platformdirs

    return Path(platformdirs.user_data_dir("claude-magic")) / "journal.db"
