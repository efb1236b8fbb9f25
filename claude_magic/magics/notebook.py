"""`claude`: the notebook's handle on the API from Python."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cell.options import Options, from_keywords
from ..errors import CellError, ClaudeError, SettingsError
from ..settings import Claude
from ..snippets import Snippets
from .cells import Cells
from .programs import Programs

if TYPE_CHECKING:
    from ..cell.attachments import Attachment
    from ..conversation import Conversation, Conversations
    from ..conversation.tally import Usage
    from ..display.replies import Replies
    from ..journal import Journal
    from ..journal.recording import Recorder, Recording
    from ..wire import Exchange
    from .books import Asker, Books
    from .catalogue import Models
    from .counting import Count
    from .grading import Rubric
    from .question import Asked
    from .sending import Asking, Means


class Notebook:
    """Ask from Python, and look at the last exchange.

    Attributes:
        settings: What `%config Claude` shows.
        conversations: By name: turns and tokens.
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
        self._shell: Any = None
        self._pool: Any = None
        self._lock = threading.Lock()

    @functools.cached_property
    def conversations(self) -> Conversations:
        """By name: turns and tokens."""
        from ..conversation import Conversations

        return Conversations(shown=_shown)

    @functools.cached_property
    def books(self) -> Books:
        """What was asked, what it cost, and what is answered from a recording."""
        from .books import Books
        from .looking import journal

        return Books(journal)

    @property
    def journal(self) -> Journal:
        """Every exchange of yours, also those of other notebooks; shown, the last ones.

        Raises:
            SettingsError: `Claude.journal` is `""`: none is kept.
        """
        found = self.books.journal(self.settings)
        if found is None:
            raise SettingsError("no journal is kept: Claude.journal is ''. Set it to None, or to a path.")
        return found

    @property
    def has_asked(self) -> bool:
        """Whether the books were ever opened."""
        return "books" in self.__dict__

    @property
    def usage(self) -> Usage:
        """What this kernel has used: exchanges, tokens and dollars, also by conversation."""
        return self.books.usage

    def record(self, path: str | Path | None) -> Recorder | None:
        """Record this kernel's exchanges, those before and those to come, in a text file made for git.

        Args:
            path: Such as `"lesson.claude.jsonl"`; `None` ends it.

        Raises:
            SettingsError: The file cannot be written.
        """
        from .looking import recorder

        self.books.recorder = None if path is None else recorder(Path(path), self.books, self.settings)
        return self.books.recorder

    def replay(self, path: str | Path | None) -> Recording | None:
        """Answer from a file that `record` wrote, and from nothing else; nothing is sent.

        Args:
            path: `None` ends it.

        Raises:
            SettingsError: It cannot be read, or is no recording.
        """
        from ..journal import recording

        self.books.recording = None if path is None else recording.read(Path(path))
        return self.books.recording

    def __call__(self, text: str, **options: Any) -> Exchange:
        """Ask, and return the exchange without displaying it.

        Args:
            text: The user message, sent exactly as given.
            options: The options of `%%claude`, with underscores: `max_tokens=100`, `stop=["."]`.

        Raises:
            ClaudeError: The exchange failed; `claude.last` holds what arrived.
        """
        exchange = self.ask(from_keywords(options), text)
        if exchange.error is not None:
            raise exchange.error
        return exchange

    def ask(
        self,
        options: Options,
        text: str,
        reader: Any = None,
        cell: str = "",
        attached: tuple[Attachment, ...] = (),
    ) -> Exchange:
        """The exchange that was asked for, whole or not: look at its `error`.

        Args:
            cell: Which cell asks; asked again, it replaces its own turn of the conversation.
            attached: What goes with the text.
        """
        from .asking import ask
        from .sending import Asking

        means = self.means(options)
        question = self._question(means.settings, options, text, cell, attached)
        asker = self.asker(options, cell, question.conversation)
        exchange = ask(means, Asking(options=options, question=question.question, asker=asker), reader)
        self.last = replace(question.remember(exchange), program=Programs(attached))
        if cell:
            self._before[cell] = self.last
        return self.last

    def program(self, options: Options, text: str, cell: str = "", attached: tuple[Attachment, ...] = ()) -> str:
        """The request that `ask` would send, as a program in `options.show`; nothing is sent."""
        from .sending import shown

        means = self.means(options)
        return Programs(attached)(shown(means, self._asking(means, options, text, cell, attached)), options.show)

    def count(self, what: Any, *, cell: str = "", attached: tuple[Attachment, ...] = (), **options: Any) -> Count:
        """How many tokens each portion of a request is: system prompt, tools, each message, attachments.

        Args:
            what: A text to ask, or an exchange.
            options: The options of `%%claude`, with underscores.

        Raises:
            ExchangeError: The endpoint does not count, or does not answer.
        """
        from ..wire import Exchange
        from .counting import of_question, of_request

        read = options.pop("read", None) or from_keywords(options)
        means = self.means(read)
        if isinstance(what, Exchange):
            return of_request(means, what.request)
        return of_question(means, self._asking(means, read, what, cell, attached))

    @property
    def models(self) -> Models:
        """The models that the endpoint has, asked for once a day; shown, a table of them.

        Raises:
            ExchangeError: The endpoint does not list models, or does not answer.
        """
        from .catalogue import models

        return models(self.means(Options()))

    def before(self, cell: str) -> Exchange | None:
        """What `cell` was answered last, in this kernel or an earlier one; `None` if it was not."""
        if cell in self._before:
            return self._before[cell]
        journal = self.books.journal(self.settings)
        return None if journal is None else journal.before(cell)

    def _asking(self, means: Means, options: Options, text: str, cell: str, attached: tuple[Attachment, ...]) -> Asking:
        from .sending import Asking

        question = self._question(means.settings, options, text, cell, attached).question
        return Asking(options=options, question=question, asker=self.asker(options, cell or "nobody"))

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
        from .asking import ask_all
        from .sending import Asking

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

    def map(
        self,
        rows: Any,
        template: str | None = None,
        *,
        grade: Any = None,
        expected: str = "expected",
        concurrency: int | None = None,
        executor: Any = None,
        resume: bool = True,
        **options: Any,
    ) -> Any:
        """Ask one question for each row of a table, many at once.

        Args:
            rows: Texts, dicts, or a DataFrame of pandas.
            template: With `{{column}}`; a text has the column `prompt`. `None` to send the only column.
            grade: `"exact"`, `"contains"` or `"regex"` of the column `expected`; a function of the reply (and its
                row); or `claude.rubric("...")`, by which a model grades.
            concurrency: How many are under way at once; `None` for `Claude.concurrency`.
            executor: A `concurrent.futures.Executor` that sends the requests, such as Dask's; `None` for threads.
            resume: Whether what the journal holds is not asked again.
            options: The options of `%%claude`, with underscores.

        Returns:
            Of a DataFrame a copy with the columns `reply`, `stop_reason`, `input_tokens`, `output_tokens`, `usd`,
            `seconds` and `grade`; else a list of the replies, which shows itself as a table. Where a row failed,
            the reply is the error. `claude.mapped` keeps the list.

        Raises:
            CellError: The table or the template is wrong; nothing was sent.
            Interrupted: The reader stopped it; run again, it asks only for the rest.
        """
        from .tables import How, mapped

        how = How(options=options, at_once=concurrency, executor=executor, resume=resume)
        return mapped(self, rows, template, grade=grade, expected=expected, how=how)

    def rubric(self, text: str, *, model: str | None = None) -> Rubric:
        """What a model looks for when it grades the replies of `map`; `None` for the model that answers."""
        from .grading import Rubric

        return Rubric(text=text, model=model)

    def written(self, value: Any) -> str:
        """How a variable's value is written in a prompt."""
        from ..cell.values import written

        settings, _ = self.settings.effective()
        return written(value, table_rows=settings.table_rows, value_chars=settings.value_chars)

    def preview(self, options: Options, text: str, cell: str = "", attached: tuple[Attachment, ...] = ()) -> str:
        """What `ask` would send, how many tokens that is, and what it would cost; nothing is sent."""
        from ..conversation.prices import as_of, most
        from ..display.preview import preview
        from .sending import prepared

        means = self.means(options)
        settings = means.settings
        request, tokens = prepared(means, self._asking(means, options, text, cell, attached))
        body = request.body or {}
        cost = None
        if isinstance(tokens, int):
            cost = most(body, sent=tokens, corrections=settings.prices)
        return preview(request, tokens, cost, as_of=as_of())

    def _question(
        self, settings: Claude, options: Options, text: str, cell: str, attached: tuple[Attachment, ...]
    ) -> Asked:
        from .question import asked

        if options.curl:
            return self._pasted(text, cell, settings)
        return asked(
            options,
            text,
            cell or os.urandom(16).hex(),
            attached,
            conversations=self.conversations,
            default=settings.conversation,
            cut=self._cut,
        )

    def _pasted(self, text: str, cell: str, settings: Claude) -> Asked:
        """What a curl command asks."""
        from .programs import curl
        from .question import Asked
        from .sending import Question

        body, headers = curl(text, settings.base_url)
        return Asked(cell=cell, question=Question(new=[], body=body, headers=headers))

    def means(self, options: Options) -> Means:
        """What it takes to ask with these options."""
        from .sending import Means

        settings, _ = self.settings.effective(options.profile)
        return Means(settings=settings, pool=self._connections(), books=self.books)

    def asker(self, options: Options, cell: str, conversation: Conversation | None = None) -> Asker:
        """Who asks: the cell of this name, or the one that runs."""
        from .books import Asker

        cell = cell or self.cells.next()
        return Asker(
            cell=cell,
            place=self.cells.place(cell),
            on_page=self.cells.in_notebook,
            notebook=self.cells.notebook,
            conversation=conversation.name if conversation is not None else "",
            again=options.again,
        )

    def _cut(self, cell: str) -> Exchange | None:
        """The reply that `cell` goes on with: the last one, or the same as before if the cell is run again."""
        if cell not in self._went_on and self.last is not None:
            self._went_on[cell] = self.last
        return self._went_on.get(cell)

    def conversation(self, name: str = "main") -> Conversation:
        """The conversation of this name; empty if nothing was said in it yet."""
        return self.conversations.named(name)

    def load(self, path: str | Path, name: str | None = None) -> Conversation:
        """Read a conversation that `.save(path)` wrote, under its own name or another.

        Raises:
            SettingsError: It cannot be read, is no conversation, or the name is in use.
        """
        return self.conversations.load(path, name)

    def login(self, key: str | None = None, *, save: bool = False) -> None:
        """Keep a key in memory; it is asked for, and not shown while it is typed.

        Args:
            key: Only for programs that have it from elsewhere; typed in a cell it would stay in the notebook.
            save: Also write it to a file that only you can read, in your configuration folder.
        """
        from ..api import credentials

        credential = credentials.remember(_typed() if key is None else key, save=save)
        print(f"the key from {credential.source} is kept{' in memory' * (not save)}.")

    def logout(self) -> None:
        """Forget the key of `login`, and delete the saved file."""
        from ..api import credentials

        credentials.forget()

    def open(self, shell: Any) -> None:
        """Belong to `shell`: its configuration gives the settings; a wrong value is told and left out."""
        self._shell = shell
        self.cells.open(shell)
        self.settings = Claude()
        for name, value in shell.config.get("Claude", {}).items():
            try:
                setattr(self.settings, name, value)
            except ClaudeError as error:
                print(error)
        shell.configurables.append(self.settings)

    def close(self) -> None:
        """Belong to no shell."""
        if self._shell is not None and self.settings in self._shell.configurables:
            self._shell.configurables.remove(self.settings)
        self._shell = None
        self.cells.open(None)
        self.settings = Claude()

    def __repr__(self) -> str:
        asks = f"claude: {self.settings.model} at {self.settings.base_url}"
        return f"{asks}; claude(text) asks, claude.last is the last exchange"

    def _connections(self) -> Any:
        from ..api.transports.direct import pool

        with self._lock:
            if self._pool is None:
                self._pool = pool()
            return self._pool


def _shown(conversation: Conversation) -> Mapping[str, str]:
    from ..display.turns import bundle

    rows = [(turn.messages, turn.model, turn.usage) for turn in conversation.turns]
    return bundle(repr(conversation), rows)


def _typed() -> str:
    import getpass

    try:
        return getpass.getpass("API key (not shown): ")
    except Exception as error:  # a front end without input, or end of input
        raise SettingsError(f"no key was typed: {error}. Set $ANTHROPIC_API_KEY before Jupyter starts.") from None


claude = Notebook()
