"""Model text as HTML that is safe to show, in bounded time: the only door to a page.

Python-Markdown is the engine. Its block parser and its inline stage are replaced by ones that follow GitHub's
specification in linear time, and nothing it does with raw HTML is left. What goes wrong ends as preformatted
text: no reply raises, runs or fetches anything.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from hashlib import sha256
from xml.etree.ElementTree import Element, tostring

from markdown import Markdown
from markdown.util import Registry

from ..plain import plain
from .blocks import Blocks
from .bounds import Clock, OutOfTime
from .highlight import Highlighter
from .links import link
from .marks import Place, Sources, bracketed, signed
from .phrases import Phrases
from .safe import Safe, check
from .style import STYLE

__all__ = ["NOTHING", "STYLE", "Place", "Sources", "code", "linked", "preformatted", "rendered"]

_LONGEST = 500_000
_LONGEST_URL = 4_000
_SECONDS, _LETTERS = 1.1, 100_000  # so long for so many letters
NOTHING = Sources()
_UNFIT = re.compile(r"[^0-9A-Za-z_-]")


def rendered(text: str, prefix: str | None = None, *, places: Sequence[Place] = (), sources: Sources = NOTHING) -> str:
    """`text`, GitHub's Markdown, as an HTML fragment.

    Args:
        prefix: What the ids of footnotes begin with, unique in the page; by default it is made from the text.
        places: Where citations are marked.
        sources: What the marks refer to.
    """
    text = signed(text, places)
    if len(text) > _LONGEST:
        return _as_source(text, f"it is longer than {_LONGEST:,} characters")
    try:
        prefix = _UNFIT.sub("", prefix or sha256(text.encode()).hexdigest()[:12])[:40]
        clock = Clock(_SECONDS * max(1, len(text) / _LETTERS))
        written = _engine(prefix, clock, sources).convert(text)
        check(written, clock)
    except OutOfTime:
        return _as_source(text, "rendering it takes too long")
    except Exception as error:  # the last line of defence: a reply is shown, whatever is wrong with it or with us
        return _as_source(text, f"rendering it failed with {type(error).__name__}: {str(error)[:200]}")
    return written


def _as_source(text: str, why: str) -> str:
    """`text` as it is, and why it is not rendered."""
    return f"<p><em>Shown as source: {html.escape(plain(why))}.</em></p>{preformatted(bracketed(text))}"


def preformatted(text: str) -> str:
    """`text` as it is, without what cannot be seen."""
    return f"<pre>{html.escape(plain(text))}</pre>"


def code(text: str, language: str) -> str:
    """`text` as a block of code, in colour if the language is one we know."""
    block = Element("pre")
    try:
        Highlighter().fill(block, plain(text), language)
        written = tostring(block, encoding="unicode", method="html")
        check(written, Clock(_SECONDS))
    except Exception:  # as above
        return preformatted(text)
    return written


def linked(url: str, text: str) -> str:
    """`text` as a link, if `url` is an address that may be one; else the text alone."""
    element = link(plain(url)) if len(url) <= _LONGEST_URL else None
    if element is None:
        return html.escape(plain(text))
    element.text = plain(text)
    return tostring(element, encoding="unicode", method="html")


def _engine(prefix: str, clock: Clock, sources: Sources) -> Markdown:
    md = Markdown()
    blocks = Blocks(md, clock, Highlighter())
    md.parser = blocks
    md.preprocessors, md.treeprocessors, md.postprocessors = Registry(), Registry(), Registry()
    md.treeprocessors.register(Phrases(md, blocks, clock, prefix, sources), "inline", 20)
    md.treeprocessors.register(Safe(md), "safe", 0)
    md.serializer = lambda root: tostring(root, encoding="unicode", method="html")
    return md
