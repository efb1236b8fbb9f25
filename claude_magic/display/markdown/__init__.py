"""Renders model text as HTML that is safe to show, in bounded time; nothing else puts model text on a page.

`markdown-it-py` reads the text (`grammar`: GitHub's rules, in linear time), and Python-Markdown is the engine
around it: our extension gives it the tree, its tree processors colour code and cut the tree down to what is allowed,
its serializer writes it. What goes wrong ends as preformatted text: no reply raises, runs or fetches anything.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from hashlib import sha256
from xml.etree.ElementTree import Element, tostring

from ...grammar import Place
from ..text.plain import plain
from . import tree
from .allow_list import check
from .citations import Sources, clean, with_brackets
from .highlight import Highlighter
from .links import link
from .time_limit import Clock, OutOfTime

__all__ = ["NOTHING", "Place", "Sources", "code", "link_html", "preformat", "render"]

_LONGEST = 500_000
_LONGEST_URL = 4_000
_SECONDS, _LETTERS = 1.3, 100_000  # CPU seconds allowed for so many characters
NOTHING = Sources()
_UNFIT = re.compile(r"[^0-9A-Za-z_-]")


def render(text: str, prefix: str | None = None, *, places: Sequence[Place] = (), sources: Sources = NOTHING) -> str:
    """`text`, GitHub's Markdown, as an HTML fragment.

    Args:
        prefix: What the ids of footnotes begin with, unique in the page; by default it is made from the text.
        places: Where citations are marked.
        sources: What the marks refer to.
    """
    text, places = clean(text, places)
    if len(text) > _LONGEST:
        return _as_source(with_brackets(text, places), f"it is longer than {_LONGEST:,} characters")
    try:
        prefix = _UNFIT.sub("", prefix or sha256(text.encode()).hexdigest()[:12])[:40]
        clock = Clock(_SECONDS * max(1, len(text) / _LETTERS))
        result = tree.html(text, places, sources, prefix, clock)
        check(result, clock)
    except OutOfTime:
        return _as_source(with_brackets(text, places), "rendering it takes too long")
    except Exception as error:  # the last line of defence: a reply is shown, whatever is wrong with it or with us
        why = f"rendering it failed with {type(error).__name__}: {str(error)[:200]}"
        return _as_source(with_brackets(text, places), why)
    return result


def _as_source(text: str, why: str) -> str:
    """The text unrendered, below the reason."""
    return f"<p><em>Shown as source: {html.escape(plain(why))}.</em></p>{preformat(text)}"


def preformat(text: str) -> str:
    """The text unrendered, without invisible characters."""
    return f"<pre>{html.escape(plain(text))}</pre>"


def code(text: str, language: str) -> str:
    """`text` as a block of code, in colour if the language is one we know."""
    block = Element("pre")
    try:
        Highlighter().fill(block, plain(text), language)
        result = tostring(block, encoding="unicode", method="html")
        check(result, Clock(_SECONDS))
    except Exception:  # as above
        return preformat(text)
    return result


def link_html(url: str, text: str) -> str:
    """`text` as a link, if `url` is an address that may be one; else the text alone."""
    element = link(plain(url)) if len(url) <= _LONGEST_URL else None
    if element is None:
        return html.escape(plain(text))
    element.text = plain(text)
    return tostring(element, encoding="unicode", method="html")
