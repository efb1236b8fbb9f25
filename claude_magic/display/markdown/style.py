"""The style of replies: saved with each of them, so it is short.

Colours are JupyterLab's own where it defines them, so that its themes apply; elsewhere those of the reader's
scheme.
"""

from __future__ import annotations

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


def _variables(*, dark: bool) -> str:
    return "".join(f"--cm-{name}:{colours[dark]};" for _, name, *colours in _COLOURS)


def _rules() -> str:
    return "".join(
        ",".join(f".cm-reply code .{name}" for name in names.split())
        + f"{{color:var(--jp-mirror-editor-{variable}-color,var(--cm-{variable}))}}"
        for names, variable, *_ in _COLOURS
    )


# Twice the class, where JupyterLab's own rules for outputs would win over one.
_LAYOUT = """
.cm-reply.cm-reply pre,.cm-reply .cm-html{white-space:pre-wrap;overflow-wrap:anywhere}
.cm-reply.cm-reply pre{margin:.5em 0;padding:.5em .8em;border-radius:3px;background:rgba(128,128,128,.1)}
.cm-reply.cm-reply pre code{background:none;padding:0}
.cm-reply .c{font-style:italic}
.cm-reply.cm-reply table{border-collapse:collapse;display:block;overflow-x:auto;margin:0 0 1em;border:0}
.cm-reply.cm-reply :is(td,th){text-align:left;padding:.3em .7em;border:1px solid rgba(128,128,128,.35);max-width:none;
white-space:normal}
.cm-reply.cm-reply [align=center]{text-align:center}
.cm-reply.cm-reply [align=right]{text-align:right}
.cm-reply.cm-reply blockquote{margin:0 0 1em;padding:0 1em;border-left:4px solid rgba(128,128,128,.4)}
.cm-reply li:has(>input:first-child,>p:first-child>input:first-child){list-style:none}
.cm-reply li>input:first-child,.cm-reply li>p:first-child>input{margin:0 .3em 0 -1.4em;vertical-align:middle}
.cm-reply .footnotes{font-size:.9em;border-top:1px solid rgba(128,128,128,.4)}
""".replace("\n", "")

STYLE = (
    f".cm-reply{{{_variables(dark=False)}}}"
    f"@media(prefers-color-scheme:dark){{.cm-reply{{{_variables(dark=True)}}}}}{_rules()}{_LAYOUT}"
)
