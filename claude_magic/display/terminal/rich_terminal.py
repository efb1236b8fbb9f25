"""A reply in a terminal, rendered with `rich`: finished blocks stay, the one that grows is drawn again below them.

Control characters are removed from the source before rich sees it, and links are printed as text: a reply reaches
the terminal as words and colours only.
"""

from __future__ import annotations

import importlib.util
import os
import time
from typing import TYPE_CHECKING

from ...wire import Exchange
from ..live.interrupts import hold_interrupts
from ..live.slices import Open, first_slice, tail
from ..reply.reply import Passage
from ..text.plain import plain
from .terminal import Terminal
from .waiting_line import is_terminal

if TYPE_CHECKING:
    from .live_region import LiveRegion

_BLOCK = 1_000  # characters after which an unfinished block is cut
_REST_AFTER_DRAWING = 4


def available() -> bool:
    """Whether rich is installed, and there is a terminal to render for, which can move its cursor."""
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return is_terminal() and not dumb and importlib.util.find_spec("rich") is not None


class RichTerminal(Terminal):
    """Writes one exchange to a terminal, rendered."""

    def __init__(self) -> None:
        super().__init__()
        self._opened: Open | None = None
        self._region: LiveRegion | None = None
        self._drawn = "", ""  # in the region
        self._not_before = 0.0

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Appends the rest and the summary line, and removes what was drawn while the reply grew."""
        try:
            super().finish(exchange, above=above, body=body)
        finally:
            self._wait("")

    def _append_from(self, passage: Passage, complete: bool) -> None:
        if passage.kind != "text":
            super()._append_from(passage, complete)
            return
        while (cut := first_slice(passage.source, self._at, _BLOCK, self._opened)) is not None:
            self._render(passage, cut.source, cut.end, cut.opened)
        if complete:
            self._render(passage, passage.source[self._at :], len(passage.source), None)

    def _render(self, passage: Passage, source: str, end: int, opened: Open | None) -> None:
        from rich.console import Console

        from .rich_markdown import rich_markdown

        text, marks = self._text(passage, source, end, whole=True)
        self._wait("")
        with hold_interrupts():
            if text:
                self._write(self._gap())
                Console().print(rich_markdown(text))
                self._wrote, self._newlines = True, 1
            self._at, self._opened, self._marks = end, opened, marks

    def _text(self, passage: Passage, source: str, end: int, *, whole: bool) -> tuple[str, int]:
        """The Markdown of a slice that ends at `end`, and the number of citation marks up to there."""
        written, marks = self._with_marks(passage, end, whole)
        if source != passage.source[self._at : end]:  # what goes on over a cut is closed and opened again
            numbers = (f"[{number}]" for _, number in passage.places[self._marks : marks])
            written = source + "".join(numbers)
        return plain(written).strip(), marks

    def _show_growth(self, unfinished: list[Passage], status: str) -> None:
        """Redraws the block that grows, with the status below it."""
        begun = time.monotonic()
        passage = unfinished[0] if unfinished else None
        if begun < self._not_before or (passage is not None and passage.kind == "thinking" and self._at):
            return  # thinking is appended, and the cursor stands behind it
        text = ""
        if passage is not None and passage.kind == "text":
            rest = tail(passage.source.rstrip("\ufffd"), self._at, self._opened, growing=True)
            text, _ = self._text(passage, rest.source, rest.end, whole=False)
        self._draw(text, plain(status))
        self._not_before = begun + (1 + _REST_AFTER_DRAWING) * (time.monotonic() - begun)

    def _draw(self, text: str, status: str) -> None:
        if (text, status) == self._drawn or not (text or status):
            return
        from .live_region import LiveRegion

        with hold_interrupts():
            if self._region is None:
                self._write(self._gap())
                self._region = LiveRegion()
            self._region.draw(text, status)
            self._drawn = text, status

    def _wait(self, line: str) -> None:
        """Removes what was drawn; what is written next stays."""
        with hold_interrupts():
            if self._region is not None:
                self._region.clear()
            self._region, self._drawn = None, ("", "")
