"""How replies look side by side: in the page's colours, below each other where there is little room."""

from __future__ import annotations

from ..css import element, hide_empty_output, hide_twin, minify
from ..panel.style import twin_style as panel_style
from ..reply.style import live_style as reply_live_style
from ..reply.style import style as reply_style

TWIN = "cm-static-grid"

_BOTH = """
.cm-grid.cm-grid { display: grid; gap: 12px; margin: 0; overflow: visible; align-items: stretch;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 390px), 1fr)) }
.cm-grid.cm-grid:has(> :nth-child(4):last-child) {
  grid-template-columns: repeat(auto-fit, minmax(min(100%, max(390px, 34%)), 1fr)) }
.cm-grid .cm-column.cm-column { min-width: 0; box-sizing: border-box; padding: 8px 12px; overflow: visible;
  border: 1px solid var(--jp-border-color2, #8885); border-radius: 4px }
.cm-grid .cm-name { margin: 0 0 6px; font: 600 var(--jp-ui-font-size1, 13px)/1.5 var(--jp-ui-font-family, sans-serif);
  overflow-wrap: anywhere }
.cm-grid .cm-reply.cm-reply pre:has(> code) { overflow-x: auto }
.cm-grid .cm-reply.cm-reply :is(pre:has(> code), pre > code) { white-space: pre; overflow-wrap: normal;
  word-break: normal }
.cm-grid .cm-reply.cm-reply table { max-width: 100% }
.cm-grid .cm-reply.cm-reply :is(td, th) { overflow-wrap: normal; word-break: normal }
.cm-grid .cm-reply { overflow-wrap: anywhere; min-width: 0 }
.cm-grid .cm-error { margin: 0 0 0.5em; padding: 0.3em 0.7em; overflow-wrap: anywhere;
  font: var(--jp-ui-font-size1, 13px)/1.5 var(--jp-ui-font-family, sans-serif);
  border-left: 3px solid var(--jp-error-color1, #c62828); background: #8882 }
"""

_LIVE = """
.cm-grid-live.cm-grid-live { margin: 4px 20px 4px 0; width: auto; overflow: visible }
.cm-grid-live > .widget-html.widget-html { display: none }
.cm-grid .cm-part.cm-part { overflow: visible; flex: 0 0 auto; padding: 0; max-width: 100% }
.cm-grid .cm-part > .jupyter-widgets { display: block; margin: 0; height: auto; width: 100%; overflow: visible }
.cm-grid .cm-part > .jupyter-widgets > .widget-label { display: none }
.cm-grid .cm-part :is(.widget-html-content, .widget-htmlmath-content) { line-height: inherit; display: block }
.cm-grid .cm-live.cm-live { margin: 8px 0 0 }
.cm-grid .jupyter-widget-TabPanel-tabBar .lm-TabBar-tab.lm-TabBar-tab { flex: 0 0 auto; padding: 0 7px }
.cm-grid .jupyter-widget-TabPanel-tabBar .lm-TabBar-content.lm-TabBar-content { flex-wrap: wrap }
.cm-grid-live.jupyter-widgets-disconnected::before,
.cm-grid-live .jupyter-widgets-disconnected::before { display: none }
"""

_BOTH_RULES, _LIVE_RULES = minify(_BOTH), minify(_LIVE)


def live_style(name: str) -> str:
    """For the widget; it hides the static twin, whose class is `name`."""
    return reply_live_style() + element(_BOTH_RULES, _LIVE_RULES, hide_twin(name))


def twin_style(html: str) -> str:
    """For the static grid `html`; it also hides the output before it if no widget came to life there."""
    panels = panel_style(html) if "cm-static" in html else ""
    return reply_style(html) + panels + element(_BOTH_RULES, hide_empty_output(TWIN))
