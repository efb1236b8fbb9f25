"""`%%claude` and `%claude`."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..cell.line import parsed, without
from ..cell.options import Options, help_text, overlaid
from ..errors import CellError, Interrupted
from ..wire import Exchange
from .notebook import claude as notebook

_BLANK_LINES_AT_END = re.compile(r"(\n[ \t]*)+\Z")


@magics_class
class ClaudeMagics(Magics):
    """The magics of one shell."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._cell = ""
        self._cell_id: str | None = None
        self._asked = 0

    def remember_cell(self, info: Any) -> None:
        """Keep what was typed: IPython changes it before a magic sees it."""
        self._cell = info.raw_cell or ""
        self._cell_id = getattr(info, "cell_id", None)
        self._asked = 0

    @no_var_expand
    @line_cell_magic
    def claude(self, line: str, cell: str | None = None) -> None:
        options, text = parsed(line, text_follows=cell is None)
        if options.help:
            print(help_text())
        elif cell is None and not line.strip():
            from .status import card

            print(card(notebook.settings))
        else:
            self._answer(*self._composed(options, line, text if cell is None else self._message(text, cell)))

    claude.__doc__ = help_text()

    def _message(self, text: str, cell: str) -> str:
        """The lines below `%%claude`, exactly as typed: IPython adds a newline if there was none."""
        if text.strip():
            raise CellError(f"text on the first line is not sent: {text[:60]!r}. Write it in the lines below.")
        if not self._in_notebook():
            return _BLANK_LINES_AT_END.sub("", cell)  # in a terminal, they only say that the cell is over
        return cell if self._cell.endswith(cell) else cell.removesuffix("\n")

    def _composed(self, options: Options, line: str, text: str) -> tuple[Options, str]:
        """The cell with its snippets before it; kept as a snippet itself if that was asked for."""
        if options.save:
            notebook.snippets.keep(options.save, without("--save", line, text), text)
        for name in reversed(options.with_):
            snippet = notebook.snippets[name]
            options = overlaid(parsed(snippet.line, text_follows=False)[0], options)
            text = "\n\n".join(filter(str.strip, (snippet.text, text)))
        return options, text

    def _answer(self, options: Options, text: str) -> None:
        if options.preview:
            print(notebook.preview(options, text, self._which_cell()))
            return
        reader = self._reader(options)
        exchange = notebook.ask(options, text, reader, self._which_cell())
        interrupted = _finished(reader, exchange)
        if exchange.error is not None:
            raise exchange.error
        if options.out:
            self.shell.push({options.out: exchange.text})
        if interrupted:
            raise Interrupted("stopped, after the reply was whole.")

    def _which_cell(self) -> str:
        """Which cell asks: what its front end calls it, else its text; in a terminal each input is another.

        A cell may ask several times: the how manieth question it is belongs to the name.
        """
        self._asked += 1
        if not self._in_notebook():
            return f"input {self.shell.execution_count}#{self._asked}"
        return f"{self._cell_id or self._cell}#{self._asked}"

    def _reader(self, options: Options) -> Any:
        if not self._in_notebook():
            from ..display.terminal import Terminal

            return Terminal()
        from ..display.page import Page

        panel = notebook.settings.panel if options.panel is None else options.panel
        return Page(owns_cell=self._cell.lstrip().startswith("%%claude"), raw=options.raw, panel=panel)

    def _in_notebook(self) -> bool:
        return hasattr(self.shell, "kernel")


def _finished(reader: Any, exchange: Exchange) -> bool:
    """Show the end; whether the reader pressed stop meanwhile. A display that fails shows the plain text."""
    try:
        reader.finish(exchange)
    except KeyboardInterrupt:
        reader.finish(exchange)
        return True
    except Exception as error:
        print(exchange.text)
        print(f"(shown as plain text: {type(error).__name__}: {error})")
    return False
