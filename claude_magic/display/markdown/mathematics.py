r"""Mathematics for MathJax, and dollars that are no mathematics.

Jupyter's pages typeset `$..$`, `$$..$$`, `\(..\)`, `\[..\]` and `\begin{..}..\end{..}` wherever they find them
in a text: a formula goes into an element of its own, untouched, and a stray delimiter into one whose class says
to pass it over (`mathjax_ignore` in JupyterLab's MathJax 3, `tex2jax_ignore` in nbconvert's MathJax 2).
Source: https://docs.mathjax.org/en/v3.2/options/document.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

IGNORED = "mathjax_ignore tex2jax_ignore"
_STRAY = re.compile(r"\$|\\[(\[\])$]|\\(?:begin|(?:eq)?ref)\b")
_INLINE = re.compile(
    r"(?<![^\W_])\$(?=[^\s$])((?:[^$\\`]|\\[^`]){1,1000})(?<=\S)\$(?!\d|[^\W_])"
    r"|\$(?:[^$\\`\s]|\\[^`\s]){1,60}\$(?=(?:th|st|nd|rd|s)\b)",
    re.S,
)
_SIGN = re.compile(r"[\\^_={}+*<>]")
_WORD = re.compile(r"\s\(?[A-Za-z]{3}")
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:align|aligned|alignat|array|cases|eqnarray|equation|flalign|gather|gathered|[pbvBV]?matrix|multline|"
    r"split)\*?)\}"
)
_LONGEST = 20_000
_ENDS = {"$$": "$$", r"\(": r"\)", r"\[": r"\]"}
# Macros that link, style, fetch or redefine, for this formula or for every other one in the page.
_UNSAFE = re.compile(
    r"\\(?:href|url|style|class|cssId|data|require|unicode|mmlToken|bbox|includegraphics|html\w*|tooltip|texttip|mathtip"
    r"|[egx]?def|(?:future)?let|(?:re)?new(?:command|environment)|providecommand|Declare\w*|csname|catcode|loop)"
    r"(?![A-Za-z])",
    re.I,
)


def formula(text: str, at: int, find: Callable[[str, int], int]) -> int:
    """Where the formula that begins at `at` ends; 0 if there is none.

    Args:
        find: Like `str.find`, but remembers.
    """
    begun = text[at : at + 2]
    environment = _ENVIRONMENT.match(text, at) if begun == r"\b" else None
    end = rf"\end{{{environment[1]}}}" if environment else _ENDS.get(begun, "")
    if end:
        found = find(end, at + 2)
        inside = text[at + 2 : found] if 0 < found - at < _LONGEST else ""
        return found + len(end) if inside.strip() and "`" not in inside else 0
    inline = _INLINE.match(text, at) if begun[0] == "$" else None
    return inline.end() if inline and not _is_price(inline[1] or "") else 0


def _is_price(text: str) -> bool:
    """Whether what is between two dollars is a number and then prose."""
    return text[:1].isdigit() and not _SIGN.search(text) and _WORD.search(text) is not None


def formula_element(source: str) -> Element:
    """`source` for MathJax; unless it would do more than show a formula."""
    element = Element("span", {"class": IGNORED} if _UNSAFE.search(source) else {})
    element.text = AtomicString(source)
    return element


def add_text(parent: Element, text: str) -> None:
    """Append `text`, in which nothing is mathematics."""
    strays = list(_STRAY.finditer(text))
    if strays:
        start, end = strays[0].start(), strays[-1].end()
        _add(parent, text[:start])
        SubElement(parent, "span", {"class": IGNORED}).text = text[start:end]
        text = text[end:]
    _add(parent, text)


def _add(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
