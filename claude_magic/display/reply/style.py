"""How the page looks around the reply's text: quiet lines and folded blocks, in the reader's theme."""

from __future__ import annotations

import re

from ..css import Section, element, minify, needed_rules
from ..markdown.style import SECTIONS as MARKDOWN
from ..markdown.style import colours

_QUIET = "color: var(--jp-ui-font-color2, #6b6b6b)"
_UI = "font-family: var(--jp-ui-font-family, sans-serif)"
_SMALL = "font-size: var(--jp-ui-font-size0, 11px)"
_USUAL = "font-size: var(--jp-ui-font-size1, 13px)"
_LINE = "1px solid var(--jp-border-color2, #e0e0e0)"
_FIGURES = "font-variant-numeric: tabular-nums"

_PAGE = (
    ("", ".cm-reply { overflow-anchor: none; overflow-wrap: break-word }"),
    (
        "cm-summary",
        f"""
.cm-reply .cm-summary {{ {_QUIET}; {_UI}; {_SMALL}; {_FIGURES}; line-height: 1.5; margin-top: 0.7em;
  padding-top: 0.35em; overflow-wrap: anywhere; border-top: {_LINE} }}
""",
    ),
    (
        '</div><div class="cm-summary',
        ".cm-reply .cm-summary + .cm-summary { margin-top: 0; padding-top: 0; border-top: 0 }",
    ),
    (
        "cm-status",
        f".cm-reply .cm-status {{ {_QUIET}; {_UI}; {_SMALL}; {_FIGURES}; line-height: 1.5; margin-top: 0.5em }}",
    ),
    (
        "cm-warning",
        f"""
.cm-reply .cm-warning {{ margin-top: 0.7em; padding: 0.3em 0.7em; overflow-wrap: anywhere; {_UI}; {_USUAL};
  border-left: 3px solid var(--jp-warn-color1, #ef6c00);
  background: var(--jp-layout-color2, rgba(128, 128, 128, 0.12)) }}
""",
    ),
    (
        "<h",
        """
.cm-reply.cm-reply > style + :is(h1, h2, h3, h4, h5, h6) {
  margin-top: calc(0.5 * var(--jp-content-heading-margin-top, 1.2em)) }
""",
    ),
    ("cm-none", f".cm-reply .cm-none {{ {_QUIET}; font-style: italic; margin: 0.3em 0 }}"),
    ("cm-empty", f".cm-reply .cm-empty {{ {_QUIET}; {_UI}; {_USUAL}; line-height: 1.5; margin: 0.35em 0 }}"),
    (
        "<details",
        f"""
.cm-reply details > summary {{ {_QUIET}; {_UI}; {_USUAL}; line-height: 1.5; cursor: pointer; width: fit-content }}
.cm-reply details > summary:hover {{ color: var(--jp-ui-font-color1, #333) }}
.cm-reply details:is(.cm-thinking, .cm-block) {{ margin: 0.35em 0 }}
.cm-reply .cm-folded {{ margin: 0.3em 0 0.6em 0.35em; padding-left: 0.9em;
  border-left: 2px solid var(--jp-border-color2, #e0e0e0) }}
.cm-reply .cm-thinking > .cm-folded {{ {_QUIET} }}
""",
    ),
    (
        "cm-json",
        """
.cm-reply pre.cm-json { max-height: 24em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  margin: 0; font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px) }
""",
    ),
    (
        "cm-step",
        f"""
.cm-reply .cm-step > summary {{ overflow-wrap: anywhere; {_FIGURES} }}
.cm-reply .cm-call {{ font-family: var(--jp-code-font-family, monospace);
  font-size: calc(var(--jp-code-font-size, 13px) - 1px); color: var(--jp-ui-font-color1, #333) }}
.cm-reply .cm-failed .cm-outcome {{ color: var(--jp-error-color1, #c62828) }}
.cm-reply .cm-waiting .cm-outcome {{ color: var(--jp-warn-color0, #b25000); font-weight: 600 }}
.cm-reply.cm-reply .cm-step .cm-none {{ {_UI}; {_USUAL} }}
.cm-reply.cm-reply .cm-step pre {{ margin: 0; padding: 0.35em 0.7em; max-height: 24em; overflow: auto }}
.cm-reply.cm-reply .cm-results {{ margin: 0.2em 0; padding-left: 2.2em; {_UI}; {_USUAL} }}
.cm-reply .cm-results li {{ margin: 0.1em 0; overflow-wrap: anywhere }}
""",
    ),
    ("cm-message", f".cm-reply .cm-message {{ {_UI}; {_USUAL} }}"),
    (
        "cm-caption",
        f"""
.cm-reply .cm-caption {{ {_QUIET}; {_UI}; {_SMALL}; margin: 0.5em 0 0.15em; letter-spacing: 0.02em }}
.cm-reply .cm-folded > .cm-caption:first-child {{ margin-top: 0 }}
""",
    ),
    ("cm-about", f".cm-reply .cm-about {{ {_QUIET}; {_UI}; {_SMALL}; {_FIGURES}; margin-top: 0.5em }}"),
    ("cm-where", f".cm-reply .cm-where {{ {_QUIET}; {_UI}; {_USUAL} }}"),
    (
        "cm-mark",
        """
.cm-reply sup.cm-mark { line-height: 0; margin-left: 1px }
.cm-reply sup.cm-mark a { text-decoration: none; font-size: 0.85em }
""",
    ),
    (
        "cm-sources",
        f"""
.cm-reply .cm-sources {{ {_UI}; {_USUAL}; margin-top: 0.9em; padding-top: 0.35em; border-top: {_LINE} }}
.cm-reply .cm-sources > .cm-caption {{ margin: 0 }}
.cm-reply.cm-reply .cm-sources ol {{ margin: 0.2em 0; padding-left: 2.2em }}
.cm-reply .cm-sources li {{ margin: 0.1em 0; overflow-wrap: anywhere }}
.cm-reply .cm-sources li:target {{ background: var(--jp-layout-color2, rgba(128, 128, 128, 0.15)) }}
.cm-reply .cm-sources details > summary {{ {_SMALL} }}
.cm-reply.cm-reply .cm-sources blockquote {{ margin: 0.2em 0; {_SMALL} }}
""",
    ),
)

SECTIONS: tuple[Section, ...] = (*MARKDOWN, *((marker, minify(rules)) for marker, rules in _PAGE))

_FROM_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_BIDI = minify(
    """
.cm-reply.cm-reply :is(p, h1, h2, h3, h4, h5, h6) { text-align: start }
.cm-reply :is(p, li, td, th, h1, h2, h3, h4, h5, h6) { unicode-bidi: plaintext }
.cm-reply.cm-reply li { text-align: left }
"""
)  # a paragraph of Arabic or Hebrew begins at the right; a list keeps its text beside its marks


def style(html: str) -> str:
    """The style element of `html`, the content of an element of the class `cm-reply`."""
    return element(needed_rules(SECTIONS, html), _BIDI if _FROM_RIGHT.search(html) else "", colours(html))


def live_style() -> str:
    """The style element of a growing reply, whose other parts are displays of their own."""
    return element(*(rules for _, rules in SECTIONS), _BIDI, colours())
