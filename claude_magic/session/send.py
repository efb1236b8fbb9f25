"""Sends prompts: a recorded answer is given again, or a request goes to the provider, with an entry in the ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from ..api.accumulator import Accumulator
from ..api.client import Client
from ..api.connect import connect, replay
from ..api.interrupt import Interrupt
from ..api.provider import Provider
from ..api.transports.network import Pool, is_debugging, pool
from ..concurrency import Lock, in_child
from ..errors import Interrupted, NotRecorded
from ..settings import Claude
from ..wire import Exchange, Request
from .ledger import Caller, Ledger
from .model_list import list_for_alias
from .openai_form import bearer
from .prompt import Prompt
from .prompt_cache import cache_note
from .provider import find_provider
from .request import build_request, model_name, offline_requests, refuse_turns, waiting
from .upload_memory import UploadMemory

_NO_DEBUG = (
    "http.client's debug output is left out here, as an answer may repeat the key: claude.last.request is what was "
    "sent, claude.last.headers and claude.last.events what came back"
)
_NO_CACHE = "--cache does nothing here: the local model has no prompt cache"


class Stream(Protocol):
    """Sends a request and reads its answer: a client, or something that has another process do it."""

    def stream(self, request: Request, accumulator: Accumulator) -> Exchange: ...


class Sender:
    """Sends prompts, with the ledger and the connections of a session.

    Attributes:
        uploads: Which files were uploaded before.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.uploads = UploadMemory(ledger=ledger)
        self._pool: Pool | None = None
        self._lock = Lock()
        in_child(self._forget)

    def send(
        self,
        settings: Claude,
        prompt: Prompt,
        caller: Caller,
        accumulator: Accumulator,
        interrupt: Interrupt,
        through: Stream | None = None,
    ) -> Exchange:
        """The exchange, sent or replayed; a failure is its `error`.

        Args:
            accumulator: Holds what has arrived meanwhile.
            through: Sends the request instead of a client; `None` to send it from here.

        Raises:
            CellError: It cannot be sent, such as for a key in it, or a budget.
            SettingsError: There is no provider to send it to.
        """
        if self.ledger.replays.apply(settings, caller):
            replayed = self._replay(settings, prompt, caller, accumulator, interrupt)
            if replayed is not None:
                return replayed
        target = find_provider(settings, accumulator, interrupt)
        if prompt.options.openai:
            target = bearer(target)
        client = connect(settings, target, pool=self.connections(), interrupt=interrupt, accumulator=accumulator)
        note = list_for_alias(client, target, settings, model_name(settings, target, prompt))
        request = build_request(settings, target, prompt)
        if prompt.options.turns and not prompt.options.openai:
            refuse_turns(request.body or {}, "--complete" if prompt.options.complete else "--turns")
        accumulator.set_request(request, model_note=target.model_note)
        with self.ledger.open(
            settings, request, caller, provider=target.name, client=client, accumulator=accumulator
        ) as entry:
            entry.exchange = (through or client).stream(request, accumulator)
        exchange = entry.result.with_notes(note, _NO_DEBUG * is_debugging())
        if prompt.options.cache and not prompt.options.openai:
            exchange = exchange.with_notes(_NO_CACHE if target.local else cache_note(settings, exchange))
        if not target.local:
            return exchange
        from .local_model import with_notes

        return with_notes(exchange, settings, prompt.new)

    @contextlib.contextmanager
    def endpoint(self, settings: Claude) -> Iterator[tuple[Client, Provider]]:
        """A client for questions that no model answers, and who answers them; they cost nothing.

        Raises:
            NotRecorded: Only recorded answers are given.
            SettingsError: There is no provider.
            Interrupted: The user stopped it.
        """
        if self.ledger.replays.never_sends(settings):
            raise NotRecorded("nothing is sent while only recorded answers are given: this needs the endpoint.")
        accumulator, interrupt = waiting(), Interrupt()
        try:
            target = find_provider(settings, accumulator, interrupt)
            client = connect(settings, target, pool=self.connections(), interrupt=interrupt, accumulator=accumulator)
            yield client, target
        except KeyboardInterrupt:
            raise Interrupted("stopped while the endpoint was looked at; nothing was asked of a model.") from None

    def _replay(
        self, settings: Claude, prompt: Prompt, caller: Caller, accumulator: Accumulator, interrupt: Interrupt
    ) -> Exchange | None:
        """The replayed exchange; `None` if the prompt is to be sent.

        Raises:
            NotRecorded: It is not to be sent, and there is no recorded answer.
        """
        replays = self.ledger.replays
        journal = self.ledger.journal(settings) if replays.recording is None else None
        requests: list[Request] = []
        for request in offline_requests(settings, prompt, sends=not replays.never_sends(settings)):
            requests.append(request)
            recorded = replays.answer(settings, request, caller, journal)
            if recorded is not None:
                accumulator.set_request(request, model_note=recorded.model_note)
                exchange = replay(settings, recorded, interrupt=interrupt).stream(request, accumulator)
                return self.ledger.close_replay(settings, exchange, recorded, caller)
        if replays.never_sends(settings):  # of the requests it may have been, the one that differs least
            raise min((replays.error(request, journal) for request in requests), key=lambda error: len(str(error)))
        return None

    def connections(self) -> Pool:
        """The connections that are kept, and what their endpoints asked for."""
        with self._lock:
            self._pool = self._pool or pool()
            return self._pool

    def close(self) -> None:
        """Closes the connections and the journals; both are opened again when they are used."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
        self.ledger.close()

    def _forget(self) -> None:
        """In a child process: its parent keeps the connections."""
        self._pool = None
