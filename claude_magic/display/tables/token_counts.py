"""Where the input tokens of a request are, as a table with a bar for each portion."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..text.excerpt import plain_line

_NAME = 100  # characters
_BAR = 24  # characters
_STYLE = (
    "<style>.cm-counts.cm-counts{table-layout:auto;border-collapse:collapse;font-size:var(--jp-ui-font-size1,13px)}"
    ".cm-counts.cm-counts :is(td,th){text-align:left;padding:2px 12px 2px 0;white-space:normal}"
    ".cm-counts.cm-counts .cm-number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".cm-counts .cm-within td:first-child{padding-left:1.5em;opacity:.75}"
    ".cm-counts .cm-total>*{border-top:1px solid var(--jp-border-color2,rgba(128,128,128,.35));font-weight:600}"
    ".cm-counts .cm-share{display:block;width:12em;height:.6em;border-radius:.3em;overflow:hidden;"
    "background:var(--jp-layout-color3,rgba(128,128,128,.3))}"
    ".cm-counts .cm-share>span{display:block;height:100%;background:var(--jp-brand-color1,#1976d2)}"
    ".cm-counts .cm-within .cm-share>span{opacity:.5}</style>"
)


class PortionCount(Protocol):
    """A portion of a request.

    Attributes:
        within: The name of the portion that it is counted in already; `""` if it stands by itself.
    """

    @property
    def name(self) -> str: ...
    @property
    def tokens(self) -> int: ...
    @property
    def within(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A row of the table: its share is of the total, between 0 and 1."""

    name: str
    tokens: str
    share: float
    css: str = ""

    @property
    def percent(self) -> str:
        return "under 1%" if 0 < self.share < 0.005 else f"{self.share:.0%}"


def counts(portions: Sequence[PortionCount]) -> dict[str, str]:
    """The mime bundle of the portions of a request, in their order, and their total."""
    total = sum(portion.tokens for portion in portions if not portion.within)
    lines = [_line(portion, total) for portion in portions]
    lines.append(_Line(name="total", tokens=f"{total:,}", share=1.0 if total > 0 else 0.0, css="cm-total"))
    return {"text/html": _STYLE + _html(lines), "text/plain": _text(lines)}


def _line(portion: PortionCount, total: int) -> _Line:
    """A portion may be negative, where the API left out what was before; its bar is empty then."""
    return _Line(
        name=plain_line(portion.name, _NAME),
        tokens=f"{portion.tokens:,}",
        share=min(max(portion.tokens / total, 0.0), 1.0) if total > 0 else 0.0,
        css="cm-within" if portion.within else "",
    )


def _html(lines: Sequence[_Line]) -> str:
    head = '<tr><th scope="col">portion</th><th scope="col" class="cm-number">tokens</th><th></th><th></th></tr>'
    body = "".join(
        f'<tr class="{line.css}"><td>{html.escape(line.name)}</td><td class="cm-number">{line.tokens}</td>'
        f'<td class="cm-number">{line.percent}</td>'
        f'<td><span class="cm-share"><span style="width:{line.share:.1%}"></span></span></td></tr>'
        for line in lines
    )
    return f'<table class="cm-counts mathjax_ignore"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _text(lines: Sequence[_Line]) -> str:
    names = [f"  in it: {line.name}" if line.css == "cm-within" else line.name for line in lines]
    widths = max(map(len, names)), max(len(line.tokens) for line in lines)
    return "\n".join(
        f"{name.ljust(widths[0])}  {line.tokens.rjust(widths[1])}  {line.percent.rjust(8)}  "
        f"{'█' * round(_BAR * line.share)}".rstrip()
        for name, line in zip(names, lines, strict=True)
    )
