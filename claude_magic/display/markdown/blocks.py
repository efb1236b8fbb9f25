"""The block structure of GitHub's Markdown, in place of Python-Markdown's own block parser.

One pass over the lines with a stack of open containers, as the CommonMark specification describes it: time is
linear in text times depth, and depth is bounded; deeper markers are text.
Source: https://spec.commonmark.org/0.31.2/#appendix-a-parsing-strategy and https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, ElementTree, SubElement

from markdown import Markdown
from markdown.blockparser import BlockParser

from .bounds import Clock
from .highlight import Highlighter
from .leaves import RAW_HTML, Fence, Html, Indented, Leaf, Paragraph, Table, html_end, table
from .lines import Line
from .marks import signed_again, unsigned
from .references import label, without_definitions

_DEPTH = 40
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_HEADING_END = re.compile(r"(?:^|[ \t])#+$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_RULE = re.compile(r"([*_-])[ \t]*(?:\1[ \t]*){2,}$")
_MARKER = re.compile(r"(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)")
_NOTE = re.compile(r"\[\^([^\]\s]{1,200})\]:[ \t]*")
_TASK = re.compile(r"\[([ xX])\][ \t]+")


class Container:
    """An open block that holds blocks.

    Attributes:
        indent: Columns its lines are indented by.
        marker: What the items of a list have in common.
        filled: Something is inside.
        loose: A blank line stands between two things inside, so paragraphs stay paragraphs.
    """

    __slots__ = ("element", "filled", "indent", "kind", "loose", "marker")

    def __init__(self, kind: str, element: Element, *, indent: int = 0, marker: str = "") -> None:
        self.kind, self.element, self.indent, self.marker = kind, element, indent, marker
        self.filled = self.loose = False

    def goes_on(self, line: Line) -> bool:
        """Whether `line` belongs here; if so, use up what says so."""
        if self.kind == "quote":
            if line.indent > 3 or not line.text.startswith(">", line.first):
                return False
            line.eat(1)
            line.skip(1)
        elif self.indent:
            if line.indent < self.indent:
                return line.blank and self.filled
            line.skip(self.indent)
        return True


class Blocks(BlockParser):
    """Lines in, a tree out, whose texts are yet to be read for emphasis, links and the like.

    Attributes:
        notes: Footnotes by label; they are not in the tree.
        tight: Items whose paragraphs are to be plain text.
        tasks: Paragraphs that begin with a box, and whether it is ticked.
        strays: Marks that come after a block, as its text could not take them.
    """

    def __init__(self, md: Markdown, clock: Clock, highlighter: Highlighter) -> None:
        super().__init__(md)
        self._clock, self._highlighter = clock, highlighter
        self.notes: dict[str, Element] = {}
        self.tight: list[Element] = []
        self.tasks: list[tuple[Element, bool]] = []
        self.strays: list[tuple[Element, int]] = []
        self._leaf: Leaf | None = None
        self._number = self._blank_number = 0
        self._depth = 0  # how many open containers the line belongs to

    def parseDocument(self, lines: Iterable[str]) -> ElementTree[Element | None]:  # noqa: N802  (the library's name)
        self.root = Element(self.md.doc_tag)
        self._open = [Container("root", self.root)]
        self._last = self.root
        for self._number, text in enumerate(lines, 1):
            self._clock.check()
            line = Line(text)
            self._read(line)
            self.strays += [(self._last, number) for _, number in line.marks]
        self._shut(0)
        return ElementTree(self.root)

    def _read(self, line: Line) -> None:
        """Give one line to the blocks it belongs to."""
        if line.blank and not self._leaf and 0 < self._blank_number == self._number - 1:
            self._blank_number = self._number  # one more of many blank lines says nothing new
            return
        self._depth = self._matched(line)
        if self._leaf and self._goes_on and self._leaf.takes(line):
            return
        if self._goes_on and not isinstance(self._leaf, Paragraph | Table):
            self._close_leaf()
        if line.blank:
            self._end_at_blank()
            return
        while not self._leaf_starts(line):
            if not self._container_starts(line):
                self._read_text(line)
                return
            if line.blank:
                return

    def _matched(self, line: Line) -> int:
        for depth, container in enumerate(self._open):
            if not container.goes_on(line):
                return depth
        return len(self._open)

    @property
    def _goes_on(self) -> bool:
        """Whether the line belongs to every open container, so that it reaches the leaf."""
        return self._depth == len(self._open)

    def _end_at_blank(self) -> None:
        quoted = self._open[self._depth - 1].kind == "quote"
        self._shut(self._depth)
        self._blank_number = 0 if quoted else self._number

    def _read_text(self, line: Line) -> None:
        """Give a line that starts nothing to a leaf."""
        leaf = self._leaf
        if isinstance(leaf, Paragraph):
            if not (self._goes_on and self._table_starts(leaf, line)):
                leaf.add(line.told())
        elif isinstance(leaf, Table) and self._goes_on:
            leaf.add(line.told())
        else:
            self._leaf = Paragraph(self._new("p"), line.told())

    def _leaf_starts(self, line: Line) -> bool:
        if line.indent > 3:
            if not isinstance(self._leaf, Paragraph):
                self._leaf = Indented(self._new("pre"), line)
            return isinstance(self._leaf, Indented)
        letter = line.text[line.first]
        if letter == "#":
            return self._heading_starts(line)
        if letter in "`~":
            return self._fence_starts(line)
        if letter == "<":
            return self._html_starts(line)
        if letter in "=-" and self._is_underline(line):
            return True
        if letter in "*_-" and _RULE.match(line.text, line.first):
            self._new("hr")
            return True
        return False

    def _heading_starts(self, line: Line) -> bool:
        match = _HEADING.match(line.text, line.first)
        if match:
            text = line.text[match.end() :].rstrip(" \t")
            text = _HEADING_END.sub("", text).rstrip(" \t")
            start, end = match.end(), match.end() + len(text)
            line.marks = [(min(at, max(end, start + 1)), number) for at, number in line.marks]
            line.text = line.text[:end]
            self._new(f"h{len(match[1])}").text = line.told(start)
        return match is not None

    def _fence_starts(self, line: Line) -> bool:
        match = _FENCE.match(line.text, line.first)
        if match:
            fence, info = (match[1], match[2]) if match[1] else (match[3], match[4])
            self._leaf = Fence(self._new("pre"), fence, info, line.indent, self._highlighter)
        return match is not None

    def _html_starts(self, line: Line) -> bool:
        end = html_end(line.words(), in_paragraph=isinstance(self._leaf, Paragraph) and self._goes_on)
        if end:
            element = self._new("p")
            element.set("class", RAW_HTML)
            self._leaf = Html(element, line, end)
        return end is not None

    def _is_underline(self, line: Line) -> bool:
        """Whether the line makes the paragraph before it a heading; if so, it is done."""
        leaf = self._leaf
        if not isinstance(leaf, Paragraph) or not self._goes_on:
            return False
        if not _UNDERLINE.match(line.text, line.first):
            return False
        text = self._without_definitions(leaf)
        leaf.lines = [text]
        if text:
            leaf.element.tag = "h1" if line.words()[0] == "=" else "h2"
            leaf.element.text, self._leaf = text.strip(), None
        return text != ""

    def _table_starts(self, paragraph: Paragraph, line: Line) -> bool:
        """Whether the line is the rule below a header; if so, the header leaves the paragraph for the table."""
        element = Element("table")
        begins = line.indent < 4 and line.text[line.first] in "|:-"
        found = table(element, paragraph.lines[-1], line.words()) if begins else None
        if found:
            del paragraph.lines[-1]
            self._close_leaf()
            self._open[-1].element.append(element)
            self._leaf, self._last = found, element
        return found is not None

    def _container_starts(self, line: Line) -> bool:
        if line.indent > 3 or len(self._open) >= _DEPTH:
            return False
        if line.text[line.first] == ">":
            self._push(Container("quote", self._new("blockquote")))
            line.eat(1)
            line.skip(1)
            return True
        return self._item_starts(line) or self._note_starts(line)

    def _item_starts(self, line: Line) -> bool:
        match = _MARKER.match(line.text, line.first)
        if not match:
            return False
        interrupts = isinstance(self._leaf, Paragraph) and self._goes_on
        is_empty = not line.text[match.end() :].strip(" \t")
        if interrupts and (is_empty or int(match[1] or 1) != 1):  # a number that a sentence was broken before
            return False
        marker, number, indent = match[0][-1], match[1], line.indent + len(match[0])
        line.eat(len(match[0]))
        padding = line.indent if not line.blank and line.indent < 5 else 1
        line.skip(padding)
        if (self._open[self._depth - 1].kind, self._open[self._depth - 1].marker) != ("list", marker):
            items = self._new("ol" if number else "ul")
            if number and int(number) != 1:
                items.set("start", str(int(number)))
            self._push(Container("list", items, marker=marker))
        self._push(Container("item", self._new("li"), indent=indent + padding))
        return True

    def _note_starts(self, line: Line) -> bool:
        match = _NOTE.match(line.text, line.first)
        if match:
            self._shut(self._depth)
            note = Element("li")
            self.notes.setdefault(label(match[1]), note)
            self._push(Container("note", note, indent=4))
            self._open[-1].filled = True
            line.eat(len(match[0]))
        return match is not None

    def _push(self, container: Container) -> None:
        self._open.append(container)
        self._depth = len(self._open)

    def _new(self, tag: str) -> Element:
        """A new block where the line belongs; what was open beyond is closed."""
        if self._open[self._depth - 1].kind == "list" and tag != "li":
            self._depth -= 1
        self._shut(self._depth)
        parent = self._open[-1]
        if parent.filled and self._blank_number == self._number - 1:
            self._open[-2 if parent.kind == "item" else -1].loose = True
        parent.filled = True
        self._last = SubElement(parent.element, tag)
        return self._last

    def _shut(self, depth: int) -> None:
        self._close_leaf()
        while len(self._open) > depth:
            container = self._open.pop()
            if container.kind == "list" and not container.loose:
                self.tight.extend(container.element)

    def _close_leaf(self) -> None:
        leaf, self._leaf = self._leaf, None
        if isinstance(leaf, Paragraph):
            self._close_paragraph(leaf)
        elif leaf:
            leaf.close()

    def _close_paragraph(self, paragraph: Paragraph) -> None:
        """Take link definitions out of a paragraph, and a box; what nothing is left of goes."""
        parent = self._open[-1]
        text = self._without_definitions(paragraph)
        if not text.strip(" \t"):
            del parent.element[-1]
            return
        bare, marks = unsigned(text)
        box = _TASK.match(bare) if parent.kind == "item" and len(parent.element) == 1 else None
        if box:
            self.tasks.append((paragraph.element, box[1] != " "))
            text = self._rest(bare, marks, box.end(), paragraph.element)
        paragraph.element.text = text.rstrip(" \t")

    def _without_definitions(self, paragraph: Paragraph) -> str:
        """The text of a paragraph after the link definitions at its head."""
        text = "\n".join(paragraph.lines)
        if not text.startswith("["):
            return text
        bare, marks = unsigned(text)
        rest = without_definitions(bare, self.md.references)
        return self._rest(bare, marks, len(bare) - len(rest), paragraph.element)

    def _rest(self, bare: str, marks: list[tuple[int, int]], start: int, element: Element) -> str:
        """`bare` from `start` on, its marks in it again; those before it come after the block."""
        text, before = signed_again(bare[start:], marks, start)
        self.strays += [(element, number) for number in before]
        return text
