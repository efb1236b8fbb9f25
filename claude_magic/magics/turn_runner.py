"""Runs a cell's turn: shows it, lets the user approve its calls, and binds its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.display_functions import display
from IPython.core.interactiveshell import InteractiveShell

from ..errors import CellError, Interrupted
from ..prompt.options.options import Options
from ..session.prompt import Prompt
from .output import Result
from .presenters import (
    CellPresenter,
    DetachedScreen,
    PageApprover,
    PageScreen,
    Screen,
    TerminalApprover,
    TerminalScreen,
)
from .views import notes_html, print_notes
from .written_files import files_of, show_files

if TYPE_CHECKING:
    from ..display.live.detached import DetachedOutput
    from ..session.turn import Approver, Turn
    from ..wire import Exchange
    from ..wire.tool import Call
    from .claude import ClaudeHandle
    from .ipython.cells import Place
    from .pending_approval import PendingApproval, StoredApproval


class TurnRunner:
    """Runs the turns of one shell's cells."""

    def __init__(self, handle: ClaudeHandle, shell: Any) -> None:
        self._handle = handle
        self._shell = shell
        self._cells = handle.cells
        self._next_inputs: dict[str, str] = {}

    def run(self, prompt: Prompt) -> None:
        """Sends the prompt of the running cell, and shows its turn.

        Raises:
            ClaudeError: It cannot be sent, or failed.
        """
        self._handle.approvals.replace(self._cells.place)
        session, options, cell = self._handle.session, prompt.options, self._cells.next()
        before = session.previous_exchange(cell) if options.diff else None
        owns_cell = self._cells.source.lstrip().startswith("%%claude") and not prompt.tools
        presenter = CellPresenter(prompt, self._screen(prompt, owns_cell=owns_cell), above=self._above(prompt))
        turn = session.run_turn(session.begin_turn(prompt, cell), presenter, self._approver())
        self.show_files(turn.exchanges)
        if turn.waits:
            self._wait(turn, presenter, self._cells.place, MessagesShown(replies_from=len(turn.prompt.own)))
            return
        if options.diff and turn.exchange.error is None:
            _show_difference(before, turn.exchange)
        self._end(presenter, turn)

    def resume(self, pending: PendingApproval | StoredApproval, options: Options, argument: str) -> None:
        """`%claude --approve [NAME] [JSON]` and `%claude --refuse [NAME] [WHY]`: resumes a turn, in this cell.

        Raises:
            ClaudeError: It does not wait any more, or it failed.
        """
        from .pending_approval import decided_calls

        before = pending.turn
        calls = decided_calls(before, argument, refuses=options.refuse is not None)
        if not pending.take():
            raise CellError("it does not wait for your approval any more: it was decided elsewhere.")
        pending.close("decided in another cell")
        screen = self._screen(before.prompt, owns_cell=False)
        presenter = CellPresenter(before.prompt, screen, after=pending.presenter)
        if pending.presenter is None:  # its reply is in no output of this kernel
            presenter.next()
            presenter.finish(before.exchange, final=False)
        turn = self._handle.session.resume_turn(before.with_approval(options.yes), presenter, self._approver(), calls)
        self.show_files(turn.exchanges[len(before.exchanges) :])
        shown = _shown_before(before, earlier_kernel=pending.presenter is None)
        if turn.waits:
            self._wait(turn, presenter, pending.place, shown)
            return
        if messages := shown.messages(turn):
            display(messages, raw=True)
        self._end(presenter, turn)

    def resume_below(self, pending: PendingApproval, calls: Sequence[Call], output: DetachedOutput) -> None:
        """Resumes a turn after a button was pressed, below the cell that sent it."""
        if not pending.take():
            return
        prompt = pending.presenter.prompt
        screen = DetachedScreen(output, prompt.options, panel=self.shows_panel(prompt))
        presenter = CellPresenter(prompt, screen, after=pending.presenter)
        try:
            turn = self._handle.session.resume_turn(pending.turn, presenter, PageApprover(can_ask=True), calls)
            if files := files_of(turn.exchanges[len(pending.turn.exchanges) :]):
                from ..display.download_panel import files_bundle

                output.append(files_bundle(files))
            output.messages(pending.shown.messages(turn))
            if turn.waits:
                pending.ask_again(turn, presenter)
                return
            self._end(presenter, turn)
        except KeyboardInterrupt:
            output.fail(Interrupted("stopped."))
        except Exception as error:  # after a button there is no traceback, and the reply is in claude.last
            output.fail(error)
        pending.close()

    def show_files(self, exchanges: Sequence[Exchange]) -> None:
        """Shows the files that code execution wrote."""
        show_files(self._handle, files_of(exchanges), page=self._cells.in_notebook)

    def set_next_input(self, source: str) -> None:
        """Puts `source` into the next cell, without running it; not again if this cell has just done so."""
        place = self._cells.name
        if self._next_inputs.get(place) == source:
            return
        self._next_inputs[place] = source
        if self._cells.in_notebook and type(self._shell).set_next_input is InteractiveShell.set_next_input:
            print(f"This kernel cannot insert a cell; the code for it:\n\n{source}")
        else:
            self._shell.set_next_input(source, replace=False)

    def _wait(self, turn: Turn, presenter: CellPresenter, place: Place, shown: MessagesShown) -> None:
        """Lets the cell end; its turn is resumed when the user decides."""
        from .pending_approval import PendingApproval

        handle = self._handle
        approvals, session = handle.approvals, handle.session
        pending = PendingApproval(self, turn, presenter, place, shown, approvals=approvals, session=session)
        pending.show(shown.messages(turn))

    def _end(self, presenter: CellPresenter, turn: Turn) -> None:
        """Raises the error of a turn, or binds its result."""
        error = turn.exchange.error or turn.error or presenter.result_error
        if error is not None:
            raise error
        if presenter.result is not None:
            self.use(presenter.prompt.options, presenter.result)
        if presenter.interrupted:
            raise Interrupted("stopped, after the reply was whole.")

    def use(self, options: Options, result: Result) -> None:
        """Binds the variable of `-o`, and fills the next cell."""
        if options.out:
            self._shell.push({options.out: result.value})
        if result.next_input is not None:
            self.set_next_input(result.next_input)

    def _above(self, prompt: Prompt) -> str:
        """What stands above the reply: attachments and what was cut; a terminal prints it."""
        if self._cells.in_notebook:
            return notes_html(prompt)
        if prompt.attachments or prompt.notes:
            print_notes(prompt, all_attachments=True)
        return ""

    def _screen(self, prompt: Prompt, *, owns_cell: bool) -> Screen:
        """Where the replies of the running cell are shown.

        Args:
            owns_cell: Whether nothing else is shown in the cell.
        """
        if not self._cells.in_notebook:
            return TerminalScreen(prompt.options)
        return PageScreen(prompt.options, owns_cell=owns_cell, panel=self.shows_panel(prompt))

    def shows_panel(self, prompt: Prompt) -> bool:
        """Whether replies have a panel."""
        return self._handle.session.settings.panel if prompt.options.panel is None else prompt.options.panel

    def _approver(self) -> Approver:
        return PageApprover(can_ask=self._cells.asks) if self._cells.in_notebook else TerminalApprover()


