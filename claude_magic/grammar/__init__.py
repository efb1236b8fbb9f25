r"""The only grammar of Markdown in this package: text in, tokens of `markdown-it-py` out.

The page, the live slices, the terminal and `--as code` all read replies with it. It is GitHub's
(https://github.github.com/gfm/), as implemented by `markdown-it-py`. HTML is a token like any other, and is not
interpreted.

Where GitHub's rules would lose or change text of the model, they are changed. These are all the differences:

- One `~` never strikes, `~~gone~~` does: in `3~5 days, 10~12 kg` GitHub strikes out a range and removes the tildes.
- `**重要。**请` is bold, and so is `__重要__です`: scripts without spaces, and emoji, may touch the markers.
- `2*3*4`, `x*y and a*b`, `COUNT(*) and SUM(*)`, `src/**/*.py` and `2**10` are text: two `*` that are both inside words,
  in brackets or beside a slash are signs, and `**` beside a digit inside a word is a power. GitHub removes them.
- `__init__`, `__FILE__` are text, as are other such names of Python and C. GitHub removes the underscores.
- A bare URL ends before full-width punctuation and closing quotes, `https://a.b。谢谢`; it may follow any letter that
  is not ASCII, and may be in brackets. On GitHub the sentence becomes part of the link.
- A row with a pipe in code keeps the code whole, unless only splitting it gives as many cells as the header has.
- A row with more cells than the header keeps them. GitHub drops them.
- Every item of a list keeps its number, `10. a`, `9. b`, unless all are the same. GitHub counts up from the first.
- A fence with a language inside another fence is nested, if every block is closed then; in a `markdown` block also a
  fence without a language after a blank line. GitHub ends the outer block at the first inner end.
- Code of a fence in a list item may be indented less than the item, if the fence is closed after it. On GitHub the item
  ends, and the rest of the code is prose.
- A fence below a line of tags, `<answer>`, is code. On GitHub it is part of the raw HTML.
- `[1]: https://a.b` that no link uses is shown, and so is a footnote without a reference. GitHub drops both.
- `$x_1$`, `$$..$$`, `\(..\)`, `\[..\]` are formulas, unchanged; the `$` of a price or a shell variable is text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from . import block_rules, inline_rules
from .citations import Place, citation_places

__all__ = ["Document", "Place", "Token", "blocks", "parse"]

for _name in ("markdown_it", "MARKDOWN"):
    # At DEBUG they log each rule tried at each block: a notebook that logs everything would get megabytes for a reply.
    if not (_logger := logging.getLogger(_name)).level:
        _logger.setLevel(logging.INFO)

_MAX_BLOCK_DEPTH, _MAX_BRACKET_DEPTH = 44, 16  # deeper ones are text


class _Grammar(MarkdownIt):
    """Accepts all links unchanged: they are checked when they are written to a page."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  the library's name
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


class _References(dict[str, Any]):
    """The link definitions of a text by label.

    Attributes:
        used: The labels that were looked up.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()

    def get(self, label: str, default: Any = None) -> Any:
        self.used.add(label)
        return super().get(label, default)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A parsed text.

    Attributes:
        tokens: The tokens of the blocks; an `inline` token has its own in `children`. Added to the library's types are
            `math`; `citation`, whose `info` is its number; and `checkbox` in a task, whose `info` is `x` if it is done.
        citations_after: By the index of a token, the numbers of the citations after it.
    """

    tokens: list[Token]
    citations_after: dict[int, list[int]]


def blocks(text: str, *, growing: bool = False) -> list[Token]:
    """The block structure of `text`, without the content of paragraphs.

    Args:
        growing: Whether the text may continue: a fence that is not closed yet may still nest.
    """
    tokens: list[Token] = []
    grammar = _grammar(_MAX_BLOCK_DEPTH)
    grammar.block.parse(text, grammar, {"growing": growing, "line_budget": block_rules.line_budget(text)}, tokens)
    return tokens


def parse(text: str, places: Sequence[Place] = (), check: Callable[[], None] = lambda: None) -> Document:
    """Parses `text` completely.

    Args:
        places: The places of citations in it, in order; they have no other effect on the result.
        check: Called often; may raise an exception if parsing takes too long.
    """
    grammar, tokens, references = _grammar(_MAX_BLOCK_DEPTH), list[Token](), _References()
    env: dict[str, Any] = {"references": references, "check": check, "line_budget": block_rules.line_budget(text)}
    grammar.block.parse(text, grammar, env, tokens)
    inside, after = citation_places(text, tokens, places)
    grammar = _grammar(_MAX_BRACKET_DEPTH)
    for index, token in enumerate(tokens):
        if token.type == "inline" and token.children is not None:
            citations = inside.get(index, [])
            if index > 1 and tokens[index - 2].type == "list_item_open":
                citations = _read_checkbox(token, citations)
            env["source"], env["citations"] = token.content, citations[::-1]
            children = grammar.inline.parse(token.content, grammar, env, token.children)
            children += [inline_rules.citation(number) for _, number in reversed(env["citations"])]
    _mark_definitions(tokens, references)
    return Document(tokens=tokens, citations_after=after)


def _read_checkbox(token: Token, citations: list[Place]) -> list[Place]:
    """Turns `[x] ` at the beginning of an item into a token; returns the citations' places in the rest."""
    box = inline_rules.CHECKBOX.match(token.content)
    if not box or token.children is None:
        return citations
    token.content = token.content[box.end() :]
    token.children.append(Token("checkbox", "input", 0, info=box[1].lower().strip()))
    return [(max(0, at - box.end()), number) for at, number in citations]


def _mark_definitions(tokens: list[Token], references: _References) -> None:
    """Hides the definitions that were used."""
    for token in tokens:
        if token.type == "definition":
            label = token.meta["id"]
            token.hidden = label in references.used and references[label]["map"] == token.map


@cache
def _grammar(depth: int) -> MarkdownIt:
    options = {"html": True, "inline_definitions": True, "maxNesting": depth}
    grammar = _Grammar("commonmark", options).enable(["table", "strikethrough"])
    grammar.use(footnote_plugin, inline=False, move_to_end=False)
    block_rules.install(grammar, depth - 4)
    inline_rules.install(grammar)
    return grammar
