"""`%%claude` and `%claude`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.display_functions import display
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..errors import CellError, ClaudeError, Interrupted
from ..prompt.last_error import LastError
from ..prompt.options.options import Options
from ..prompt.options.parser import parse_line
from ..prompt.options.table import help_text
from ..session.prompt import Prompt, build_prompt
from .claude import claude as handle
from .output import result
from .views import preview_text

if TYPE_CHECKING:
    from ..display.live.detached import DetachedOutput
    from ..session.turn import Turn
    from ..wire import Exchange
    from ..wire.presenter import Presenter
    from ..wire.tool import Call
    from .pending_approval import PendingApproval
    from .presenters import CellPresenter, PagePresenter, TerminalPresenter

_BLANK_LINES_AT_END = re.compile(r"(\n[ \t]*)+\Z")


@magics_class
class ClaudeMagics(Magics):
    """The magics of one shell."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.failing = LastError()
        self._offered: dict[str, str] = {}
        self._cells = handle.cells

    @no_var_expand
    @line_cell_magic
    def claude(self, line: str, cell: str | None = None) -> None:
        options, text = parse_line(line, text_follows=cell is None)
        if options.help:
            print(help_text())
        elif options.approve or options.refuse is not None:
            self.go_on(options, text if cell is None else cell)
        elif cell is None and not line.strip():
            from .status import card

            print(card(handle))
        else:
            self.answer(self._prompt(options, line, text if cell is None else self._message(text, cell)))

    claude.__doc__ = help_text()

    def _message(self, text: str, cell: str) -> str:
        """The lines below `%%claude`, exactly as typed: IPython adds a newline if there was none."""
        if text.strip():
            raise CellError(f"text on the first line is not sent: {text[:60]!r}. Write it in the lines below.")
        if not self._cells.in_notebook:
            return _BLANK_LINES_AT_END.sub("", cell)  # in a terminal, they only say that the cell is over
        return cell if self._cells.source.endswith(cell) else cell.removesuffix("\n")

    def _prompt(self, options: Options, line: str, text: str) -> Prompt:
        return build_prompt(
            options,
            line,
            text,
            namespace=self.shell.user_ns,
            snippets=handle.session.snippets,
            failing=self.failing,
            write=handle.session.format_value,
        )

    def answer(self, cell: Prompt) -> None:
        """Do what a cell asks for, and show it."""
        options = cell.options
        if options.show or options.count or options.preview or options.compare or options.times > 1:
            _tell_what_was_done(cell)
        if options.show:
            print(handle.session.program(options, cell.text, self._cells.next(), cell.attached))
        elif options.count:
            display(handle.count(cell.text, cell=self._cells.next(), attached=cell.attached, read=options))
        elif options.preview:
            print(preview_text(handle.session.preview(options, cell.text, self._cells.next(), cell.attached)))
        elif options.compare:
            self._compare(cell)
        elif options.times > 1:
            self._answer_times(cell)
        else:
            self._answer_once(cell)

    def _answer_once(self, cell: Prompt) -> None:
        options = cell.options
        which = self._cells.next()
        before = handle.session.previous_exchange(which) if options.diff else None
        stage = self._stage(cell, owns_cell=self._cells.source.lstrip().startswith("%%claude") and not cell.tools)
        self._tell(cell)
        turn = handle.session.run_turn(
            handle.session.begin_turn(options, cell.text, which, cell.attached, cell.tools), stage
        )
        if turn.waits:
            self._wait(turn, stage)
            return
        if options.diff and turn.exchange.error is None:
            _show_difference(before, turn.exchange)
        self._conclude(stage, turn.exchange, turn.error)

    def _conclude(self, stage: CellPresenter, exchange: Exchange, error: ClaudeError | None) -> None:
        """What comes of a turn that is over, and shown: its error, or what the cell makes of its reply."""
        error = exchange.error or error or stage.misfit
        if error is not None:
            raise error
        if stage.made is not None:
            if stage.cell.options.out:
                self.shell.push({stage.cell.options.out: stage.made.value})
            if stage.made.next_input is not None:
                self.offer(stage.made.next_input)
        if stage.interrupted:
            raise Interrupted("stopped, after the reply was whole.")

    def _wait(self, turn: Turn, stage: CellPresenter) -> None:
        """The cell ends; its turn goes on when its reader says so."""
        from .pending_approval import PendingApproval

        if handle.waiting is not None and handle.waiting.take():
            handle.waiting.close("a later cell asks instead")
        handle.waiting = PendingApproval(turn, stage, self._go_on_there)
        handle.waiting.show(_messages(turn))

    def go_on(self, options: Options, text: str) -> None:
        """`%claude --approve [JSON]` and `%claude --refuse [WHY]`: go on with the turn that waits, in this cell."""
        from .pending_approval import by_word

        said = options.refuse or text.strip().strip("'" if options.approve else "'\"")
        found, decided = by_word(handle.waiting, said, refuses=options.refuse is not None)
        handle.waiting = None
        stage = self._stage(found.stage.cell, owns_cell=False, after=found.stage)
        turn = handle.session.resume_turn(found.turn.with_approval(options.yes), stage, decided)
        if turn.waits:
            self._wait(turn, stage)
            return
        if messages := _messages(turn):
            display(messages, raw=True)
        self._conclude(stage, turn.exchange, turn.error)

    def _go_on_there(self, found: PendingApproval, decided: Sequence[Call], place: DetachedOutput) -> None:
        """A button was pressed: go on with the turn, under the cell that asked."""
        if not found.take():
            return
        handle.waiting = None
        stage = self._stage(found.stage.cell, owns_cell=False, after=found.stage, place=place)
        try:
            turn = handle.session.resume_turn(found.turn, stage, decided)
            place.messages(_messages(turn))
            if turn.waits:
                handle.waiting = found
                found.again(turn, stage)
                return
            self._conclude(stage, turn.exchange, turn.error)
        except KeyboardInterrupt:
            place.fail(Interrupted("stopped."))
        except Exception as error:  # who pressed a button sees no traceback, and the reply is in claude.last
            place.fail(error)
        found.close()

    def _tell(self, cell: Prompt) -> None:
        """In a terminal, name what is attached, and what was cut, before the reply comes."""
        if (cell.attached or cell.notes) and not self._cells.in_notebook:
            from ..display.reply.thumbnails import lines

            print(lines(_facts(cell.attached), cell.notes))

    def _answer_times(self, cell: Prompt) -> None:
        from ..display.live.grid import Grid

        grid = Grid(cell.options.times, page=self._cells.in_notebook)
        exchanges = handle.session.ask_times(cell.options, cell.text, grid.places, self._cells.next(), cell.attached)
        for place, exchange in zip(grid.places, exchanges, strict=True):
            place.finish(exchange)
        for exchange in exchanges:
            if exchange.error is not None:
                raise exchange.error
        if cell.options.out:
            self.shell.push({cell.options.out: [result(cell.options, e, cell.schema).value for e in exchanges]})

    def _compare(self, cell: Prompt) -> None:
        from ..batch.compare import combinations, results
        from ..display.live.grid import Grid

        several = combinations(cell.options, self.shell.user_ns, handle.session.snippets)
        grid = Grid(len(several), page=self._cells.in_notebook, labels=[each.label for each in several])
        asked = [each.options for each in several]
        exchanges = handle.session.ask_each(asked, cell.text, grid.places, self._cells.next(), cell.attached)
        for place, exchange in zip(grid.places, exchanges, strict=True):
            place.finish(exchange)
        if cell.options.out:
            self.shell.push({cell.options.out: results(several, exchanges)})
        for exchange in exchanges:
            if isinstance(exchange.error, Interrupted):
                raise exchange.error

    def offer(self, source: str) -> None:
        """Put `source` into the next cell, without running it; not again if this cell has just done so."""
        place = self._cells.name
        if self._offered.get(place) != source:
            self._offered[place] = source
            if self._cells.in_notebook and type(self.shell).set_next_input is InteractiveShell.set_next_input:
                print(f"This kernel cannot insert a cell; the code for it:\n\n{source}")
            else:
                self.shell.set_next_input(source, replace=False)

    def _stage(
        self, cell: Prompt, *, owns_cell: bool, after: CellPresenter | None = None, place: DetachedOutput | None = None
    ) -> PagePresenter | TerminalPresenter:
        """Where the cell's turn is shown.

        Args:
            owns_cell: Whether nothing else is shown in the cell.
            after: The stage whose last reply shows what becomes of the calls that wait.
            place: What shows all further replies; `None` for new outputs of the cell.
        """
        from .presenters import PagePresenter, TerminalPresenter

        options = cell.options
        if not self._cells.in_notebook:
            return TerminalPresenter(cell, lambda first: _terminal(raw=options.raw, events=options.events), after=after)
        above = thumbnails(cell.attached, cell.notes) if after is None else ""
        panel = handle.session.settings.panel if options.panel is None else options.panel

        def presenter(first: bool) -> Presenter:
            if place is not None:
                return place.next(raw=options.raw or options.as_ == "text", panel=panel)
            if options.events:
                from ..display.live.event_log import EventPage

                return EventPage(panel=panel)
            from ..display.live.page import Page

            return Page(owns_cell=owns_cell and first, raw=options.raw or options.as_ == "text", panel=panel)

        return PagePresenter(cell, presenter, asks=place is not None or self._cells.asks, above=above, after=after)


