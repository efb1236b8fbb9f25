"""The notebook's books: what was answered before, what is written down, what it costs, what is left.

An exchange passes here on its way: a recorded answer is given instead, or what it can cost is set
aside, its row is begun, it is sent, and its entry is closed.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.endpoints.count_tokens import count
from ..concurrency import Lock, in_child
from ..cost import prices
from ..cost.budget import Budget
from ..cost.token_bounds import token_bound
from ..cost.usage import Usage
from ..errors import APIError, ClaudeError, ConnectionFailed, ExchangeError, NotRecorded, OverBudget, SettingsError
from ..settings import Claude
from ..wire import Block, Exchange, Message, Request
from ..wire.tool import DONE, FAILED, Call

if TYPE_CHECKING:
    from ..api.accumulator import Accumulator
    from ..api.client import Client
    from ..journal import Entry, Journal, Limit
    from ..journal.recordings import Recorder, Recording
    from ..journal.request_counts import RequestCounts
    from ..wire.recorded_answer import RecordedAnswer
    from .views import Views


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        cell: The cell, and the how manieth question of it.
        place: The same, also where equal cells have no names of their own.
        notebook: Its path; `""` if unknown.
        conversation: Its name; `""` for none.
        on_page: Whether a page shows what that cell was answered before.
        again: Whether to ask although an answer is recorded.
    """

    cell: str
    place: str
    on_page: bool = False
    notebook: str = ""
    conversation: str = ""
    again: bool = False


@dataclass(kw_only=True)
class OpenEntry:
    """A request that is being sent; whoever sends it sets the exchange.

    Attributes:
        exchange: What came back; after the `with`, also with its price and its number in the journal.
    """

    exchange: Exchange | None = None

    @property
    def result(self) -> Exchange:
        """The exchange, once it is set."""
        assert self.exchange is not None  # noqa: S101  the sender sets it
        return self.exchange


