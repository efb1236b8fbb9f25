"""What stands behind the `claude` object and the magics: from options and a text to what comes back."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..concurrency import Lock, in_child
from ..errors import CellError, SettingsError
from ..magics.export import Programs
from ..magics.ipython.cells import Cells
from ..prompt.options.options import Options
from ..prompt.snippets import Snippets
from ..settings import Claude

if TYPE_CHECKING:
    from ..display.tables.map_replies import Replies
    from ..prompt.attachments.attach import Attachment
    from ..wire import Block, Exchange
    from ..wire.tool import Call, Tool
    from .conversation import Conversation
    from .conversations import Conversations
    from .history import Asked
    from .ledger import Asker, Books
    from .send import Asking, Means
    from .turn import Stage, Turn


class Desk:
    """Asks for the cells of one shell.

    Attributes:
        settings: What `%config Claude` shows.
        snippets: Cells kept by name, with `--save NAME`.
        cells: Which cell is running.
        mapped: The replies of the last `map`; `None` before the first.
        last: The last exchange; after a failure it holds what arrived, and the `error`.
            `None` before the first.
    """

    def __init__(self) -> None:
        self.settings = Claude()
        self.snippets = Snippets()
        self.cells = Cells()
        self.last: Exchange | None = None
        self.mapped: Replies | None = None
        self._before: dict[str, Exchange] = {}
        self._went_on: dict[str, Exchange] = {}
        self._pool: Any = None
        self._lock = Lock()
        self._conversations: Conversations | None = None
        self._books: Books | None = None
        in_child(self._forget)

    @property
    def conversations(self) -> Conversations:
        """By name: turns and tokens."""
        from .conversations import Conversations

        with self._lock:
            self._conversations = self._conversations or Conversations(shown=_shown, tell=print)
            return self._conversations

    @property
    def books(self) -> Books:
        """What was asked, what it cost, and what is answered from a recording."""
        from ..magics.journal_views import journal
        from .ledger import Books

        with self._lock:
            self._books = self._books or Books(journal)
            return self._books

    def _forget(self) -> None:
        """In a child: its parent goes on with the connections."""
        self._pool = None

    @property
    def has_asked(self) -> bool:
        """Whether the books were ever opened."""
        return self._books is not None

    def ask(
        self,
        options: Options,
        text: str,
        reader: Any = None,
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
        from ..magics.presenters import Unseen

        turn = self.play(self.begun(options, text, cell, attached, tools), Unseen(reader))
        if turn.error is not None:
            raise turn.error
        return turn.exchange

    def begun(
        self,
        options: Options,
        text: str,
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
        tools: Mapping[str, Tool] | None = None,
    ) -> Turn:
        """A turn that has asked nothing yet."""
        from .turn import Turn

        means = self.means(options)
        asked = self._question(means.settings, options, text, cell, attached)
        return Turn(
            options=options,
            means=means,
            asked=asked,
            asker=self.asker(options, cell, asked.conversation),
            cell=cell,
            tools=tools or {},
            complete=functools.partial(self._completed, Programs(attached)),
            content=functools.partial(self._content, means.settings),
        )

    def play(self, turn: Turn, stage: Stage) -> Turn:
        """The turn, as far as it goes.

        Raises:
            CellError: It cannot be sent, such as for a key in it, or a budget.
            SettingsError: Nobody can be asked.
        """
        from .tool_loop import played

        return self._kept(played(turn, stage))

    def go_on(self, turn: Turn, stage: Stage, decided: Sequence[Call]) -> Turn:
        """A turn that waited, as far as it goes now, with its calls decided."""
        from .tool_loop import gone_on

        return self._kept(gone_on(turn, stage, decided))

    def _completed(self, programs: Programs, exchange: Exchange) -> Exchange:
        self.last = replace(exchange, program=programs)
        return self.last

    def _kept(self, turn: Turn) -> Turn:
        self.last = turn.exchange
        if turn.cell:
            self._before[self.cells.lasting(turn.cell)] = self.last
        return turn

    def _content(self, settings: Claude, name: str, value: Any) -> tuple[Block, ...]:
        """The blocks of a tool's result, without the key or anything shaped like one."""
        from ..api import credentials
        from ..tools.results import blocks

        return blocks(value, name, write=self.written, hide=credentials.hidden, most=settings.value_chars)

    def ask_times(
        self, options: Options, text: str, readers: Any, cell: str = "", attached: tuple[Attachment, ...] = ()
    ) -> list[Exchange]:
        """The exchanges of a question that is asked several times at once, in order."""
        return self.ask_each([options] * options.times, text, readers, cell, attached)

    def ask_each(
        self,
        several: Sequence[Options],
        text: str,
        readers: Any,
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
    ) -> list[Exchange]:
        """The exchanges of a question that is asked with several options, at once, in order."""
        from .ask import ask_all
        from .send import Asking

        means = self.means(several[0])
        if several[0].conversation or means.settings.conversation:
            raise CellError("several replies are asked for outside of any conversation. Leave -c out.")
        asker = self.asker(several[0], cell)
        asked = [
            Asking(
                options=options,
                question=self._question(means.settings, options, text, "", attached).question,
                asker=replace(asker, cell=f"{asker.cell}/{number}", place=f"{asker.place}/{number}"),
            )
            for number, options in enumerate(several, 1)
        ]
        programs = Programs(attached)
        found = ask_all(means, asked, readers, at_once=means.settings.concurrency)
        exchanges = [replace(each, program=programs) for each in found]
        self.last = exchanges[-1]
        return exchanges

    def preview(self, options: Options, text: str, cell: str = "", attached: tuple[Attachment, ...] = ()) -> str:
        """What `ask` would send, how many tokens that is, and what it would cost; nothing is sent."""
        from ..cost.prices import as_of, most
        from ..display.reply.preview import preview
        from ..wire.headers import RANDOM_KEY
        from .local_model import ignored_note
        from .send import prepared

        means = self.means(options)
        settings, asking = means.settings, self._asking(means, options, text, cell, attached)
        request, tokens = prepared(means, asking)
        if request.headers.get("x-api-key") == RANDOM_KEY:
            note = ignored_note(request, settings, asking.question.new)
            return preview(request, tokens, 0.0, as_of=as_of(), note=note)
        cost = most(request.body or {}, sent=tokens, corrections=settings.prices) if isinstance(tokens, int) else None
        return preview(request, tokens, cost, as_of=as_of())

    def program(self, options: Options, text: str, cell: str = "", attached: tuple[Attachment, ...] = ()) -> str:
        """The request that `ask` would send, as a program in `options.show`; nothing is sent."""
        from .send import shown

        means = self.means(options)
        return Programs(attached)(shown(means, self._asking(means, options, text, cell, attached)), options.show)

    def before(self, cell: str) -> Exchange | None:
        """What `cell` was answered last, in this kernel or an earlier one; `None` if it was not."""
        if self.cells.lasting(cell) in self._before:
            return self._before[self.cells.lasting(cell)]
        journal = self.books.journal(self.settings) if self.cells.has_name else None  # inputs have other numbers
        try:
            return None if journal is None else journal.before(cell, self.cells.notebook)
        except SettingsError:  # it cannot be read; the line under the reply will say so
            return None

    def written(self, value: Any) -> str:
        """How a variable's value is written in a prompt."""
        from ..prompt.values import written

        settings, _ = self.settings.effective()
        return written(value, table_rows=settings.table_rows, value_chars=settings.value_chars)

    def means(self, options: Options) -> Means:
        """What it takes to ask with these options."""
        from .send import Means

        settings, _ = self.settings.effective(options.profile)
        return Means(settings=settings, pool=self._connections(), books=self.books)

    def asker(self, options: Options, cell: str, conversation: Conversation | None = None) -> Asker:
        """Who asks: the cell of this name, or the one that runs."""
        from .ledger import Asker

        cell = cell or self.cells.next()
        return Asker(
            cell=cell,
            place=cell,
            on_page=self.cells.has_name,
            notebook=self.cells.notebook,
            conversation=conversation.name if conversation is not None else "",
            again=options.again,
        )

    def _asking(self, means: Means, options: Options, text: str, cell: str, attached: tuple[Attachment, ...]) -> Asking:
        from .send import Asking

        question = self._question(means.settings, options, text, cell, attached).question
        return Asking(options=options, question=question, asker=self.asker(options, cell or "nobody"))

    def _question(
        self, settings: Claude, options: Options, text: str, cell: str, attached: tuple[Attachment, ...]
    ) -> Asked:
        from .history import asked

        if options.curl:
            return self._pasted(options, text, cell, settings)
        return asked(
            options,
            text,
            cell or os.urandom(16).hex(),
            attached,
            conversations=self.conversations,
            default=settings.conversation,
            cut=self._cut,
        )

    def _pasted(self, options: Options, text: str, cell: str, settings: Claude) -> Asked:
        """What a curl command asks."""
        from ..magics.export import curl, refuse_options
        from .history import Asked
        from .send import Question

        refuse_options(options)
        body, headers = curl(text, settings.base_url)
        return Asked(cell=cell, question=Question(new=[], body=body, headers=headers))

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


def _shown(conversation: Conversation) -> Mapping[str, str]:
    from ..display.reply.conversation import bundle

    rows = [(turn.messages, turn.model, turn.usage) for turn in conversation.turns]
    return bundle(repr(conversation), rows)
