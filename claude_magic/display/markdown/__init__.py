"""Model text as HTML that is safe to show, in bounded time: the only door to a page.

Python-Markdown is the engine. Its block parser and its inline stage are replaced by ones that follow GitHub's
specification in linear time, and nothing it does with raw HTML is left. What goes wrong ends as preformatted
text: no reply raises, runs or fetches anything.
"""

from __future__ import annotations

import html
import re
from hashlib import sha256
from xml.etree.ElementTree import tostring

from markdown import Markdown
from markdown.util import Registry

from ..plain import plain
from .blocks import Blocks
from .bounds import Clock
from .highlight import Highlighter
from .phrases import Phrases
from .safe import Safe, check
from .style import STYLE

__all__ = ["STYLE", "preformatted", "rendered"]

_LONGEST = 500_000
_SECONDS, _LETTERS = 1.1, 100_000  # so long for so many letters
_UNFIT = re.compile(r"[^0-9A-Za-z_-]")


def rendered(text: str, prefix: str | None = None) -> str:
    """`text`, GitHub's Markdown, as an HTML fragment.

    Args:
        prefix: What the ids of footnotes begin with, unique in the page; by default it is made from the text.
    """
    text = plain(text)
    if len(text) > _LONGEST:
        return preformatted(text)
    try:
        prefix = _UNFIT.sub("", prefix or sha256(text.encode()).hexdigest()[:12])[:40]
        clock = Clock(_SECONDS * max(1, len(text) / _LETTERS))
        written = _engine(prefix, clock).convert(text)
        check(written, clock)
    except Exception:  # the last line of defence: a reply is shown, whatever is wrong with it or with us
        return preformatted(text)
    return written


def preformatted(text: str) -> str:
    """`text` as it is, without what cannot be seen."""
    return f"<pre>{html.escape(plain(text))}</pre>"


def _engine(prefix: str, clock: Clock) -> Markdown:
    md = Markdown()
    blocks = Blocks(md, clock, Highlighter())
    md.parser = blocks
    md.preprocessors, md.treeprocessors, md.postprocessors = Registry(), Registry(), Registry()
    md.treeprocessors.register(Phrases(md, blocks, clock, prefix), "inline", 20)
    md.treeprocessors.register(Safe(md), "safe", 0)
    md.serializer = lambda root: tostring(root, encoding="unicode", method="html")
    return md