class Ledger:
    """The books of one kernel.

    Args:
        views: How the journal is shown.

    Attributes:
        recording: A file that answers; `None` if none does.
        recorder: Writes what is asked to a file; `None` if none does.
    """

    def __init__(self, views: Views) -> None:
        self.recording: Recording | None = None
        self.recorder: Recorder | None = None
        self.budget = Budget()
        self.usage = Usage()
        self.session = ""
        self._views = views
        self._journals: dict[Path, Journal] = {}
        self._lock = Lock()
        self._records = True
        in_child(self._forget)
        self._answering: RequestCounts | None = None

    def journal(self, settings: Claude) -> Journal | None:
        """The journal that the settings name; `None` if none is kept."""
        path = journal_path(settings)
        if path is None:
            return None
        from ..journal import Journal
        from ..journal.crash_recovery import session

        with self._lock:
            self.session = self.session or session()
            if path not in self._journals:
                self._journals[path] = Journal(path, shown=self._views.entries, sums=self._views.spending)
            return self._journals[path]

    def _forget(self) -> None:
        """In a child: its rows are of a session of its own, and its parent goes on with the recording."""
        self.session, self._records = "", False

    def record(self, path: Path | None, settings: Claude) -> Recorder | None:
        """Start a recording with the exchanges of this process so far; `None` ends it.

        Raises:
            SettingsError: The file cannot be written.
        """
        from ..api import credentials
        from ..journal.recordings import Recorder

        self.recorder = None
        if path is not None:
            recorder = Recorder(path, credentials.redact_secrets)
            journal = self.journal(settings)
            for place, exchange in () if journal is None else journal.of_session(self.session):
                recorder.take(place, exchange)
            recorder.write()
            self.recorder = recorder
        return self.recorder

    def replay(self, path: Path | None) -> Recording | None:
        """Answer from a recording only; `None` ends it.

        Raises:
            SettingsError: It cannot be read, or is no recording.
        """
        from ..journal import recordings

        self.recording = None if path is None else recordings.read(path)
        return self.recording

    def never_sends(self, settings: Claude) -> bool:
        """Whether only recorded answers are given."""
        return self.recording is not None or settings.replay == "only"

    def may_replay(self, settings: Claude, asker: Caller) -> bool:
        """Whether a recorded answer is looked for."""
        return self.never_sends(settings) or (
            not asker.again and (settings.replay == "on" or settings.reuse_on_run_all)
        )

    def recorded_answer(self, settings: Claude, request: Request, asker: Caller) -> RecordedAnswer | None:
        """The recorded answer that `request` gets; `None` if there is none."""
        from ..journal.request_counts import RequestCounts

        self._answering = self._answering or RequestCounts()
        number = self._answering.number(request, asker.place)
        if self.recording is not None:
            return self.recording.answer(request, number)
        journal = self.journal(settings)
        if journal is None:
            return None
        try:
            if settings.replay == "off":
                return journal.shown_answer(request, asker.cell) if asker.on_page else None
            return journal.answer(request, number, only=settings.replay == "only")
        except SettingsError:  # it cannot be read; the line under the reply will say so
            if settings.replay == "only":
                raise
            return None

    def recorded_calls(self, settings: Claude, exchange: Exchange) -> tuple[Call, ...]:
        """The calls of a reply that was replayed, with their recorded results; no function runs for them.

        Raises:
            NotRecorded: What came next is not recorded.
        """
        journal = self.journal(settings) if self.recording is None else None
        source = self.recording or journal
        found = source.results(exchange) if source is not None else None
        if found is None or len(found) != len(exchange.calls):
            raise NotRecorded("what its functions returned is not recorded. Nothing was run. --run-tools runs them.")
        return tuple(map(_with_result, exchange.calls, found))  # in their order: history sees to it

    def not_recorded_error(self, settings: Claude, request: Request) -> NotRecorded:
        """Why nothing is sent."""
        if self.recording is not None:
            return self.recording.not_recorded(request)
        journal = self.journal(settings)
        why = "there is no journal, for Claude.journal is ''." if journal is None else journal.nearest(request)
        return NotRecorded(
            f"not recorded in the journal: {why} Nothing was sent. Undo that, or set Claude.replay = 'on' to send it."
        )

    def close_replay(self, settings: Claude, exchange: Exchange, recorded: RecordedAnswer, asker: Caller) -> Exchange:
        """Close the books on an answer that was given again: it takes as long as it took, and costs nothing."""
        made = replace(
            exchange,
            seconds=recorded.seconds,
            first_token_seconds=recorded.first_token_seconds,
            events=recorded.events if exchange.message.stop_reason else exchange.events,
            retries=recorded.retries,
            model_note=recorded.model_note,
            began=recorded.when,
            replayed=recorded.when,
            entry=recorded.entry,
        )
        made = replace(made, usd=0.0 if recorded.model_note or made.answer is not None else _usd(settings, made))
        if made.answer is None:
            self.usage.add(made.message.usage, made.usd, replayed=True, conversation=asker.conversation)
        return self._record(made, asker)

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
            accumulator: What has arrived, to write it down if the process ends.
            priced: Whether a model answers; else it costs nothing, and is no part of `claude.usage`.

        Raises:
            OverBudget: It could cost more than is left; nothing was sent.
        """
        entry, free = OpenEntry(), provider == "local" or not priced
        began = _now()
        row = self._row(settings, request, accumulator, caller, provider, began, client)
        reserved = self._reserve(settings, request, row, client, free=free)
        try:
            yield entry
            exchange = replace(entry.result, began=began)
            entry.exchange = exchange = replace(exchange, usd=0.0 if free else _usd(settings, exchange))
            entry.exchange = exchange = self._end_row(settings, row, exchange)
        finally:
            self.budget.settle(reserved, entry.exchange.usd if entry.exchange else None)
        if priced:
            failed = exchange.error is not None
            self.usage.add(exchange.message.usage, exchange.usd, failed=failed, conversation=caller.conversation)
        entry.exchange = self._record(exchange, caller)

    def _row(
        self,
        settings: Claude,
        request: Request,
        accumulator: Accumulator,
        caller: Caller,
        provider: str,
        began: str,
        client: Client,
    ) -> Entry | None:
        if self.journal(settings) is None:
            return None
        from ..journal import Entry, Place
        from ..journal.rows import begin_columns

        place = Place(
            session=self.session,
            notebook=caller.notebook,
            cell=caller.cell,
            place=caller.place,
            conversation=caller.conversation,
            provider=provider,
        )
        columns, attachments = begin_columns(request, place, began)
        return Entry(columns=columns, attachments=attachments, arrived=accumulator.events_since, hide=client.redact)

    def _reserve(self, settings: Claude, request: Request, entry: Entry | None, client: Client, *, free: bool) -> float:
        """Set aside what the exchange can cost, and begin its row; what was set aside, in US dollars."""
        if free or (settings.budget_usd is None and settings.budget_usd_per_day is None):
            self._begin(settings, entry, 0.0, None)
            return 0.0
        if entry is None and settings.budget_usd_per_day is not None:
            raise OverBudget(
                "Claude.budget_usd_per_day is counted in the journal, and none is kept. Nothing was sent. "
                "Set Claude.journal = None, or the budget to None."
            )
        refused: OverBudget | None = None
        for most in _worst_cases(settings, request, client):
            try:
                self.budget.reserve(most, settings.budget_usd)
                try:
                    self._begin(settings, entry, most, settings.budget_usd_per_day)
                except OverBudget:
                    self.budget.settle(most, 0.0)
                    raise
                return most
            except OverBudget as error:
                refused = error
        raise refused or OverBudget(
            "how many tokens this request has cannot be told, and there is a budget. Nothing was sent. "
            "Leave attachments out, or set Claude.budget_usd = None."
        )

    def _begin(self, settings: Claude, entry: Entry | None, most: float, limit: float | None) -> None:
        journal = self.journal(settings)
        if journal is not None and entry is not None:
            journal.writer.begin(entry, most, None if limit is None else _today(limit))

    def _end_row(self, settings: Claude, entry: Entry | None, exchange: Exchange) -> Exchange:
        journal = self.journal(settings)
        if journal is None or entry is None:
            return exchange
        from ..journal.rows import end_columns

        note = journal.writer.end(
            entry, end_columns(exchange, datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
        )
        return replace(exchange, entry=entry.id, notes=(*exchange.notes, note) if note else exchange.notes)

    def _record(self, exchange: Exchange, asker: Caller) -> Exchange:
        if self.recorder is None:
            return exchange
        if not self._records:
            note = "not in the recording: this is a child process, and the recording is its parent's"
            return replace(exchange, notes=(*exchange.notes, note))
        try:
            self.recorder.record(asker.place, exchange)
        except ClaudeError as error:
            return replace(exchange, notes=(*exchange.notes, str(error)))
        return exchange


def _with_result(call: Call, block: Block) -> Call:
    """A call with its recorded result."""
    content = block.get("content")
    blocks = tuple(content) if isinstance(content, list) else ({"type": "text", "text": str(content or "")},)
    return replace(call, state=FAILED if block.get("is_error") else DONE, content=blocks, note="recorded, not run")


def _worst_cases(settings: Claude, request: Request, client: Client) -> Iterator[float]:
    """The most that a request can cost: by a bound that asks nobody, then by the tokens that the endpoint counts.

    Raises:
        OverBudget: The price of its model is unknown.
    """
    body = request.body or {}
    if prices.highest_cost(body, sent=1, corrections=settings.prices) is None:
        if settings.unpriced == "refuse":
            model = str(body.get("model"))
            raise OverBudget(
                f"the price of {model} is unknown, and there is a budget. Nothing was sent. Set Claude.prices = "
                f"{{{model!r}: {{'input': ..., 'output': ...}}}}, or Claude.unpriced = 'allow'."
            )
        yield 0.0
        return
    tokens = token_bound(body)
    if tokens is not None:
        yield _known_price(prices.highest_cost(body, sent=tokens, corrections=settings.prices))
    try:
        yield _known_price(prices.highest_cost(body, sent=count(client, request), corrections=settings.prices))
    except ExchangeError:
        return


def _known_price(usd: float | None) -> float:
    assert usd is not None  # noqa: S101  the price of the model is known
    return usd


def _usd(settings: Claude, exchange: Exchange) -> float | None:
    """What an exchange cost; of a reply that broke off, what had arrived."""
    if not exchange.message.body:
        refused = isinstance(exchange.error, APIError | ConnectionFailed)
        return 0.0 if refused else None
    model = exchange.message.model or str((exchange.request.body or {}).get("model", ""))
    usage = exchange.message.usage
    if exchange.message.stop_reason is None:
        usage = {
            **usage,
            "output_tokens": max(_estimate_output_tokens(exchange.message), usage.get("output_tokens") or 0),
        }
    return prices.cost_usd(model, usage, corrections=settings.prices)


def _estimate_output_tokens(message: Message) -> int:
    """About how many tokens had arrived."""
    texts: list[Any] = [block.get(name) for block in message.content for name in ("text", "thinking")]
    return round(sum(len(text) for text in texts if isinstance(text, str)) / 4)


def _now() -> str:
    """As the journal writes a moment."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _today(limit: float) -> Limit:
    from ..journal import Limit
    from ..journal.deletion import moment

    return Limit(usd=limit, since=moment(date.today()))


def journal_path(settings: Claude) -> Path | None:
    """Where the journal is; `None` if none is kept."""
    if settings.journal == "":
        return None
    if settings.journal is not None:
        return Path(settings.journal).expanduser().absolute()
    return _default(os.environ.get("HOME"), os.environ.get("XDG_DATA_HOME"))


@functools.cache
def _default(*_: object) -> Path:
    """Where the journal is by itself; it depends on the environment."""
    import platformdirs

    return Path(platformdirs.user_data_dir("claude-magic")) / "journal.db"
