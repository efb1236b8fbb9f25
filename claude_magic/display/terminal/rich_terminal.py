"""A reply in a terminal, block by block as it is finished, rendered with `rich`.

Control characters are removed from the source before rich sees it, and links are printed as text: a reply reaches
the terminal as words and colours only.
"""

from __future__ import annotations

import importlib.util

from ..live.interrupts import hold_interrupts
from ..live.slices import Open, first_slice
from ..reply.reply import Passage
from ..text.plain import plain
from .terminal import Terminal, _is_terminal

_BLOCK = 1_000  # characters after which an unfinished block is cut


def available() -> bool:
    """Whether rich is installed, and there is a terminal to render for."""
    return _is_terminal() and importlib.util.find_spec("rich") is not None


class RichTerminal(Terminal):
    """Writes one exchange to a terminal, rendered."""

    _opened: Open | None = None

    def _append_from(self, passage: Passage, whole: bool) -> None:
        if passage.kind != "text":
            super()._append_from(passage, whole)
            return
        while (cut := first_slice(passage.source, self._at, _BLOCK, self._opened)) is not None:
            self._render(passage, cut.source, cut.end, cut.opened)
        if whole:
            self._render(passage, passage.source[self._at :], len(passage.source), None)

    def _render(self, passage: Passage, source: str, end: int, opened: Open | None) -> None:
        from rich.console import Console

        from .rich_tokens import rich_markdown

        self._wait("")
        marked, marks = self._with_marks(passage, end, whole=True)
        if source != passage.source[self._at : end]:  # what goes on over a cut is closed and opened again
            numbers = (f"[{number}]" for _, number in passage.places[self._marks : marks])
            marked = source + "".join(numbers)
        with hold_interrupts():
            if text := plain(marked).strip():
                break_before = "\n" if self._wrote else ""
                self._write(break_before)
                Console().print(rich_markdown(text))
            self._at, self._opened, self._marks = end, opened, marks
