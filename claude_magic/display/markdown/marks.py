"""Marks of citations: numbers in a text that stand where a cited stretch ends, whatever Markdown makes of it.

A mark travels in the text between two control characters that `plain` has taken out of everything a model wrote,
so no text can forge one. Blocks are told apart by lines without marks, so no mark breaks a table or closes a fence;
where a line has no words of its own (a closing fence, code) its marks come after the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

from ..plain import plain

_SIGN = re.compile("\x02([0-9]{1,9})\x03")
TITLE_LIMIT = 400
MARK = "cm-mark"
Place = tuple[int, int]
"""Where a mark stands in a text, and its number."""


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
        named = {"title": title} if title else {}
        link = SubElement(element, "a", {"href": f"#{self.prefix}{number}", **named})
        link.text = AtomicString(f"[{number}]")
        return element


def signed(text: str, places: Iterable[Place]) -> str:
    """`text` without what cannot be seen, and with the marks in it.

    Args:
        places: In the text as it is given.
    """
    pieces, end = list[str](), 0
    for at, number in sorted(places):
        pieces += [plain(text[end:at]), f"\x02{number}\x03"]
        end = max(end, at)
    return "".join((*pieces, plain(text[end:])))


def unsigned(text: str) -> tuple[str, list[Place]]:
    """`text` without marks, and where they stood."""
    if "\x02" not in text:
        return text, []
    pieces, places, end, size = list[str](), list[Place](), 0, 0
    for sign in _SIGN.finditer(text):
        pieces.append(text[end : sign.start()])
        size += sign.start() - end
        places.append((size, int(sign[1])))
        end = sign.end()
    return "".join((*pieces, text[end:])), places


def signed_again(text: str, places: Sequence[Place], start: int) -> tuple[str, list[int]]:
    """The marks put back into `text`, what is left of it from `start` on; and the numbers of those before it."""
    if not places:
        return text, []
    pieces, end = list[str](), 0
    for at, number in places:
        if at > start:
            pieces += [text[end : at - start], f"\x02{number}\x03"]
            end = at - start
    return "".join((*pieces, text[end:])), [number for at, number in places if at <= start]


def is_mark(token: object) -> bool:
    """Whether this is a mark's element."""
    return isinstance(token, Element) and token.get("class") == MARK


def bracketed(text: str) -> str:
    """Signed text with its marks as they are written without HTML: `[1]`."""
    return _SIGN.sub(r"[\1]", text)
