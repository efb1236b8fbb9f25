"""Addresses that may become links, and those that stand bare in text.

Source: https://github.github.com/gfm/#autolinks-extension-
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from urllib.parse import quote
from xml.etree.ElementTree import Element

from ..plain import plain
from .mathematics import add_text

URL = re.compile(r"(?:https?://[0-9A-Z%_\[]|mailto:)[!#-;=?-Z\[\]_a-z~]{0,12000}", re.I | re.A)
ENTITY = re.compile(r"&(?:#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
_WRITTEN = re.compile(r"\\([!-/:-@\[-`{-~])|(&[#A-Za-z][0-9A-Za-z]{1,31};)")
_DOMAIN = re.compile(r"[^\W_][\w-]*(?:\.[\w-]+)*")
_BARE = re.compile(r"[^\s<]{1,4000}")
_TAIL = re.compile(r"(?:[?!.,:*_~'\"]|&[A-Za-z0-9]{1,31};|;)$")
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_")
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


def entity(name: str) -> str:
    """What `&...;` stands for; itself, if nothing, and nothing that would be invisible."""
    if name.startswith("&#"):
        return plain(unescape(name)) or "\N{REPLACEMENT CHARACTER}"
    return plain(html5[name[1:]]) if name[1:] in html5 else name


def written(text: str) -> str:
    """`text` without its backslash escapes and entities."""
    return plain(_WRITTEN.sub(lambda found: found[1] or entity(found[2]), text))


def link(url: str, title: str = "") -> Element | None:
    """A link to an address of the web or of mail; `None` if it is none."""
    url = quote(url.strip(), safe="!#$%&'()*+,-./:;=?@[]_~")
    if not URL.fullmatch(url):
        return None
    element = Element("a", {"href": url, "rel": "noopener noreferrer nofollow", "target": "_blank"})
    if title:
        element.set("title", title)
    return element


def bare_link(text: str, at: int) -> tuple[Element, int] | None:
    """The link that begins with `http://`, `https://` or `www.` at `at`, and where it ends."""
    www = text[at] in "wW"
    before = text[at - 1 : at]
    if (before and not before.isspace() and before not in "*_~(") if www else before.isalnum():
        return None
    scheme = 0 if www else text.index("//", at) + 2 - at
    found = _BARE.match(text, at + scheme)
    if not found or not _is_domain(found[0], dotted=www):
        return None
    shown = text[at : at + scheme] + _trimmed(found[0])
    element = link(f"http://{shown}" if www else shown)
    if element is not None:
        add_text(element, shown)
    return (element, at + len(shown)) if element is not None else None


def _is_domain(text: str, *, dotted: bool) -> bool:
    domain = _DOMAIN.match(text)
    segments = domain[0].split(".") if domain else []
    return bool(segments) and not any("_" in segment for segment in segments[-2:]) and len(segments) > dotted


def _trimmed(url: str) -> str:
    """`url` without the punctuation of the sentence around it."""
    surplus = url.count(")") - url.count("(")
    while url:
        if url.endswith(")") and surplus > 0:
            surplus -= 1
            url = url[:-1]
            continue
        tail = _TAIL.search(url, max(0, len(url) - 40))
        if not tail:
            break
        url = url[: tail.start()]
    return url


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where mail addresses begin and end in `text`."""
    end, at = 0, text.find("@")
    while at > 0:
        start = at
        while start > end and text[start - 1] in _LOCAL:
            start -= 1
        host = _HOST.match(text, at + 1) if start < at else None
        if host and host[0][-1] not in "-_":
            end = host.end()
            yield start, end
        else:
            end = at + 1
        at = text.find("@", end)
