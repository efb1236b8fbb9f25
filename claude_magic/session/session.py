"""A session: sends requests with its settings, conversations, connections and ledger. No IPython, no display."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..concurrency import Lock, in_child
from ..errors import CellError, SettingsError
from ..prompt.options.options import Options
from ..prompt.snippets import Snippets
from ..settings import Claude
from ..wire.short_text import Object
from .cells import Cells, NoCells

if TYPE_CHECKING:
    from ..prompt.attachments.attach import Attachment
    from ..wire import Block, Exchange, Request
    from ..wire.presenter import Presenter
    from ..wire.tool import Call, Tool
    from .conversation import Conversation
    from .conversations import Conversations
    from .endpoint_call import EndpointCall
    from .history import PendingTurn
    from .ledger import Caller, Ledger
    from .send import PendingRequest, SessionContext
    from .turn import Turn, TurnPresenter
    from .views import Views


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A request that was not sent.

    Attributes:
        tokens: Its input tokens as the endpoint counts them, or why they are unknown.
        usd: The highest price; `None` if unknown.
        note: What the local model would ignore; `""` for nothing.
    """

    request: Request
    tokens: int | str
    usd: float | None
    note: str = ""


class Session:
    """Sends requests, and remembers what was said.

    Args:
        cells: Which cell sends a request; by default there are no cells.
        views: How conversations and the journal are shown; by default as text.

    Attributes:
        settings: The traits of `%config Claude`.
        snippets: Cells kept by name, with `--save NAME`.
        mapped: The replies of the last `map`; `None` before the first.
        last: The last exchange; after a failure it holds what arrived, and the `error`.
            `None` before the first.
    """

    def __init__(self, cells: Cells | None = None, views: Views | None = None) -> None:
        self.settings = Claude()
        self.snippets = Snippets()
        self.cells = cells or NoCells()
        self.last: Exchange | None = None
        self.mapped: Sequence[Any] | None = None
        self._views = views
        self._before: dict[str, Exchange] = {}
        self._went_on: dict[str, Exchange] = {}
        self._pool: Any = None
        self._lock = Lock()
        self._conversations: Conversations | None = None
        self._books: Ledger | None = None
        in_child(self._forget)

    @property
    def conversations(self) -> Conversations:
        """By name: turns and tokens."""
        from .conversations import Conversations

        with self._lock:
            self._conversations = self._conversations or Conversations(shown=self.views.conversation, tell=print)
            return self._conversations

    @property
    def views(self) -> Views:
        """How conversations and the journal are shown."""
        from .views import TextViews

        return self._views or TextViews()

    @property
    def ledger(self) -> Ledger:
        """What was asked, what it cost, and what is answered from a recording."""
        from .ledger import Ledger

        with self._lock:
            self._books = self._books or Ledger(self.views)
            return self._books

    def _forget(self) -> None:
        """In a child: its parent goes on with the connections."""
        self._pool = None

    @property
    def has_ledger(self) -> bool:
        """Whether the books were ever opened."""
        return self._books is not None

    def ask(
        self,
        options: Options,
        text: str,
        presenter: Presenter | None = None,
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
        tools: Mapping[str, Tool] | None = None,
    ) -> Exchange:
        """The exchange that was asked for, whole or not: look at its `error`.

        Args:
            cell: Which cell asks; asked again, it replaces its own turn of the conversation.
            attached: What goes with the text.
            tools: What is run, without asking, if the reply asks for it.
        """
        from .turn import SilentTurn

        turn = self.begin_turn(options, text, cell, attached, tools)
        turn = self.run_turn(turn, SilentTurn(presenter))
        if turn.error is not None:
            raise turn.error
        return turn.exchange

    def begin_turn(
        self,
        options: Options,
        text: str,
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
        tools: Mapping[str, Tool] | None = None,
    ) -> Turn:
        """A turn that has asked nothing yet."""
        from .turn import Turn

        means = self.context(options)
        asked = self._question(means.settings, options, text, cell, attached)
        return Turn(
            options=options,
            means=means,
            asked=asked,
            asker=self.caller(options, cell, asked.conversation),
            cell=cell,
            tools=tools or {},
            complete=functools.partial(self._complete, attached_files(attached)),
            content=functools.partial(self._content, means.settings),
        )

    def run_turn(self, turn: Turn, stage: TurnPresenter) -> Turn:
        """The turn, as far as it goes.

        Raises:
            CellError: It cannot be sent, such as for a key in it, or a budget.
            SettingsError: Nobody can be asked.
        """
        from .tool_loop import run_turn

        return self._keep(run_turn(turn, stage))

    def resume_turn(self, turn: Turn, stage: TurnPresenter, decided: Sequence[Call]) -> Turn:
        """A turn that waited, as far as it goes now, with its calls decided."""
        from .tool_loop import resume_turn

        return self._keep(resume_turn(turn, stage, decided))

    def _complete(self, files: Mapping[str, str], exchange: Exchange) -> Exchange:
        self.last = replace(exchange, files=files)
        return self.last

    def _keep(self, turn: Turn) -> Turn:
        self.last = turn.exchange
        if turn.cell:
            self._before[self.cells.lasting(turn.cell)] = self.last
        return turn

    def _content(self, settings: Claude, name: str, value: Any) -> tuple[Block, ...]:
        """The blocks of a tool's result, without the key or anything shaped like one."""
        from ..api import credentials
        from ..tools.results import blocks

        return blocks(value, name, write=self.format_value, hide=credentials.redact_secrets, most=settings.value_chars)

    def ask_times(
        self,
        options: Options,
        text: str,
        presenters: Sequence[Presenter],
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
    ) -> list[Exchange]:
        """The exchanges of a question that is asked several times at once, in order."""
        return self.ask_each([options] * options.times, text, presenters, cell, attached)

    def ask_each(
        self,
        several: Sequence[Options],
        text: str,
        presenters: Sequence[Presenter],
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
    ) -> list[Exchange]:
        """The exchanges of a question that is asked with several options, at once, in order."""
        from .ask import ask_all
        from .send import PendingRequest

        means = self.context(several[0])
        if several[0].conversation or means.settings.conversation:
            raise CellError("several replies are asked for outside of any conversation. Leave -c out.")
        asker = self.caller(several[0], cell)
        asked = [
            PendingRequest(
                options=options,
                question=self._question(means.settings, options, text, "", attached).question,
                asker=replace(asker, cell=f"{asker.cell}/{number}", place=f"{asker.place}/{number}"),
            )
            for number, options in enumerate(several, 1)
        ]
        files = attached_files(attached)
        found = ask_all(means, asked, presenters, at_once=means.settings.concurrency)
        exchanges = [replace(each, files=files) for each in found]
        self.last = exchanges[-1]
        return exchanges

    def request(
        self, call: EndpointCall, caller: Caller | None = None, presenter: Presenter | None = None, **how: Any
    ) -> Exchange:
        """The exchange of a call of any endpoint, whole or not: look at its `error`. Nobody is asked for approval.

        Args:
            caller: Which cell asks; `None` for the one that runs.
            how: `all_pages`, `save` and `profile`; see `endpoint_request.request`.
        """
        from .endpoint_request import request

        self.last = request(self, call, caller, presenter, **how)
        return self.last

    def preview(self, options: Options, text: str, cell: str = "", attached: tuple[Attachment, ...] = ()) -> Preview:
        """What `ask` would send, how many tokens that is, and what it would cost; nothing is sent."""
        from ..cost.prices import highest_cost
        from ..wire.headers import RANDOM_KEY
        from .local_model import ignored_note
        from .send import count_request

        means = self.context(options)
        settings, asking = means.settings, self.pending_request(means, options, text, cell, attached)
        request, tokens = count_request(means, asking)
        if request.headers.get("x-api-key") == RANDOM_KEY:
            note = ignored_note(request, settings, asking.question.new)
            return Preview(request=request, tokens=tokens, usd=0.0, note=note)
        cost = (
            highest_cost(request.body or {}, sent=tokens, corrections=settings.prices)
            if isinstance(tokens, int)
            else None
        )
        return Preview(request=request, tokens=tokens, usd=cost)

    def program(self, options: Options, text: str, cell: str = "", attached: tuple[Attachment, ...] = ()) -> str:
        """The request that `ask` would send, as a program in `options.show`; nothing is sent."""
        from ..export import program, unchanged
        from .send import preview_request

        means = self.context(options)
        request = preview_request(means, self.pending_request(means, options, text, cell, attached))
        return program(request, options.show, files=unchanged(attached_files(attached)))

    def previous_exchange(self, cell: str) -> Exchange | None:
        """What `cell` was answered last, in this kernel or an earlier one; `None` if it was not."""
        if self.cells.lasting(cell) in self._before:
            return self._before[self.cells.lasting(cell)]
        journal = self.ledger.journal(self.settings) if self.cells.has_name else None  # inputs have other numbers
        try:
            return None if journal is None else journal.before(cell, self.cells.notebook)
        except SettingsError:  # it cannot be read; the line under the reply will say so
            return None

    def format_value(self, value: Any) -> str:
        """How a variable's value is written in a prompt."""
        from ..prompt.values import format_value

        settings, _ = self.settings.effective()
        return format_value(value, table_rows=settings.table_rows, value_chars=settings.value_chars)

    def context(self, options: Options) -> SessionContext:
        """What it takes to ask with these options."""
        from .send import SessionContext

        settings, _ = self.settings.effective(options.profile)
        return SessionContext(settings=settings, pool=self._connections(), books=self.ledger)

    def caller(self, options: Options, cell: str, conversation: Conversation | None = None) -> Caller:
        """Who asks: the cell of this name, or the one that runs."""
        from .ledger import Caller

        cell = cell or self.cells.next()
        return Caller(
            cell=cell,
            place=cell,
            on_page=self.cells.has_name,
            notebook=self.cells.notebook,
            conversation=conversation.name if conversation is not None else "",
            again=options.again,
        )

    def pending_request(
        self, means: SessionContext, options: Options, text: str, cell: str, attached: tuple[Attachment, ...]
    ) -> PendingRequest:
        from .send import PendingRequest

        question = self._question(means.settings, options, text, cell, attached).question
        return PendingRequest(options=options, question=question, asker=self.caller(options, cell or "nobody"))

    def _question(
        self, settings: Claude, options: Options, text: str, cell: str, attached: tuple[Attachment, ...]
    ) -> PendingTurn:
        from .history import plan_turn

        if options.curl:
            return self._from_curl(options, text, cell, settings)
        return plan_turn(
            options,
            text,
            cell or os.urandom(16).hex(),
            attached,
            conversations=self.conversations,
            default=settings.conversation,
            cut=self._cut,
        )

    def _from_curl(self, options: Options, text: str, cell: str, settings: Claude) -> PendingTurn:
        """What a curl command asks."""
        from .history import PendingTurn
        from .pasted_curl import curl, refuse_options
        from .send import RequestParts

        refuse_options(options)
        body, headers = curl(text, settings.base_url)
        return PendingTurn(cell=cell, question=RequestParts(new=[], body=body, headers=headers))

    def _cut(self, cell: str) -> Exchange | None:
        """The reply that `cell` goes on with: the last one, or the same as before if the cell is run again."""
        if cell not in self._went_on and self.last is not None:
            self._went_on[cell] = self.last
        return self._went_on.get(cell)

    def _connections(self) -> Any:
        from ..api.transports.http import pool

        with self._lock:
            if self._pool is None:
                self._pool = pool()
            return self._pool


def attached_files(attached: tuple[Attachment, ...]) -> dict[str, str]:
    """The base64 data of attachments, and the file each came from."""
    pairs = ((each.block.get("source", {}), each.source) for each in attached)
    return Object({source["data"]: path for source, path in pairs if source.get("type") == "base64"})
