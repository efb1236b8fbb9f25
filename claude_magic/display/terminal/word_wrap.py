"""Text that arrives in pieces, wrapped between words before the terminal would break one.

A word that is longer than a line, such as an address, is left to the terminal, which joins it again when it is copied;
so is code, whose lines must not change.
"""

from __future__ import annotations

import re
import shutil

from ...wire.text_width import cells

_FENCES = ("```", "~~~")
_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
_PIECE = re.compile(rf"\n|[ \t]+|[{_WIDE}]|[^\s{_WIDE}]+|\s")
_SEPARATOR = " · "


def columns() -> int:
    """The width of the terminal, in cells."""
    return max(20, shutil.get_terminal_size().columns)


def wrap_facts(line: str, width: int) -> str:
    """A line of facts, broken between facts; one that is longer than a line is broken between its words."""
    lines: list[str] = []
    for fact in line.split(_SEPARATOR):
        if lines and cells(lines[-1] + _SEPARATOR + fact) < width:
            lines[-1] += _SEPARATOR + fact
        else:
            lines.append(fact)
    return "\n".join(WordWrap(width).feed(each) for each in lines)


class WordWrap:
    """Wraps a text that arrives in pieces.

    A word that turns out too long for its line after its beginning is printed is taken back with backspaces, and
    printed again in the next line.

    Args:
        width: Of the terminal, in cells. Its last column stays empty: what a terminal does after it differs.
    """

    def __init__(self, width: int) -> None:
        self._limit = width - 1
        self._column = 0
        self._line = ""  # its beginning, which tells whether it is a fence
        self._word = ""  # the unfinished word at the end
        self._start = 0  # its column
        self._in_code = False

    def feed(self, text: str) -> str:
        """What to print for the next piece of the text."""
        return "".join(map(self._piece, _PIECE.findall(text)))

    def _piece(self, piece: str) -> str:
        if piece == "\n":
            if self._line.lstrip().startswith(_FENCES):
                self._in_code = not self._in_code
            self._line, self._column, self._word = "", 0, ""
            return piece
        self._line = (self._line + piece)[:80]
        if self._in_code:
            return piece
        return self._space(piece) if piece.isspace() else self._part_of_word(piece)

    def _space(self, piece: str) -> str:
        self._word = ""
        if self._column > self._limit:  # after a word that the terminal had to break
            self._column %= self._limit + 1
        kept = piece[: self._limit - self._column]
        self._column += len(kept)
        return kept

    def _part_of_word(self, piece: str) -> str:
        size = cells(piece)
        if not self._word or size == 2 * len(piece):  # wide characters stand by themselves
            self._word, self._start = "", self._column
        self._word += piece
        if self._column + size <= self._limit or not self._start:
            self._column += size
            return piece
        back = self._column - self._start
        self._start, self._column = 0, cells(self._word)
        return "\b" * back + " " * back + "\b" * back + "\n" + self._word
