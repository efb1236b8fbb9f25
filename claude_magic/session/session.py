"""A session: sends prompts with its settings, conversations, connections and ledger. No IPython, no display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..concurrency import Lock
from ..errors import CellError, SettingsError
from ..prompt.options.options import Options
from ..prompt.snippets import Snippets
from ..settings import Claude
from .notebook import Cells, Changes, NoCells, TextViews, Views

if TYPE_CHECKING:
    from ..wire import Exchange
    from ..wire.presenter import Presenter
    from ..wire.tool import Call
    from .conversations import Conversations
    from .endpoint_call import EndpointCall
    from .history import Memory
    from .ledger import Caller, Ledger
    from .preview import Preview
    from .prompt import Prompt
    from .send import Sender
    from .turn import Approver, Turn, TurnPresenter


class Session:
    """Sends prompts, and remembers what was said.

    Args:
        cells: The cells of the notebook; by default there are none.
        views: How conversations and the journal are displayed; by default as text.

    Attributes:
        settings: The traits of `%config Claude`.
        snippets: Cells kept by name, with `--save NAME`.
        mapped: The replies of the last `map`; `None` before the first.
        changes: Asks before something is changed at the API; `None` if nobody can be asked.
        last: The last exchange; after a failure it holds what arrived, and the `error`. `None` before the first.
    """

    def __init__(self, cells: Cells | None = None, views: Views | None = None) -> None:
        self.settings = Claude()
        self.snippets = Snippets()
        self.cells = cells or NoCells()
        self.last: Exchange | None = None
        self.mapped: Sequence[Any] | None = None
        self.changes: Changes | None = None
        self._views = views or TextViews()
        self._by_cell: dict[str, Exchange] = {}
        self._finished: dict[str, Exchange] = {}
        self._cached: dict[str, str] = {}  # by conversation or cell: the id of its last reply that used the cache
        self._lock = Lock()
        self._conversations: Conversations | None = None
        self._sender: Sender | None = None

    @property
    def conversations(self) -> Conversations:
        """The conversations, by name."""
        from .conversations import Conversations

        with self._lock:
            self._conversations = self._conversations or Conversations(self._views)
            return self._conversations

    @property
    def sender(self) -> Sender:
        """The connections and the ledger."""
        with self._lock:
            if self._sender is None:
                from .ledger import Ledger
                from .send import Sender

                self._sender = Sender(Ledger(self._views))
            return self._sender

    @property
    def ledger(self) -> Ledger:
        """Journal, budget, usage and recordings."""
        return self.sender.ledger

    @property
    def has_ledger(self) -> bool:
        """Whether the ledger was ever used."""
        return self._sender is not None

    def close(self) -> None:
        """Closes connections and journals; they are opened again when they are used."""
        if self._sender is not None:
            self._sender.close()

    def ask(self, prompt: Prompt, presenter: Presenter | None = None, cell: str = "") -> Exchange:
        """The exchange of a prompt, complete or not: look at its `error`. Every tool call runs without approval.

        Args:
            presenter: Shows it while it arrives; `None` for nothing.
            cell: The cell that sends it; when that cell runs again, its turn of the conversation is replaced.
        """
        from .turn import ApproveAll, SilentTurn

        turn = self.run_turn(self.begin_turn(prompt, cell), SilentTurn(presenter), ApproveAll())
        if turn.error is not None:
            raise turn.error
        return turn.exchange

    def ask_each(self, prompts: Sequence[Prompt], presenters: Sequence[Presenter], cell: str = "") -> list[Exchange]:
        """The exchanges of several prompts at once, in their order.

        Args:
            presenters: One for each; those of exchanges that were over before the last one are finished.

        Raises:
            CellError: None of them can be sent, or there is a conversation.
        """
        from .ask import ask_all

        options = prompts[0].options
        all_settings = [self.settings_for(prompt.options) for prompt in prompts]
        settings = all_settings[0]
        if any(prompt.options.openai for prompt in prompts):
            from .openai_form import refuse_other_providers

            refuse_other_providers(settings)
        if options.conversation or settings.conversation:
            raise CellError("several replies are asked for outside of any conversation. Leave -c out.")
        prompts, caller = [self.recall(prompt, settings)[0] for prompt in prompts], self.caller(options, cell)
        ready = self.attach_files(prompts[0], settings, caller, presenters[0])  # the same files in all of them
        notes = ready.options.notes[len(prompts[0].options.notes) :]
        prompts = [replace(prompt, attachments=ready.attachments) for prompt in prompts]
        exchanges = ask_all(self.sender, all_settings, prompts, caller, presenters)
        exchanges = [
            self.describe_files(exchange, settings, caller.part(f"/{number}")).with_notes(*notes)
            for number, exchange in enumerate(exchanges, 1)
        ]
        self.last = exchanges[-1]
        return exchanges

    def begin_turn(self, prompt: Prompt, cell: str = "") -> Turn:
        """A turn that has sent nothing yet.

        Raises:
            CellError: There is nothing to send.
        """
        from .turn import Turn

        settings = self.settings_for(prompt.options)
        prompt, memory = self.recall(prompt, settings, cell)
        caller = self.caller(prompt.options, cell)
        if memory.conversation is not None:
            caller = replace(caller, conversation=memory.conversation.name)
        return Turn(prompt=prompt, settings=settings, memory=memory, caller=caller)

    def run_turn(self, turn: Turn, presenter: TurnPresenter, approver: Approver) -> Turn:
        """The turn, as far as it goes.

        Raises:
            CellError: It cannot be sent, such as for a key in it, or a budget.
            SettingsError: There is no provider to send it to.
        """
        from .tool_loop import ToolLoop

        return self._keep(ToolLoop(session=self, presenter=presenter, approver=approver).run(turn))

    def resume_turn(self, turn: Turn, presenter: TurnPresenter, approver: Approver, calls: Sequence[Call]) -> Turn:
        """A turn that waited, as far as it goes now.

        Args:
            calls: Its calls, each `running` or with a result.
        """
        from .tool_loop import ToolLoop

        return self._keep(ToolLoop(session=self, presenter=presenter, approver=approver).resume(turn, calls))

    def _keep(self, turn: Turn) -> Turn:
        self.last = turn.exchange
        is_compared = (turn.exchange.request.body or {}).get("diagnostics")
        if is_compared and turn.exchange.message.id and not turn.exchange.replayed:
            self._cached[self._cache_key(turn.caller.conversation, turn.memory.cell)] = turn.exchange.message.id
        if turn.memory.cell:
            self._by_cell[self.cells.lasting(turn.memory.cell)] = self.last
        return turn

    def request(
        self, call: EndpointCall, caller: Caller | None = None, presenter: Presenter | None = None, **how: Any
    ) -> Exchange:
        """The exchange of a call of any endpoint, complete or not: look at its `error`. No approval is asked for.

        Args:
            caller: Who sends it; `None` for the cell that runs.
            how: `all_pages`, `save` and `profile`; see `endpoint_request.request`.
        """
        from .endpoint_request import request

        self.last = request(self, call, caller, presenter, **how)
        return self.last

    def preview(self, prompt: Prompt, cell: str = "") -> Preview:
        """What `ask` would send, its tokens and its price; no model is asked."""
        from .preview import preview

        settings = self.settings_for(prompt.options)
        return preview(self.sender, settings, self.recall_files(self.recall(prompt, settings, cell)[0], settings))

    def program(self, prompt: Prompt, cell: str = "") -> str:
        """The request that `ask` would send, as a program in the language of `--show`; nothing is sent."""
        from .preview import preview_program

        settings = self.settings_for(prompt.options)
        return preview_program(settings, self.recall_files(self.recall(prompt, settings, cell)[0], settings))

    def previous_exchange(self, cell: str) -> Exchange | None:
        """The last exchange of `cell`, in this kernel or an earlier one; `None` if there is none."""
        if self.cells.lasting(cell) in self._by_cell:
            return self._by_cell[self.cells.lasting(cell)]
        journal = self.ledger.journal(self.settings) if self.cells.has_name else None  # inputs have other numbers
        try:
            return None if journal is None else journal.last_of_cell(cell, self.cells.notebook)
        except SettingsError:  # it cannot be read; the line under the reply will say so
            return None

    def settings_for(self, options: Options) -> Claude:
        """The settings of one cell: with the project's defaults, and the profile of its options."""
        return self.settings.effective(options.profile, options.provider)[0]

    def caller(self, options: Options, cell: str = "") -> Caller:
        """Who sends a request: the cell of this name, or the one that runs."""
        from .ledger import Caller

        name = cell or self.cells.next()
        return Caller(cell=name, notebook=self.cells.notebook, on_page=self.cells.has_name, again=options.again)

    def recall(self, prompt: Prompt, settings: Claude, cell: str = "") -> tuple[Prompt, Memory]:
        """The prompt with what goes before it, and where its reply is remembered.

        Raises:
            CellError: There is nothing to send.
        """
        from .history import Memory, recall

        options = prompt.options
        if options.curl:
            from .pasted_curl import curl, refuse_options
            from .provider import base_url

            refuse_options(options)
            body, headers = curl(prompt.text, base_url(settings))
            return replace(prompt, body=body, headers=headers), Memory(cell=cell)
        if options.legacy:
            return prompt, Memory(cell=cell)
        name = settings.conversation if options.conversation is None else options.conversation
        conversation = self.conversations.open(name) if name else None
        prompt, memory = recall(prompt, cell, conversation, self._last_for(cell) if options.finish else None)
        prompt.check()
        if options.cache:
            prompt = replace(prompt, previous=self._cached.get(self._cache_key(name, cell)))
        return prompt, memory

    def _cache_key(self, conversation: str, cell: str) -> str:
        return f"conversation {conversation}" if conversation else f"cell {self.cells.lasting(cell) if cell else ''}"

    def attach_files(
        self, prompt: Prompt, settings: Claude, caller: Caller, presenter: Presenter | None = None
    ) -> Prompt:
        """The prompt with the ids of its files, which are uploaded or looked up.

        Args:
            presenter: Shows what is waited for; `None` for nothing.

        Raises:
            ClaudeError: A file cannot be uploaded, or is not there; nothing was asked of a model.
        """
        if not prompt.has_pending_files:
            return prompt
        from ..wire.presenter import SilentPresenter
        from .uploads import Uploads

        shown = presenter or SilentPresenter()
        return Uploads(sender=self.sender, settings=settings, caller=caller, presenter=shown).attach(prompt)

    def describe_files(self, exchange: Exchange, settings: Claude, caller: Caller) -> Exchange:
        """The exchange with the names and sizes of the files that code execution wrote."""
        from ..wire.stored_file import written_ids

        if not written_ids(exchange.message.content):
            return exchange
        from .written_files import with_written_files

        return with_written_files(self.sender, settings, exchange, caller)

    def recall_files(self, prompt: Prompt, settings: Claude) -> Prompt:
        """The prompt with the ids of files that were uploaded before, for a request that is not sent.

        Words stand in the place of an id that is not known yet.

        Raises:
            CellError: A file cannot be read or uploaded.
        """
        if not prompt.has_pending_files:
            return prompt
        from ..wire.presenter import SilentPresenter
        from .uploads import Uploads

        caller = self.caller(prompt.options)
        uploads = Uploads(sender=self.sender, settings=settings, caller=caller, presenter=SilentPresenter())
        return uploads.recall(prompt)

    def _last_for(self, cell: str) -> Exchange | None:
        """The exchange that `--finish` continues: the last one, or the same as before if the cell runs again."""
        if cell not in self._finished and self.last is not None and cell:
            self._finished[cell] = self.last
        return self._finished.get(cell, self.last)
