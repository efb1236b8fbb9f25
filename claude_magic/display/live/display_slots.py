"""Which display holds how much of a growing reply, so that what has settled is seldom sent again.

The reply and the two outputs of its panel are three displays. While the reply grows the first holds what has
settled, the last what changes, the second what is on its way between them; at the end each becomes what it is
to be, in place. To clear the cell instead would lose the reader's place: JupyterLab removes all outputs
and lays the page out before it puts the new ones in.

Displays change one after the other, and a page that moves would be seen twice for a moment: the display that
takes it brings a style that hides it where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

_WORTH_MOVING = 3_000
_WORTH_SETTLING = 9_000


@dataclass(frozen=True, kw_only=True)
class DisplaySlots:
    """How the finished pages are divided.

    Attributes:
        name: Of this reply, for the classes of its pages.
        displays: How many there may be: one holds all, three divide it.
        made: How many there are, one or three.
        settled: How many pages stand in the first.
        moved: How many pages stand in the first and the second.
        settled_before: How many stood in the first before the last division.
        moved_before: How many stood in the first and the second before.
    """

    name: str
    displays: int
    made: int = 1
    settled: int = 0
    moved: int = 0
    settled_before: int = 0
    moved_before: int = 0

    def promote(self, pages: tuple[str, ...]) -> DisplaySlots:
        """The next division: a page is sent a few times at most, however many follow.

        Args:
            pages: Those that were drawn as such, so that they can be hidden where they were.
        """
        first = sum(map(len, pages[: self.settled]))
        second = sum(map(len, pages[self.settled : self.moved]))
        last = sum(map(len, pages[self.moved :]))
        if self.displays < 3 or last < _WORTH_MOVING:
            return self
        before = replace(self, made=3, settled_before=self.settled, moved_before=self.moved, moved=len(pages))
        if self.made == 1 or second + last >= max(_WORTH_SETTLING, first):
            return replace(before, settled=len(pages))
        return before if last >= second / 2 else self

    def contents(self, pages: tuple[str, ...], tail: str) -> list[str]:
        """What each display that is made shows."""
        last = self._display_id("c", pages, self.moved)
        if self.made == 1:
            return [f'{last}<div class="cm-{self.name}">{tail}</div>']
        settling = range(self.settled_before, self.settled)
        moving = range(max(self.moved_before, self.settled), self.moved)
        return [
            _hidden(f"cm-{self.name}{level}{page}" for page in settling for level in "bc")
            + "".join(pages[: self.settled]),
            _hidden(f"cm-{self.name}c{page}" for page in moving)
            + self._display_id("b", pages[: self.moved], self.settled),
            _hidden([f"cm-{self.name}"]) + last + tail,
        ]

    def _display_id(self, level: str, pages: tuple[str, ...], start: int) -> str:
        named = enumerate(pages[start:], start)
        return "".join(f'<div class="cm-{self.name}{level}{number}">{page}</div>' for number, page in named)


def _hidden(classes: Iterable[str]) -> str:
    selectors = ",".join(f".{name}" for name in classes)
    return f"<style>{selectors}{{display:none}}</style>" if selectors else ""
