"""Builds Python-Markdown's element tree from the grammar's tokens, as an extension of Python-Markdown.

Links and images become what `link` allows, mathematics and stray delimiters what MathJax is to see, citations their
marks; what is too deep, or a link in a link, leaves its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element, ElementTree, SubElement, tostring

from markdown import Extension, Markdown
from markdown.blockparser import BlockParser
from markdown.util import Registry

from ...grammar import Place, Token, parse
from ...grammar.addresses import mail_addresses
from ...grammar.numbers import numbers_to_show
from ..text.plain import plain
from .allow_list import RAW_HTML, AllowList
from .citations import Sources
from .footnotes import Footnotes
from .highlight import Colours
from .links import link
from .math import add_text, formula_element
from .time_limit import Clock

_DEPTH = 60
_TEXTS = frozenset(("text", "text_special", "html_inline"))
_TAGS = {"s": "del"}


def html(text: str, places: Sequence[Place], sources: Sources, prefix: str, clock: Clock) -> str:
    """`text` as HTML, by Python-Markdown with our extension."""
    md = Markdown(extensions=[Replies(places, sources, prefix, clock)])
    md.serializer = lambda root: tostring(root, encoding="unicode", method="html")  # its own lets entities through
    return md.convert(text)


class Replies(Extension):
    """Installs GitHub's grammar, this builder of the tree, and the allow-list."""

    def __init__(self, places: Sequence[Place], sources: Sources, prefix: str, clock: Clock) -> None:
        super().__init__()
        self._places, self._sources, self._prefix, self._clock = places, sources, prefix, clock

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  (the library's name)
        md.preprocessors, md.treeprocessors, md.postprocessors = Registry(), Registry(), Registry()
        md.parser = _Grammar(md, self._places, self._sources, self._prefix, self._clock)
        md.treeprocessors.register(Colours(md), "colours", 10)
        md.treeprocessors.register(AllowList(md), "safe", 0)


class _Grammar(BlockParser):
    """Reads a whole text at once."""

    def __init__(self, md: Markdown, places: Sequence[Place], sources: Sources, prefix: str, clock: Clock) -> None:
        super().__init__(md)
        self._places, self._sources, self._prefix, self._clock = places, sources, prefix, clock

    def parseDocument(self, lines: Iterable[str]) -> ElementTree[Element | None]:  # noqa: N802
        parsed = parse("\n".join(lines), self._places, self._clock.check)
        root = Element(self.md.doc_tag)
        notes = Footnotes(self._prefix)
        tree = _Tree(root, self._sources, notes, self._clock)
        tree.mark_after(parsed.citations_after.get(-1, []))
        for index, number in numbers_to_show(parsed.tokens).items():
            parsed.tokens[index].attrs["value"] = str(number)
        for index, token in enumerate(parsed.tokens):
            tree.add(token)
            tree.mark_after(parsed.citations_after.get(index, []))
        notes.append_to(root)
        return ElementTree(root)


class _Tree:
    """Appends elements below `root`, token by token."""

    def __init__(self, root: Element, sources: Sources, notes: Footnotes, clock: Clock) -> None:
        self._path = [root]
        self._link = 0  # nesting depth of the current link; 0 outside links
        self._texts: list[str] = []
        self._held: list[Element] = []  # citation marks within a link, placed after it
        self._sources, self._notes, self._clock = sources, notes, clock

    def add(self, token: Token) -> None:
        """Appends the element or the text of a token."""
        self._clock.check()
        if token.type == "inline":
            for child in token.children or []:
                self.add(child)
            self._flush()
        elif token.type in _ADD:
            _ADD[token.type](self, token)
        elif token.type in _TEXTS:
            self._texts.append(plain(token.content) if token.type == "text_special" else token.content)
        elif token.hidden:  # the paragraphs of a tight list
            return
        elif token.nesting > 0:
            self._open(Element(_TAGS.get(token.tag, token.tag), _attributes(token)))
        elif token.nesting < 0:
            self._close()
        elif token.tag:
            self._put(Element(token.tag))

    def mark_after(self, numbers: list[int]) -> None:
        """Appends citation marks that fit in no text, as a paragraph."""
        if numbers:
            paragraph = SubElement(self._path[-1], "p")
            paragraph.extend(self._sources.mark(number) for number in numbers)

    def _put(self, element: Element) -> None:
        self._flush()
        self._path[-1].append(element)

    def _open(self, element: Element | None) -> None:
        """Opens an element; `None` opens none, so that its content belongs to the enclosing element."""
        parent = self._path[-1]
        is_link = element is not None and element.tag == "a"
        if (
            element is None
            or len(self._path) > _DEPTH
            or (is_link and self._link)
            or parent.tag == element.tag == "strong"
        ):
            self._path.append(parent)
            return
        self._put(element)
        self._path.append(element)
        if is_link:
            self._link = len(self._path)

    def _close(self) -> None:
        if self._path[-1] is not self._path[-2]:
            self._flush()
        self._path.pop()
        if len(self._path) < self._link:
            self._link = 0
            self._path[-1].extend(self._held)
            self._held = []

    def _flush(self) -> None:
        """Appends the pending text, with links for mail addresses and delimiters that MathJax is to pass over.

        Only where an element begins or ends: no delimiter may come together from two pieces.
        """
        text, self._texts = "".join(self._texts), []
        if not text:
            return
        parent, end = self._path[-1], 0
        for start, stop in () if self._link else mail_addresses(text):
            element = link(f"mailto:{text[start:stop]}")
            if element is not None:
                add_text(parent, text[end:start])
                element.text = text[start:stop]
                parent.append(element)
                end = stop
        add_text(parent, text[end:])

    def _softbreak(self, token: Token) -> None:
        self._texts.append("\n")

    def _hardbreak(self, token: Token) -> None:
        self._put(Element("br"))
        if not token.markup:
            self._texts.append("\n")

    def _code_inline(self, token: Token) -> None:
        element = Element("code")
        element.text = token.content
        self._put(element)

    def _code(self, token: Token) -> None:
        element = Element("pre", {"info": token.info})
        SubElement(element, "code").text = token.content
        self._put(element)

    def _html(self, token: Token) -> None:
        element = Element("p", {"class": RAW_HTML})
        add_text(element, token.content.strip("\n"))
        self._put(element)

    def _definition(self, token: Token) -> None:
        """A link definition that nothing uses, as it may have been written."""
        if token.hidden:
            return
        element = Element("p", {"class": RAW_HTML})
        title = f' "{plain(token.meta["title"])}"' if token.meta["title"] else ""
        url = plain(token.meta["url"])
        add_text(element, f"[{token.meta['label']}]: ")
        anchor = link(url)
        if anchor is None:
            add_text(element, url + title)
        else:
            add_text(anchor, url)
            element.append(anchor)
            add_text(element, title)
        self._put(element)

    def _math(self, token: Token) -> None:
        self._put(formula_element(token.content))

    def _citation(self, token: Token) -> None:
        mark = self._sources.mark(int(token.info))
        if self._link:
            self._held.append(mark)
        else:
            self._put(mark)

    def _checkbox(self, token: Token) -> None:
        ticked = {"checked": ""} if token.info else {}
        self._put(Element("input", {"type": "checkbox", "disabled": "", **ticked}))
        self._texts.append(" ")

    def _link_open(self, token: Token) -> None:
        self._open(link(plain(str(token.attrs.get("href", ""))), plain(str(token.attrs.get("title", "")))))

    def _image(self, token: Token) -> None:
        """A link in its place; no page loads it."""
        url = plain(str(token.attrs.get("src", "")))
        self._open(link(url, plain(str(token.attrs.get("title", "")))))
        self._texts.append(_words(token.children or []) or url)
        self._close()

    def _list_open(self, token: Token) -> None:
        start = int(token.attrs.get("start", 1))
        self._open(Element("ol", {"start": str(start)} if start != 1 else {}))

    def _footnote_ref(self, token: Token) -> None:
        mark = self._notes.mark(token.meta["label"])
        if self._link:
            self._texts.extend(mark.itertext())
        else:
            self._put(mark)

    def _footnote_open(self, token: Token) -> None:
        self._flush()
        self._path.append(self._notes.opened(token.meta["label"]))


_ADD: dict[str, Callable[[_Tree, Token], None]] = {
    "softbreak": _Tree._softbreak,
    "hardbreak": _Tree._hardbreak,
    "code_inline": _Tree._code_inline,
    "code_block": _Tree._code,
    "fence": _Tree._code,
    "html_block": _Tree._html,
    "definition": _Tree._definition,
    "math": _Tree._math,
    "citation": _Tree._citation,
    "checkbox": _Tree._checkbox,
    "link_open": _Tree._link_open,
    "image": _Tree._image,
    "ordered_list_open": _Tree._list_open,
    "footnote_ref": _Tree._footnote_ref,
    "footnote_reference_open": _Tree._footnote_open,
}


def _attributes(token: Token) -> dict[str, str]:
    align, value = str(token.attrs.get("style", "")).removeprefix("text-align:"), str(token.attrs.get("value", ""))
    return ({"align": align} if align else {}) | ({"value": value} if value else {})


def _words(tokens: list[Token]) -> str:
    """The text in the tokens of an image."""
    pieces = []
    for token in tokens:
        pieces.append(_words(token.children) if token.children else token.content or "\n" * ("break" in token.type))
    return plain("".join(pieces))
