"""Divides the finished pages of a growing reply among three displays, so that settled pages are seldom sent again.

The three become the reply and the two outputs of its panel at the end, each in place. While the reply grows, the first
holds settled pages, the third what changes, and the second the pages between them. Clearing the cell instead would
lose the reader's scroll position: JupyterLab removes all outputs and lays out the page before it adds the new ones.

Displays are updated one after the other, so a page that moves would be seen twice for a moment: the display that
receives it brings a style that hides it where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

_WORTH_MOVING = 3_000
_WORTH_SETTLING = 9_000


@dataclass(frozen=True, kw_only=True)
class DisplaySlots:
    """A division of the finished pages.

    Attributes:
        name: A unique prefix for the CSS classes of the pages.
        most: How many displays there may be, 1 or 3.
        count: How many displays there are, 1 or 3.
        settled: How many pages are in the first display.
        moved: How many pages are in the first and the second display.
        settled_before: The value of `settled` before the last division.
        moved_before: The value of `moved` before the last division.
    """

    name: str
    most: int
    count: int = 1
    settled: int = 0
    moved: int = 0
    settled_before: int = 0
    moved_before: int = 0

    def promote(self, pages: tuple[str, ...]) -> DisplaySlots:
        """The next division; a page changes its display twice at most.

        Args:
            pages: The pages that have been shown as such, so that they can be hidden where they were.
        """
        first = sum(map(len, pages[: self.settled]))
        second = sum(map(len, pages[self.settled : self.moved]))
        last = sum(map(len, pages[self.moved :]))
        if self.most < 3 or last < _WORTH_MOVING:
            return self
        before = replace(self, count=3, settled_before=self.settled, moved_before=self.moved, moved=len(pages))
        if self.count == 1 or second + last >= max(_WORTH_SETTLING, first):
            return replace(before, settled=len(pages))
        return before if last >= second / 2 else self

    def contents(self, pages: tuple[str, ...], tail: str) -> list[str]:
        """The HTML of each display."""
        last = self._page_elements("c", pages, self.moved)
        if self.count == 1:
            return [f'{last}<div class="cm-{self.name}">{tail}</div>']
        settling = range(self.settled_before, self.settled)
        moving = range(max(self.moved_before, self.settled), self.moved)
        return [
            _hidden(f"cm-{self.name}{level}{page}" for page in settling for level in "bc")
            + "".join(pages[: self.settled]),
            _hidden(f"cm-{self.name}c{page}" for page in moving)
            + self._page_elements("b", pages[: self.moved], self.settled),
            _hidden([f"cm-{self.name}"]) + last + tail,
        ]

    def _page_elements(self, level: str, pages: tuple[str, ...], start: int) -> str:
        numbered = enumerate(pages[start:], start)
        return "".join(f'<div class="cm-{self.name}{level}{number}">{page}</div>' for number, page in numbered)


def _hidden(classes: Iterable[str]) -> str:
    selectors = ",".join(f".{name}" for name in classes)
    return f"<style>{selectors}{{display:none}}</style>" if selectors else ""
