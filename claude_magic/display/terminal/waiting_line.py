"""The last line of a terminal: it says what is waited for, and is replaced until something is written."""

from __future__ import annotations

import sys

from ...wire.text_width import cells, fit
from ..live.interrupts import hold_interrupts
from ..text.plain import plain
from .word_wrap import columns


class WaitingLine:
    """One line that is drawn again and again; nothing in a pipe or a file."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, line: str) -> None:
        """Replaces the line; `""` removes it, and the cursor returns to where it began."""
        line = fit(plain(line), columns() - 1)  # one that goes on in the next row could not be replaced
        if line == self._shown or not is_terminal():
            return
        with hold_interrupts():
            write("\r" + line + " " * (cells(self._shown) - cells(line)) + ("" if line else "\r"))
            self._shown = line


def is_terminal() -> bool:
    """Whether what is written goes to a terminal."""
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False


def write(text: str) -> None:
    """Writes text with the characters that the terminal can encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
