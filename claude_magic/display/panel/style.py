"""How the panel looks, live and as its static twin; in the colours of the reader's theme."""

from __future__ import annotations

from ..css import Section, element, hide_empty_output, hide_twin, minify, needed_rules
from ..text.json_folds import STYLE as FOLDS

# In an element whose class is named twice, where JupyterLab's own rules for tables would win over one.
_TABS: tuple[Section, ...] = (
    (
        "",
        """
table { border-collapse: collapse; border: 0; margin: 0; width: 100%; table-layout: auto; font-size: inherit }
tr:nth-child(n) { background: none }
th, td { padding: 2px 12px 2px 0; border: 0; text-align: left; vertical-align: top }
tr + tr > * { border-top: 1px solid #8883 }
th { font-weight: normal; width: 1%; min-width: 13em; max-width: 20em; overflow-wrap: anywhere }
th, p { color: var(--jp-ui-font-color2, #6b6b6b) }
th[colspan] { padding-top: 10px; font-weight: 600; color: inherit }
td, pre { font-family: var(--jp-code-font-family, ui-monospace, monospace); overflow-wrap: anywhere;
  font-size: calc(var(--jp-code-font-size, 13px) - 1px) }
pre { margin: 6px 0; padding: 0; background: none; white-space: pre-wrap }
p { margin: 6px 0 }
""",
    ),
    ("cm-absent", "td.cm-absent { color: var(--jp-ui-font-color3, #8a8a8a); font-style: italic }"),
    (
        "cm-events",
        """
.cm-events th { width: auto; min-width: 0 }
.cm-events td:first-child { text-align: right }
.cm-events :is(td, th):nth-child(-n+2) { white-space: nowrap; width: 1% }
""",
    ),
    ("cm-fold", FOLDS),
    ("<meter", "meter { width: 9em; height: 1em; margin-right: 0.6em; vertical-align: -0.1em }"),
)

_FONT = """
line-height: 1.45; color: var(--jp-ui-font-color1, inherit);
font-family: var(--jp-ui-font-family, sans-serif); font-size: var(--jp-ui-font-size1, 13px);
"""

_TWIN = """
margin: 4px 0 0; border: 1px solid #8885;
summary { cursor: pointer; padding: 3px 8px }
> summary { background: var(--jp-layout-color2, #8882) }
details { padding-left: 12px; border-top: 1px solid #8883 }
div { max-height: 24em; overflow: auto; padding: 6px 8px 8px }
"""

_LIVE = """
.cm-live.cm-live { position: relative; margin: 4px 20px 4px 0; width: auto; overflow: visible; }
.cm-live .cm-panel { max-height: 24em; overflow: auto; padding: 6px 8px 8px; }
.cm-live .widget-accordion.jupyter-widgets { margin: 0; }
.cm-live.jupyter-widgets-disconnected::before, .cm-live .jupyter-widgets-disconnected::before { display: none; }
.cm-live .jupyter-widget-Collapse { border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35)); margin: 0; }
.cm-live .jupyter-widget-Collapse-header { padding: 3px 8px; cursor: pointer; font-weight: normal; border: 0;
  overflow-wrap: anywhere; line-height: 1.5; background: var(--jp-layout-color2, rgba(128, 128, 128, 0.1));
  color: var(--jp-ui-font-color1, inherit); font-size: var(--jp-ui-font-size1, 13px); }
.cm-live:has(> .cm-open-bench) .jupyter-widget-Collapse-header { padding-right: 132px; }
.cm-live .jupyter-widget-Collapse-contents { padding: 6px 0 0; border: 0; }
.cm-live .jupyter-widget-TabPanel-tabBar { padding: 0 6px; font-family: var(--jp-ui-font-family, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); --jp-widgets-horizontal-tab-width: 96px; }
.cm-live .jupyter-widgets.widget-tab > .widget-tab-contents.widget-tab-contents {
  margin: 0; padding: 0; border-width: 1px 0 0; }
.cm-live .widget-html { margin: 0; height: auto; }
.cm-live .cm-programs { overflow: visible; }
.cm-live .widget-dropdown { width: auto; margin: 6px 8px 0; flex: 0 0 auto; align-self: flex-start; }
.cm-live .widget-dropdown > .widget-label { width: auto; color: inherit; }
.cm-live .widget-dropdown > select { width: auto; color: var(--jp-ui-font-color1, inherit); appearance: auto;
  background: var(--jp-layout-color0, Canvas); padding: 0 4px; }
.cm-live .widget-dropdown.jupyter-widgets-disconnected { display: none; }
.cm-live .widget-dropdown:not(.jupyter-widgets-disconnected) + .widget-html .cm-others { display: none; }
.cm-live .cm-keyboard { position: absolute; inset: 0 0 auto; height: 26px; margin: 0; overflow: hidden;
  pointer-events: none; opacity: 0; }
.cm-live .cm-key > summary { display: block; height: 24px; }
.cm-live:has(.cm-key > summary:focus-visible) .jupyter-widget-Collapse-header {
  outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
.cm-live:has(.cm-key[open]) .jupyter-widget-Collapse:not(.jupyter-widget-Collapse-open)
  > .jupyter-widget-Collapse-contents { display: block !important; }
.cm-live:has(.cm-key[open]) .jupyter-widget-Collapse-open > .jupyter-widget-Collapse-contents {
  display: none !important; }
.cm-live:has(.cm-key[open]) .fa-caret-right { transform: rotate(90deg); }
.cm-live:has(.cm-key[open]) .fa-caret-down { transform: rotate(-90deg); }
.cm-live > .cm-open-bench { position: absolute; top: 3px; right: 4px; width: auto; height: 22px; margin: 0;
  padding: 0 8px; line-height: 20px; font-size: var(--jp-ui-font-size0, 11px); color: var(--jp-ui-font-color1, inherit);
  background: var(--jp-layout-color1, Canvas); border: 1px solid var(--jp-border-color1, #8888); border-radius: 3px; }
.cm-live > .cm-open-bench:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); }
.cm-live > .cm-open-bench.jupyter-widgets-disconnected { display: none; }
.cm-live > .cm-bench-place { overflow: visible; margin: 0; }
.cm-live .cm-error { color: var(--jp-error-color1, #c62828); }
.cm-live [role="tab"]:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
"""

_TAB_RULES = tuple((marker, minify(rules)) for marker, rules in _TABS)
_TWIN_RULES, _LIVE_RULES = minify(_FONT + _TWIN), minify(_LIVE)
_HIDE_OUTPUT = hide_empty_output("cm-static")
_ALL_TABS = "".join(rules for _, rules in _TAB_RULES)


def twin_style(html: str) -> str:
    """For the static twin `html`; it also hides the output before it if no widget came to life there."""
    return element(f"details.cm-static.cm-static{{{_TWIN_RULES}{needed_rules(_TAB_RULES, html)}}}", _HIDE_OUTPUT)


def live_style(name: str) -> str:
    """For the widget; it hides the static twin, whose class is `name`."""
    return element(f".cm-panel.cm-panel{{{minify(_FONT)}{_ALL_TABS}}}", _LIVE_RULES, hide_twin(name))
