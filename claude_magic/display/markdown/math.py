r"""Marks what MathJax typesets, and what it leaves alone.

Jupyter's pages typeset `$..$`, `$$..$$`, `\(..\)`, `\[..\]` and `\begin{..}..\end{..}` wherever they find them
in a text: a formula goes into an element of its own, untouched, and a stray delimiter into one whose class says
to pass it over (`mathjax_ignore` in JupyterLab's MathJax 3, `tex2jax_ignore` in nbconvert's MathJax 2).
Source: https://docs.mathjax.org/en/v3.2/options/document.html
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement

IGNORED = "mathjax_ignore tex2jax_ignore"
_STRAY = re.compile(r"\$|\\[(\[\])$]|\\(?:begin|(?:eq)?ref)\b")
# Macros that link, style, fetch or redefine, for this formula or for every other one in the page.
_UNSAFE = re.compile(
    r"\\(?:href|url|style|class|cssId|data|require|unicode|mmlToken|bbox|includegraphics|html\w*|tooltip|texttip|mathtip"
    r"|[egx]?def|(?:future)?let|(?:re)?new(?:command|environment)|providecommand|Declare\w*|csname|catcode|loop)"
    r"(?![A-Za-z])",
    re.I,
)


def formula_element(source: str) -> Element:
    """`source` for MathJax; unless it would do more than show a formula."""
    element = Element("span", {"class": IGNORED} if _UNSAFE.search(source) else {})
    element.text = source
    return element


def add_text(parent: Element, text: str) -> None:
    """Appends `text`, in which nothing is typeset."""
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
