"""Footnotes at the end of a text, numbered in the order of their references, with links back; none is lost."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from .math import add_text

_WAYS_BACK = 9


class Footnotes:
    """The footnotes of a text.

    Args:
        prefix: Begins the ids, unique in the page.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._notes: dict[str, Element] = {}
        self._counts: dict[str, int] = {}  # references to each
        self._numbers: dict[str, int] = {}

    def opened(self, label: str) -> Element:
        """The element for the text of a footnote; a second one of the same name is another footnote."""
        while label in self._notes:
            label += "'"
        note = self._notes[label] = Element("li")
        return note

    def mark(self, label: str) -> Element:
        """A reference, as a link to the footnote."""
        count = self._counts[label] = self._counts.get(label, 0) + 1
        number = self._numbers.setdefault(label, len(self._numbers) + 1)
        mark = Element("sup", {"class": "footnote-ref", "id": self._id("ref", number, count)})
        SubElement(mark, "a", {"href": f"#{self._id('fn', number)}"}).text = str(number)
        return mark

    def append_to(self, root: Element) -> None:
        """Appends the footnotes: those with a reference, then the others."""
        if not self._notes:
            return
        items = SubElement(SubElement(root, "section", {"class": "footnotes"}), "ol")
        for label in self._notes:
            self._numbers.setdefault(label, len(self._numbers) + 1)
        for label, number in self._numbers.items():
            note = self._notes[label]
            note.set("id", self._id("fn", number))
            last = note[-1] if len(note) and note[-1].tag == "p" else SubElement(note, "p")
            for count in range(1, min(self._counts.get(label, 0), _WAYS_BACK) + 1):
                add_text(last, " ")
                SubElement(last, "a", {"href": f"#{self._id('ref', number, count)}"}).text = "↩"
            items.append(note)

    def _id(self, kind: str, number: int, count: int = 1) -> str:
        return f"cm-{self._prefix}-{kind}-{number}" + (f"-{count}" if count > 1 else "")