@dataclass(frozen=True, kw_only=True)
class MessagesShown:
    """Which messages of a turn that stops after each are shown elsewhere: each is shown once.

    Attributes:
        first: The index of the first one that no earlier cell shows.
        replies_from: The index from which on the assistant's messages are shown as replies.
    """

    first: int = 0
    replies_from: int

    def messages(self, turn: Turn) -> dict[str, str]:
        """The mime bundle of the others; `{}` if there are none, or the turn does not stop after each message."""
        if not turn.prompt.options.step:
            return {}
        from ..display.reply.conversation import messages_bundle

        return messages_bundle(turn.messages, first=self.first, replies_from=self.replies_from)


def _shown_before(turn: Turn, *, earlier_kernel: bool) -> MessagesShown:
    """What is shown already when a turn is resumed in another cell.

    Args:
        earlier_kernel: Whether it began in one; then its last reply is shown again, and all of its messages.
    """
    messages = turn.messages
    if not earlier_kernel:
        return MessagesShown(first=len(messages), replies_from=0)
    replies = [index for index, message in enumerate(messages) if message.get("role") == "assistant"]
    return MessagesShown(replies_from=replies[-1] if replies else len(messages))


def _show_difference(before: Exchange | None, exchange: Exchange) -> None:
    if before is None:
        print("nothing to compare with: this cell was not answered before.")
        return
    from ..display.reply.diff import diff_bundle

    display(diff_bundle(before, exchange), raw=True)
