"""The stage of Python-Markdown that turns texts into elements: phrases, boxes, footnotes, tight items."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from .blocks import Blocks
from .bounds import Clock
from .delimiters import Mark
from .inlines import Scan, Token
from .links import addresses, link
from .marks import Sources, is_mark
from .mathematics import add_text
from .references import label

_DEPTH = 30
_NOTES = 500


class Phrases(Treeprocessor):
    """Reads the texts that `Blocks` left."""

    def __init__(self, md: Markdown, blocks: Blocks, clock: Clock, prefix: str, sources: Sources) -> None:
        super().__init__(md)
        self._blocks, self._clock, self._prefix, self._sources = blocks, clock, prefix, sources
        self._marks: dict[str, int] = {}  # label of a footnote: how often it was marked

    def run(self, root: Element) -> None:
        self._read(root)
        self._append_notes(root)
        for paragraph, ticked in self._blocks.tasks:
            _tick(paragraph, ticked)
        for item in self._blocks.tight:
            _unwrap(item)
        self._append_marks(root)

    def _read(self, root: Element) -> None:
        for element in list(root.iter()):
            self._clock.check()
            text = element.text
            if text and not isinstance(text, AtomicString):
                element.text = None
                _Tree(element).grow(Scan(text, self.md.references, self._note, self._sources).tokens())
            elif text and element.tag == "p":
                element.text = None
                add_text(element, text)

    def _note(self, name: str) -> Element | None:
        """The mark of a footnote; `None` if there is no such footnote, or too many marks."""
        name = label(name)
        if name not in self._blocks.notes or sum(self._marks.values()) >= _NOTES:
            return None
        count = self._marks[name] = self._marks.get(name, 0) + 1
        number = str(list(self._marks).index(name) + 1)
        mark = Element("sup", {"class": "footnote-ref", "id": self._id("ref", number, count)})
        SubElement(mark, "a", {"href": f"#{self._id('fn', number)}"}).text = AtomicString(number)
        return mark

    def _append_marks(self, root: Element) -> None:
        """Marks that no text could take, each after its block; where that is gone, at the end."""
        strays: dict[Element, Element] = {}
        for block, number in self._blocks.strays:
            strays.setdefault(block, Element("p")).append(self._sources.mark(number))
        parents = {child: parent for parent in root.iter() for child in parent} if strays else {}
        for block, marks in strays.items():
            parent = parents.get(block, root)
            places = list(parent)
            parent.insert(places.index(block) + 1 if block in places else len(places), marks)

    def _id(self, kind: str, number: str, count: int = 1) -> str:
        return f"cm-{self._prefix}-{kind}-{number}" + (f"-{count}" if count > 1 else "")

    def _append_notes(self, root: Element) -> None:
        """The footnotes that were marked, in the order of their marks; in reading them, more may be."""
        notes: list[Element] = []
        while len(notes) < len(self._marks):
            name = list(self._marks)[len(notes)]
            notes.append(self._blocks.notes[name])
            self._read(notes[-1])
        if not notes:
            return
        items = SubElement(SubElement(root, "section", {"class": "footnotes"}), "ol")
        for number, (note, count) in enumerate(zip(notes, self._marks.values(), strict=True), 1):
            note.set("id", self._id("fn", str(number)))
            last = note[-1] if len(note) and note[-1].tag == "p" else SubElement(note, "p")
            for mark in range(1, min(count, 9) + 1):
                add_text(last, " ")
                back = SubElement(last, "a", {"href": f"#{self._id('ref', str(number), mark)}"})
                back.text = AtomicString("↩")
            items.append(note)


def _tick(paragraph: Element, ticked: bool) -> None:
    box = Element("input", {"type": "checkbox", "disabled": ""} | ({"checked": ""} if ticked else {}))
    box.tail, paragraph.text = " " + (paragraph.text or ""), None
    paragraph.insert(0, box)


def _unwrap(item: Element) -> None:
    """Take the paragraphs of a tight item away, and leave what is in them."""
    children = list(item)
    item[:] = []
    for child in children:
        if child.tag != "p" or child.attrib:
            item.append(child)
            continue
        add_text(item, child.text or "")
        item.extend(child)


class _Tree:
    """Elements below `root`, from tokens; those too deep, and links in links, leave only their text."""

    def __init__(self, root: Element) -> None:
        self._path = [root]
        self._link = 0  # how deep the link is that we are in; 0 for none
        self._texts: list[str] = []
        self._held: list[Element] = []  # marks in a link, which come after it

    def grow(self, tokens: list[Token]) -> None:
        for token in tokens:
            if isinstance(token, str):
                self._texts.append(token)
            elif isinstance(token, Mark):
                self._close(token.closes)
                self._texts.append(token.text)
                for element in reversed(token.opens):
                    self._open(element)
            elif self._link and is_mark(token):
                self._held.append(token)
            elif self._link and token.tag in ("a", "sup"):
                self._texts.extend(token.itertext())
            else:
                self._flush()
                self._path[-1].append(token)
        self._flush()
        self._let_go()

    def _open(self, element: Element) -> None:
        parent, is_link = self._path[-1], element.tag == "a"
        if len(self._path) > _DEPTH or (is_link and self._link) or parent.tag == element.tag == "strong":
            self._path.append(parent)
            return
        self._flush()
        parent.append(element)
        self._path.append(element)
        if is_link:
            self._link = len(self._path)

    def _close(self, count: int) -> None:
        for _ in range(count):
            if self._path[-1] is not self._path[-2]:
                self._flush()
            self._path.pop()
            if len(self._path) < self._link:
                self._link = 0
                self._let_go()

    def _let_go(self) -> None:
        self._path[-1].extend(self._held)
        self._held = []

    def _flush(self) -> None:
        """Add the text so far, with links for mail addresses and delimiters that MathJax is to pass over.

        Only where an element begins or ends: no delimiter may come together from two pieces.
        """
        text, self._texts = "".join(self._texts), []
        if not text:
            return
        parent, end = self._path[-1], 0
        for start, stop in () if self._link else addresses(text):
            found = link(f"mailto:{text[start:stop]}")
            if found is not None:
                add_text(parent, text[end:start])
                found.text = AtomicString(text[start:stop])
                parent.append(found)
                end = stop
        add_text(parent, text[end:])
