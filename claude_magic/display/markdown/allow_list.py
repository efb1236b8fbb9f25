"""What a reply may put into a page: the one list of elements and attributes, and two looks at it.

The tree is cut down to the list before it is written. What was written is read again, by the parser of the
standard library, and must be on the list too, every tag closed in its turn: a second look that does not trust
the first.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

from markdown.treeprocessors import Treeprocessor

from .citations import MARK
from .links import URL
from .math import IGNORED
from .time_limit import Clock

RAW_HTML = "cm-html"
_ID = r"cm-[0-9A-Za-z_-]{1,80}"
_BARE = "blockquote br del em h1 h2 h3 h4 h5 h6 hr pre strong table tbody thead tr ul"
_RULES: dict[str, dict[str, str]] = {
    "a": {
        "href": rf"#{_ID}|{URL.pattern}",
        "rel": "noopener noreferrer nofollow",
        "target": "_blank",
        "title": r"[^\0-\x08\x0b-\x1f\x7f-\x9f]*",
    },
    "code": {"class": r"language-[a-z0-9+#-]{1,30}"},
    "input": {"type": "checkbox", "disabled": "", "checked": ""},
    "p": {"class": RAW_HTML},
    "li": {"id": _ID, "value": r"[0-9]{1,9}"},
    "ol": {"start": r"[0-9]{1,9}"},
    "section": {"class": "footnotes"},
    "span": {"class": rf"[a-z]{{1,2}}|{IGNORED}"},
    "sup": {"class": f"footnote-ref|{MARK}", "id": _ID},
    "td": {"align": "left|center|right"},
    "th": {"align": "left|center|right"},
} | {tag: {} for tag in _BARE.split()}
_ALLOWED = {
    tag: {name: re.compile(pattern, re.I | re.A) for name, pattern in attributes.items()}
    for tag, attributes in _RULES.items()
}
_VOID = frozenset(("br", "hr", "input"))
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class UnsafeMarkup(Exception):
    """Something came out that is not on the list."""


class AllowList(Treeprocessor):
    """Cuts the tree down to the list; the root, which is not written, may be anything."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element is root:
                continue
            if element.tag not in _ALLOWED:
                element.tag, element.attrib = "span", {}
            for name in [name for name, value in element.items() if not _is_allowed(element.tag, name, value)]:
                del element.attrib[name]


def _is_allowed(tag: str, name: str, value: str | None) -> bool:
    pattern = _ALLOWED.get(tag, {}).get(name)
    return pattern is not None and pattern.fullmatch(value or "") is not None


def check(html: str, clock: Clock) -> None:
    """Read `html` again.

    Raises:
        OutOfTime: There is too much of it.
        Unsafe: Something is not on the list, or tags do not match.
    """
    reader = _Reader(clock)
    reader.feed(html)
    reader.close()
    if reader.path or _CONTROL.search(html):
        raise UnsafeMarkup(html[:100])


class _Reader(HTMLParser):
    """Raises at the first thing that is not allowed."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(convert_charrefs=True)
        self._clock = clock
        self.path: list[str] = []

    def updatepos(self, i: int, j: int) -> int:
        """No lines are counted: half of the time went into it."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._clock.check()
        names = [name for name, _ in attrs]
        if tag not in _ALLOWED or len(set(names)) < len(names):
            raise UnsafeMarkup(tag)
        for name, value in attrs:
            if not _is_allowed(tag, name, value):
                raise UnsafeMarkup(f"{tag} {name}")
        if tag not in _VOID:
            self.path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.path or self.path.pop() != tag:
            raise UnsafeMarkup(f"/{tag}")

    def handle_data(self, data: str) -> None:
        """Text is text, whatever it says."""

    def handle_comment(self, data: str) -> None:
        raise UnsafeMarkup("comment")

    def handle_decl(self, decl: str) -> None:
        raise UnsafeMarkup("declaration")

    def handle_pi(self, data: str) -> None:
        raise UnsafeMarkup("processing instruction")

    def unknown_decl(self, data: str) -> None:
        raise UnsafeMarkup("declaration")