def _terminal(*, raw: bool, events: bool) -> Presenter:
    if events:
        from ..display.live.event_log import EventTerminal

        return EventTerminal()
    from ..display.terminal import rich_terminal
    from ..display.terminal.terminal import Terminal

    return rich_terminal.RichTerminal() if rich_terminal.available() and not raw else Terminal()


def _messages(turn: Turn) -> dict[str, str]:
    """All messages of a turn so far, as they are sent, if it stops after each; else `{}`."""
    if not turn.options.step:
        return {}
    from ..display.reply.conversation import messages_bundle

    return messages_bundle(turn.messages)


def _show_difference(before: Exchange | None, exchange: Exchange) -> None:
    if before is None:
        print("nothing to compare with: this cell was not answered before.")
        return
    from ..display.reply.diff import diff_bundle

    display(diff_bundle(before, exchange), raw=True)


def thumbnails(attached: tuple[Any, ...], notes: tuple[str, ...] = ()) -> str:
    """What was attached, and what was cut, as it is shown above the reply."""
    if not attached and not notes:
        return ""
    from ..display.reply.thumbnails import thumbnails_html

    return thumbnails_html(_facts(attached), notes)


def _tell_what_was_done(cell: Prompt) -> None:
    """Tell what was cut, assumed or changed, where no reply is shown that it could stand above."""
    noted = [each for each in cell.attached if each.note]
    if noted or cell.notes:
        from ..display.reply.thumbnails import lines

        print(lines(_facts(tuple(noted)), cell.notes), file=sys.stderr if cell.options.show else None)


def _facts(attached: tuple[Any, ...]) -> list[tuple[str, str, str, bytes]]:
    return [(each.title, each.kind, each.note, each.thumbnail) for each in attached]
