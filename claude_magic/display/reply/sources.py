"""The sources that a reply cites: each has one number, a mark where it is cited, and an entry in a list below.

Source: https://docs.anthropic.com/en/docs/build-with-claude/citations
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...wire import Block
from ..text.excerpt import one_line, plain_line

_MOST_SOURCES = 500
_MOST_LISTED = 200
_MOST_QUOTES = 3
_QUOTE, _TITLE, _URL = 400, 200, 4_000
_IGNORED = "mathjax_ignore tex2jax_ignore"
_PLACES = {  # type of a citation -> the word, the fields of its first and last, whether the last is one beyond
    "char_location": ("character", "start_char_index", "end_char_index", True),
    "page_location": ("page", "start_page_number", "end_page_number", True),
    "content_block_location": ("block", "start_block_index", "end_block_index", True),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Something that is cited.

    Attributes:
        url: `""` for a document of the request.
        where: In the document, such as `page 3`.
        quotes: The first of what is cited of it.
    """

    title: str
    url: str = ""
    where: str = ""
    quotes: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """What it is, on one line."""
        return " · ".join(filter(None, (self.title, self.where, self.url if self.url != self.title else "")))


class Citations:
    """The sources of a reply, as its blocks are read in order."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._sources: list[Source] = []

    def numbers(self, block: Block) -> list[int]:
        """The numbers of the sources that a text block cites, each once."""
        citations = block.get("citations")
        result = dict[int, None]()
        for citation in citations if isinstance(citations, list) else ():
            if isinstance(citation, Mapping) and (number := self._number(citation)):
                result[number] = None
        return list(result)

    @property
    def sources(self) -> list[Source]:
        """In the order of their numbers, from 1 on."""
        return list(self._sources)

    def _number(self, citation: Mapping[str, Any]) -> int:
        """The number of the cited source; 0 if its kind is unknown, or there are too many."""
        key, source = _identity(citation)
        if source is None or (key not in self._numbers and len(self._sources) >= _MOST_SOURCES):
            return 0
        number = self._numbers.setdefault(key, len(self._sources) + 1)
        if number > len(self._sources):
            self._sources.append(source)
            return number
        known = self._sources[number - 1]
        if len(known.quotes) < _MOST_QUOTES:
            quotes = tuple(dict.fromkeys((*known.quotes, *source.quotes)))
            self._sources[number - 1] = Source(title=known.title, url=known.url, where=known.where, quotes=quotes)
        return number


def citations(blocks: Iterable[Block]) -> Citations:
    """The sources of a whole reply."""
    result = Citations()
    for block in blocks:
        if block.get("type") == "text":
            result.numbers(block)
    return result


def titles(sources: Sequence[Source]) -> list[str]:
    """The tooltip of each source's mark."""
    return [plain_line(": ".join((source.line, *source.quotes[:1])), _QUOTE) for source in sources]


def sources_html(sources: Sequence[Source], prefix: str) -> str:
    """The list below the reply; `""` if nothing is cited.

    Args:
        prefix: What the ids of the entries begin with, unique in the page.
    """
    if not sources:
        return ""
    items = "".join(_item(f"{prefix}{number}", source) for number, source in enumerate(sources[:_MOST_LISTED], 1))
    left = len(sources) - _MOST_LISTED
    more = f'<div class="cm-more">… {left:,} more not shown</div>' if left > 0 else ""
    inner = f'<div class="cm-caption">Sources</div><ol>{items}</ol>{more}'
    return f'<section class="cm-sources {_IGNORED}">{inner}</section>'


def sources_lines(sources: Sequence[Source]) -> list[str]:
    """The same as text."""
    if not sources:
        return []
    lines = [f"  [{number}] {plain_line(source.line, 500)}" for number, source in enumerate(sources[:_MOST_LISTED], 1)]
    left = len(sources) - _MOST_LISTED
    return ["Sources:", *lines, *([f"  … {left:,} more"] if left > 0 else [])]


def _item(name: str, source: Source) -> str:
    from ..markdown import link_html

    title = link_html(source.url, plain_line(source.title, _TITLE)) if source.url else one_line(source.title, _TITLE)
    where = f'<span class="cm-where"> · {one_line(source.where, 100)}</span>' if source.where else ""
    quotes = "".join(f"<blockquote>{one_line(quote, _QUOTE)}</blockquote>" for quote in source.quotes)
    details = f"<details><summary>cited text</summary>{quotes}</details>" if quotes else ""
    return f'<li id="{name}">{title}{where}{details}</li>'


def _identity(citation: Mapping[str, Any]) -> tuple[tuple[str, ...], Source | None]:
    """The identity of the cited source, and the source; `None` for an unknown kind."""
    kind, title = citation.get("type"), _words(citation, "title") or _words(citation, "document_title")
    quote = plain_line(_words(citation, "cited_text")[: 4 * _QUOTE], _QUOTE)
    quotes = (quote,) if quote else ()
    if kind == "web_search_result_location":
        url = _words(citation, "url")[:_URL]
        return ("web", url), Source(title=title or url or "a page without a title", url=url, quotes=quotes)
    if kind == "search_result_location":
        name = _words(citation, "source")[:_URL]
        return ("result", name), Source(title=title or name or "a search result", url=name, quotes=quotes)
    if isinstance(kind, str) and kind in _PLACES:
        where = _place(citation, *_PLACES[kind])
        index = citation.get("document_index")
        number = f" {index + 1}" if type(index) is int and 0 <= index < 10**6 else ""
        label = title or f"document{number}"
        return (kind, str(index)[:20], title[:500], where), Source(title=label, where=where, quotes=quotes)
    return (), None


def _place(citation: Mapping[str, Any], word: str, first: str, last: str, beyond: bool) -> str:
    """The place in the document. Pages count from 1, the others from 0; the end is exclusive."""
    start, end = citation.get(first), citation.get(last)
    if type(start) is not int or type(end) is not int or not -1 < start < 10**12 or not start <= end < 10**12:
        return ""
    start += word != "page"
    end = max(start, end - (beyond and word == "page"))
    return f"{word} {start:,}" if start == end else f"{word}s {start:,} to {end:,}"


def _words(citation: Mapping[str, Any], name: str) -> str:
    value = citation.get(name)
    return value if isinstance(value, str) else ""
