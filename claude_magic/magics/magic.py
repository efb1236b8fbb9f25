"""`%%claude` and `%claude`."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..cell.line import parsed
from ..cell.options import Options, help_text
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

    def remember_cell(self, info: Any) -> None:
        """Keep what was typed: IPython changes it before a magic sees it."""
        self._cell = info.raw_cell or ""

    @no_var_expand
    @line_cell_magic
    def claude(self, line: str, cell: str | None = None) -> None:
        options, text = parsed(line)
        if options.help:
            print(help_text())
        elif cell is None and not line.strip():
            from .status import card

            print(card(notebook.settings))
        else:
            self._ask(options, text if cell is None else self._message(text, cell))

    claude.__doc__ = help_text()

    def _message(self, text: str, cell: str) -> str:
        """The lines below `%%claude`, exactly as typed: IPython adds a newline if there was none."""
        if text.strip():
            raise CellError(f"text on the first line is not sent: {text[:60]!r}. Write it in the lines below.")
        if not self._in_notebook():
            return _BLANK_LINES_AT_END.sub("", cell)  # in a terminal, they only say that the cell is over
        return cell if self._cell.endswith(cell) else cell.removesuffix("\n")

    def _ask(self, options: Options, text: str) -> None:
        reader = self._reader(options)
        exchange = notebook.ask(options, text, reader)
        interrupted = _finished(reader, exchange)
        if exchange.error is not None:
            raise exchange.error
        if options.out:
            self.shell.push({options.out: exchange.text})
        if interrupted:
            raise Interrupted("stopped, after the reply was whole.")

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
