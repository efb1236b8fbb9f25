"""`%%claude` and `%claude`."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from IPython.core.display_functions import display
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..errors import CellError
from ..prompt.last_error import LastError
from ..prompt.options.help import help_text
from ..prompt.options.options import Options
from ..prompt.options.parser import parse_line
from .claude import claude as handle
from .views import preview_text, print_notes, show_program, terminal_width

if TYPE_CHECKING:
    from ..session.prompt import Prompt
    from .turn_runner import TurnRunner

_BLANK_LINES_AT_END = re.compile(r"(\n[ \t]*)+\Z")


@magics_class
class ClaudeMagics(Magics):
    """The magics of one shell.

    Attributes:
        last_error: The last error of a cell, for `--explain` and `--fix`.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.last_error = LastError()
        self._cells = handle.cells

    @cached_property
    def turns(self) -> TurnRunner:
        """Runs the turns of cells; imported with the first, so that loading the extension is quick."""
        from .turn_runner import TurnRunner

        return TurnRunner(handle, self.shell)

    @no_var_expand
    @line_cell_magic
    def claude(self, line: str, cell: str | None = None) -> None:
        options, text = parse_line(line, text_follows=cell is None)
        if options.help:
            print(help_text(text, terminal_width()))
        elif options.endpoint is not None:
            from .endpoint_cell import EndpointCell

            EndpointCell(handle, self.shell, options, text if cell is None else self._message(text, cell)).run()
        elif options.approve or options.refuse is not None:
            self.resume(options, text if cell is None else f"{text}\n{cell}")
        elif cell is None and not line.strip():
            from .status import card

            print(card(handle))
        else:
            self.answer(self._prompt(options, line, text if cell is None else self._message(text, cell)))

    claude.__doc__ = help_text()

    def resume(self, options: Options, text: str) -> None:
        """`%claude --approve [NAME] [JSON]` and `%claude --refuse [NAME] [WHY]`: decides on what waits.

        Raises:
            ClaudeError: Nothing waits, several do and none is named, or it failed.
        """
        from ..journal.pending_turns import PendingRow
        from .pending_approval import StoredApproval
        from .pending_call import PendingCall

        refuses = options.refuse is not None
        text = f"{options.refuse or ''} {text}".strip()
        pending, argument = handle.approvals.choose(text, refuses=refuses)
        argument = argument.strip("'\"" if refuses else "'")
        if isinstance(pending, PendingCall):
            pending.resume(argument, runs=not refuses)
            return
        if isinstance(pending, PendingRow):
            title, row = self._cells.place.title, pending
            stored = StoredApproval(handle.session, row, self.shell.user_ns, title, runs=not refuses)
            self.turns.resume(stored, options, argument)
        else:
            self.turns.resume(pending, options, argument)

    def _message(self, text: str, cell: str) -> str:
        """The lines below `%%claude`, exactly as typed: IPython adds a newline if there was none."""
        if text.strip():
            raise CellError(f"text on the first line is not sent: {text[:60]!r}. Write it in the lines below.")
        if not self._cells.in_notebook:
            return _BLANK_LINES_AT_END.sub("", cell)  # in a terminal, they only end the cell
        return cell if self._cells.source.endswith(cell) else cell.removesuffix("\n")

    def _prompt(self, options: Options, line: str, text: str) -> Prompt:
        from ..session.prompt import build_prompt
        from .ipython.prompt_namespace import prompt_namespace

        return build_prompt(
            options,
            line,
            text,
            namespace=prompt_namespace(self.shell),
            snippets=handle.session.snippets,
            last_error=self.last_error,
            settings=handle.session.settings_for(Options()),
        )

    def answer(self, prompt: Prompt) -> None:
        """Does what the options of a cell say, and shows the result."""
        options, session = prompt.options, handle.session
        several = options.compare or options.times > 1 or options.openai
        if several:
            from ..batch.compare import check_several

            check_several(options)
        if not (options.show or options.count or options.preview or options.batch or several):
            self.turns.run(prompt)
            return
        if options.show:  # a preview and a count say themselves what is not known
            prompt = session.recall_files(prompt, session.settings_for(options))
            if options.batch and not options.openai:
                from ..session.preview import BATCH_NOTE

                prompt = replace(prompt, notes=(*prompt.notes, BATCH_NOTE))
        print_notes(prompt, to_stderr=bool(options.show))
        cell = self._cells.next()
        if options.show:
            show_program(session.program(prompt, cell), options.show, page=self._cells.in_notebook)
        elif options.count:
            from .token_count import count_prompt

            display(count_prompt(session, prompt, cell))
        elif options.preview:
            print(preview_text(session.preview(prompt, cell)))
        elif options.batch and not options.openai:
            self._batch(prompt)
        else:
            from .several_replies import SeveralReplies

            SeveralReplies(self.turns, handle, self.shell).run(prompt, cell)

    def _batch(self, prompt: Prompt) -> None:
        """Lets a message batch answer, and binds it."""
        from ..batch.cell_batches import batch_of_cell
        from ..batch.compare import combinations
        from .price_approval import approver

        options = prompt.options
        several = combinations(options, self.shell.user_ns, handle.session.snippets) if options.compare else ()
        batch = batch_of_cell(handle.session, prompt, several, approver=approver(handle, "--yes"))
        if options.out:
            self.shell.push({options.out: batch})
