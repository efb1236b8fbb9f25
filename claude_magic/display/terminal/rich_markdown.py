"""Translates the grammar's tokens to those that `rich` renders: it would drop the others without a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ...grammar import Token, parse
from ...grammar.numbers import numbers_to_show
from ..text.plain import plain

_COLUMN_GAP = 2  # cells
_SPACES = (r"\,", r"\!", r"\;", r"\:")  # in a formula; as escapes of punctuation nobody writes them


def rich_markdown(text: str) -> Markdown:
    """`text` for a console of `rich`, links as words."""
    result = _Markdown("", hyperlinks=False)
    result.parsed = list(_blocks(parse(text).tokens))
    return result


class _Table(TableElement):
    """A table whose words are whole: if its columns do not fit beside each other, its cells are below each other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            yield _with_whole_words(part, console, options) if isinstance(part, Table) else part


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": _Table}


def _with_whole_words(table: Table, console: Console, options: ConsoleOptions) -> RenderableType:
    for column in table.columns:
        cells = [column.header, *column.cells]
        column.min_width = max(Measurement.get(console, options, cell).minimum for cell in cells)
        column.overflow = "fold"
    if sum((column.min_width or 0) + _COLUMN_GAP for column in table.columns) <= options.max_width:
        return table
    lines = []
    for row in zip(*(column.cells for column in table.columns), strict=False):
        for column, cell in zip(table.columns, row, strict=False):
            lines.append(Text.assemble(_text_of(column.header), ": ", _text_of(cell), overflow="fold"))
        lines.append(Text())
    return Group(Text(), *lines)


def _text_of(cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def _blocks(tokens: list[Token]) -> Iterator[Token]:
    numbers = numbers_to_show(tokens)
    for index, token in enumerate(tokens):
        if token.type == "inline":
            token.children = list(_inlines(token.children or []))
            yield token
        elif token.type == "html_block":
            yield from _paragraph(token.content.strip("\n"))
        elif token.type == "definition":
            if not token.hidden:
                title = f' "{token.meta["title"]}"' if token.meta["title"] else ""
                yield from _paragraph(f"[{token.meta['label']}]: {token.meta['url']}{title}")
        elif token.type == "footnote_reference_open":
            yield from _paragraph(f"[^{token.meta['label']}]:")
        elif token.type != "footnote_reference_close":
            if index in numbers:  # rich counts up from the first: the list begins anew
                yield Token("ordered_list_close", "ol", -1)
                yield Token("ordered_list_open", "ol", 1, attrs={"start": numbers[index]})
            yield token


def _paragraph(text: str) -> Iterator[Token]:
    yield Token("paragraph_open", "p", 1)
    yield Token("inline", "", 0, children=[_text(text)])
    yield Token("paragraph_close", "p", -1)


def _inlines(tokens: Sequence[Token]) -> Iterator[Token]:
    bare = False
    for index, token in enumerate(tokens):
        token.attrs = {name: plain(str(value)) for name, value in token.attrs.items()}
        if token.type == "link_open":
            inside = [each.content for each in tokens[index + 1 : index + 2]]
            bare = inside == [token.attrs.get("href")] and tokens[index + 2].type == "link_close"
        if token.type in ("link_open", "link_close") and bare:  # rich would write the address twice
            bare = token.type == "link_open"
        elif token.type == "text_special" and token.markup in _SPACES:
            yield _text(token.markup)
        elif token.type in ("html_inline", "text_special", "math"):
            yield _text(token.content)
        elif token.type == "checkbox":
            yield _text(f"[{token.info or ' '}] ")
        elif token.type == "footnote_ref":
            yield _text(f"[^{token.meta['label']}]")
        elif token.type == "image":
            yield Token("link_open", "a", 1, attrs={"href": token.attrs.get("src", "")})
            yield _text(token.content)
            yield Token("link_close", "a", -1)
        else:
            yield token


def _text(content: str) -> Token:
    return Token("text", "", 0, content=plain(content))
