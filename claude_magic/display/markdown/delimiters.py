"""Runs of `*`, `_` and `~`, and which of them belong together.

Source: https://spec.commonmark.org/0.31.2/#phase-2-inline-structure
"""

from __future__ import annotations

import unicodedata
from xml.etree.ElementTree import Element

_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class Mark:
    """Text that may turn out to close elements before it, and to open elements after it."""

    __slots__ = ("closes", "opens", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.closes = 0
        self.opens: list[Element] = []


class Run(Mark):
    """A run of one letter; what its matches use up goes from its text."""

    __slots__ = ("_length", "can_close", "can_open", "letter", "order")

    def __init__(self, text: str, before: str, after: str, order: int) -> None:
        super().__init__(text)
        self.letter, self.order, self._length = text[0], order, len(text)
        left, right = _flanks(before, after), _flanks(after, before)
        self.can_open, self.can_close = left, right
        if self.letter == "_":
            self.can_open = left and (not right or _is_punctuation(before))
            self.can_close = right and (not left or _is_punctuation(after))
        if self.letter == "~" and self._length > 2:
            self.can_open = self.can_close = False

    @property
    def kind(self) -> tuple[str, bool, int]:
        """Closers of one kind find the same openers."""
        return self.letter, self.can_open, self._length if self.letter == "~" else self._length % 3

    def fits(self, closer: Run) -> bool:
        """Whether what this opens can be closed by `closer`."""
        if self.letter != closer.letter:
            return False
        if self.letter == "~":
            return self._length == closer._length
        if not (self.can_close or closer.can_open) or closer._length % 3 == 0:
            return True
        return (self._length + closer._length) % 3 != 0


def pair(runs: list[Run]) -> None:
    """Find out which runs open and close what."""
    openers: list[Run] = []
    floors: dict[tuple[str, bool, int], int] = {}  # below these, a closer of that kind has searched in vain
    for closer in runs:
        while closer.can_close and closer.text:
            floor, index = floors.get(closer.kind, -1), len(openers) - 1
            while index >= 0 and openers[index].order > floor and not openers[index].fits(closer):
                index -= 1
            if index < 0 or openers[index].order <= floor:
                floors[closer.kind] = closer.order - 1
                break
            del openers[index + 1 :]
            _join(openers[index], closer)
            if not openers[index].text:
                openers.pop()
        if closer.can_open and closer.text:
            openers.append(closer)


def _join(opener: Run, closer: Run) -> None:
    double = len(opener.text) > 1 and len(closer.text) > 1
    tag = "del" if opener.letter == "~" else "strong" if double else "em"
    opener.opens.append(Element(tag))
    closer.closes += 1
    opener.text, closer.text = opener.text[1 + double :], closer.text[1 + double :]


def _flanks(outside: str, inside: str) -> bool:
    """Whether a run between these letters stands at the edge of what is inside."""
    if _is_white(inside):
        return False
    return not _is_punctuation(inside) or _is_white(outside) or _is_punctuation(outside)


def _is_white(letter: str) -> bool:
    return not letter or letter.isspace()


def _is_punctuation(letter: str) -> bool:
    return letter in _PUNCTUATION if letter.isascii() else unicodedata.category(letter)[0] == "P"
