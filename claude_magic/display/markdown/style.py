"""The style of rendered Markdown: only what a reply needs is saved with it.

Colours are JupyterLab's own where it defines them, so that its themes apply; elsewhere those of the reader's
scheme.
"""

from __future__ import annotations

from ..css import Section, minify

_COLOURS = (  # Pygments' classes, JupyterLab's variable, the colour on a light page and on a dark one
    ("k", "keyword", "#00722c", "#6fc98b"),
    ("s", "string", "#b02222", "#f0a08f"),
    ("m", "number", "#27746a", "#8fd0c2"),
    ("c gp", "comment", "#557777", "#93a9a9"),
    ("nf nc", "def", "#1a3fd0", "#8fb4ff"),
    ("nb", "builtin", "#7a3a00", "#e3b778"),
    ("nv no", "variable", "#05659e", "#8ccbf0"),
    ("nt gh", "tag", "#11711a", "#7fcf87"),
    ("na nd", "attribute", "#5b36b0", "#c3aaf5"),
    ("o", "operator", "#8b20c4", "#d59cf5"),
    ("gd", "error", "#b31d28", "#ff9a9a"),
    ("gi", "atom", "#116329", "#7fd99a"),
)


# Twice the class, where JupyterLab's own rules for outputs would win over one.
_ELEMENTS = (
    (
        "<pre",
        """
.cm-reply.cm-reply pre { margin: 0.5em 0; padding: 0.5em 0.8em; border-radius: 3px; background: #8882;
  white-space: pre-wrap; overflow-wrap: anywhere }
.cm-reply.cm-reply pre code { background: none; padding: 0 }
""",
    ),
    ("cm-html", ".cm-reply .cm-html { white-space: pre-wrap; overflow-wrap: anywhere }"),
    (
        "<table",
        """
.cm-reply.cm-reply table { border-collapse: collapse; display: block; overflow-x: auto; margin: 0 0 1em; border: 0 }
.cm-reply.cm-reply :is(td, th) { text-align: left; padding: 0.3em 0.7em; border: 1px solid #8886; max-width: none;
  white-space: normal }
.cm-reply.cm-reply [align=center] { text-align: center }
.cm-reply.cm-reply [align=right] { text-align: right }
""",
    ),
    (
        "<blockquote",
        ".cm-reply.cm-reply blockquote { margin: 0 0 1em; padding: 0 1em; border-left: 4px solid #8886 }",
    ),
    (
        "<input",
        """
.cm-reply li:has(> input:first-child, > p:first-child > input:first-child) { list-style: none }
.cm-reply li > input:first-child, .cm-reply li > p:first-child > input { margin: 0 0.3em 0 -1.4em;
  vertical-align: middle }
""",
    ),
    ('class="footnotes', ".cm-reply .footnotes { font-size: 0.9em; border-top: 1px solid #8886 }"),
)


SECTIONS: tuple[Section, ...] = (
    *((marker, minify(rules)) for marker, rules in _ELEMENTS),
    ('<span class="c">', ".cm-reply .c{font-style:italic}"),
)


def colours(html: str | None = None, scope: str = "cm-reply") -> str:
    """The rules for the classes of highlighted code in `html`; all of them for `None`.

    Args:
        scope: The class of the element around it.
    """
    classes = [(name, *rest) for names, *rest in _COLOURS for name in names.split()]
    if html is not None:
        classes = [each for each in classes if f'<span class="{each[0]}">' in html]
    if not classes:
        return ""
    light, dark = ("".join(f"--cm-{name}:{each[place]};" for name, *each in classes) for place in (1, 2))
    rules = (
        f".{scope} code .{name}{{color:var(--jp-mirror-editor-{variable}-color,var(--cm-{name}))}}"
        for name, variable, *_ in classes
    )
    return f".{scope}{{{light}}}@media(prefers-color-scheme:dark){{.{scope}{{{dark}}}}}{''.join(rules)}"
