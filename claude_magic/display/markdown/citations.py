"""Marks of citations: where in a text they stand, and the elements that a page shows for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from ...grammar import Place
from ..text.plain import plain

TITLE_LIMIT = 400
MARK = "cm-mark"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What the marks of a text refer to.

    Attributes:
        prefix: What the ids of the entries begin with; the number follows.
        titles: Of each number, what is said when the mouse rests on a mark.
    """

    prefix: str = ""
    titles: Sequence[str] = ()

    def mark(self, number: int) -> Element:
        """The mark, as a link to its entry."""
        element = Element("sup", {"class": MARK})
        title = self.titles[number - 1][:TITLE_LIMIT] if 0 < number <= len(self.titles) else ""
        tooltip = {"title": title} if title else {}
        link = SubElement(element, "a", {"href": f"#{self.prefix}{number}", **tooltip})
        link.text = f"[{number}]"
        return element


def clean(text: str, places: Iterable[Place]) -> tuple[str, list[Place]]:
    """`text` without invisible characters, and the positions of the marks in it."""
    pieces, marks, end, size = list[str](), list[Place](), 0, 0
    for at, number in sorted(places):
        pieces.append(plain(text[end:at]))
        size, end = size + len(pieces[-1]), max(end, at)
        marks.append((size, number))
    return "".join((*pieces, plain(text[end:]))), marks


def with_brackets(text: str, places: Sequence[Place]) -> str:
    """`text` with its marks as they are written without HTML: `[1]`."""
    pieces, end = list[str](), 0
    for at, number in places:
        pieces += [text[end:at], f"[{number}]"]
        end = at
    return "".join((*pieces, text[end:]))
