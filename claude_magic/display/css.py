"""Style sheets that are saved with an output: short, and only the rules that its HTML needs.

A widget and its static twin are two outputs in a row, and each hides the other where it is not needed: the twin's
style an output before it in which no widget came to life, the widget's style its twin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Section = tuple[str, str]
"""Text that occurs in HTML which needs the rules (`""`: any HTML does), and the rules.

A rule must win over those of other sections by its specificity, never by its place: a page holds many outputs.
"""

# An output without a widget holds no element, but may say in words that the widget is being loaded.
_EMPTY_OUTPUT = ".jp-OutputArea-child:has(+ * .{name}) > .lm-Panel:not(:has(*)) {{ display: none }}"
_TWIN = """
.jp-OutputArea-child:has(> .jp-OutputArea-output .{name}), .{name} {{ display: none !important }}
"""


def element(*rules: str) -> str:
    """The style element with these rules."""
    return f"<style>{''.join(rules)}</style>"


def minify(source: str) -> str:
    """The rules without the whitespace and zeros that a browser does not need."""
    short = re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", source.strip()))
    return re.sub(r"\b0(\.\d)", r"\1", short.replace(": ", ":")).replace(";}", "}")


def needed_rules(sections: Iterable[Section], html: str) -> str:
    """The rules of the sections that `html` needs."""
    return "".join(rules for marker, rules in sections if marker in html)


def hide_empty_output(name: str) -> str:
    """The rule that hides an output without a living widget right before an element of the class `name`."""
    return minify(_EMPTY_OUTPUT.format(name=name))


def hide_twin(name: str) -> str:
    """The rule that hides the static twin, an element of the class `name`."""
    return minify(_TWIN.format(name=name))
