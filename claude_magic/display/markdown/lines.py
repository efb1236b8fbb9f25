"""A line of Markdown and how much of it the containers around it have used up.

CommonMark counts columns: a tab reaches to the next multiple of four, and may be used up in halves.
Source: https://spec.commonmark.org/0.31.2/#tabs
"""

from __future__ import annotations

import re

from .marks import signed_again, unsigned

_WHITE = re.compile(r"[ \t]*")


class Line:
    """The rest of a line.

    Attributes:
        indent: Columns of white space ahead.
        first: Index in `text` of what follows them.
        blank: Nothing follows.
        marks: Of citations, that no text has taken yet; `text` is without them.
    """

    __slots__ = ("_at", "_column", "_split", "blank", "first", "indent", "marks", "text")

    def __init__(self, text: str) -> None:
        self.text, self.marks = unsigned(text)
        self._at = self._column = 0
        self._split = False
        self._look()

    def _look(self) -> None:
        white = _WHITE.match(self.text, self._at)
        self.first = white.end() if white else self._at
        self.indent = self.first - self._at
        if "\t" in self.text[self._at : self.first]:
            column = self._column
            for letter in self.text[self._at : self.first]:
                column += 4 - column % 4 if letter == "\t" else 1
            self.indent = column - self._column
        self.blank = self.first == len(self.text)

    def skip(self, columns: int) -> None:
        """Use up white space, as much as there is."""
        columns = min(columns, self.indent)
        while columns > 0:
            width = 4 - self._column % 4 if self.text[self._at] == "\t" else 1
            self._split = width > columns
            self._column += min(width, columns)
            self._at += not self._split
            columns -= width
        self._look()

    def eat(self, count: int) -> None:
        """Use up the white space ahead and `count` letters after it."""
        self._column += self.indent + count
        self._at = self.first + count
        self._split = False
        self._look()

    def rest(self) -> str:
        """What is left; of a tab used up in part, spaces are."""
        if self._split:
            return " " * (4 - self._column % 4) + self.text[self._at + 1 :]
        return self.text[self._at :]

    def words(self) -> str:
        """What is left after the white space ahead."""
        return self.text[self.first :]

    def told(self, start: int | None = None) -> str:
        """The words from `start` on, with their marks, which are taken by that."""
        start = self.first if start is None else start
        text, left = signed_again(self.text[start:], self.marks, start)
        self.marks = [(0, number) for number in left]
        return text
