"""How the panel looks, and how its two outputs know of each other; in the colours of the reader's theme."""

from __future__ import annotations

import re

_FACTS = """
.cm-panel { max-height: 24em; overflow: auto; padding: 6px 8px 8px; line-height: 1.45;
  color: var(--jp-ui-font-color1, inherit); font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); }
.cm-panel.cm-panel table { border-collapse: collapse; border: 0; margin: 0; width: 100%; table-layout: auto;
  font-size: inherit; color: inherit; }
.cm-panel.cm-panel table tr:nth-child(n) { background: none; }
.cm-panel.cm-panel table :is(th, td) { padding: 2px 12px 2px 0; border: 0; text-align: left; vertical-align: top;
  white-space: normal; max-width: none; }
.cm-panel.cm-panel table tbody tr + tr > * { border-top: 1px solid var(--jp-border-color3, rgba(128, 128, 128, 0.2)); }
.cm-panel.cm-panel table th { font-weight: normal; color: var(--jp-ui-font-color2, #6b6b6b); }
.cm-panel.cm-panel .cm-facts th { width: 1%; min-width: 13em; max-width: 20em; overflow-wrap: anywhere; }
.cm-panel.cm-panel table th.cm-group { padding-top: 10px; font-weight: 600; color: inherit; }
.cm-panel :is(td, pre, .cm-url) { font-family: var(--jp-code-font-family, ui-monospace, monospace);
  font-size: calc(var(--jp-code-font-size, 13px) - 1px); overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.cm-panel.cm-panel td.cm-absent { color: var(--jp-ui-font-color3, #8a8a8a); font-style: italic; }
.cm-panel.cm-panel .cm-events td:first-child { text-align: right; }
.cm-panel.cm-panel .cm-events :is(td, th):nth-child(-n+2) { white-space: nowrap; width: 1%; }
.cm-panel pre { margin: 8px 0 0; padding: 0; border: 0; background: none; color: inherit; white-space: pre-wrap; }
.cm-panel p { margin: 0 0 4px; }
.cm-panel p.cm-note { margin: 6px 0 0; color: var(--jp-ui-font-color2, #6b6b6b); }
.cm-bar { display: inline-block; width: 9em; height: 0.6em; margin-right: 0.6em; overflow: hidden;
  border-radius: 0.3em; background: var(--jp-layout-color3, rgba(128, 128, 128, 0.3)); }
.cm-bar > span { display: block; height: 100%; background: var(--jp-brand-color1, #1976d2); }
.cm-bar.cm-warn > span { background: var(--jp-warn-color1, #ef6c00); }
.cm-bar.cm-low > span { background: var(--jp-error-color1, #d32f2f); }
"""

_TWIN = """
.cm-static { margin: 4px 0 0; border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35));
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: var(--jp-ui-font-size1, 13px); }
.cm-static summary { cursor: pointer; padding: 3px 8px; color: var(--jp-ui-font-color1, inherit); }
.cm-static > summary { background: var(--jp-layout-color2, rgba(128, 128, 128, 0.1)); }
.cm-static > details { margin: 0; padding: 0 0 0 12px;
  border-top: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.2)); }
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cm-static)
  > .lm-Panel.jp-OutputArea-output:not(:has(*)) { display: none; }
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cm-static):has(> .lm-Panel.jp-OutputArea-output:not(:has(*))) {
  display: none; }
"""

_LIVE = """
.cm-live.cm-live { position: relative; margin: 4px 20px 4px 0; width: auto; overflow: visible; }
.cm-live .widget-accordion.jupyter-widgets { margin: 0; }
.cm-live.jupyter-widgets-disconnected::before, .cm-live .jupyter-widgets-disconnected::before { display: none; }
.cm-live .jupyter-widget-Collapse { border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35)); margin: 0; }
.cm-live .jupyter-widget-Collapse-header { padding: 3px 8px; cursor: pointer; font-weight: normal; border: 0;
  overflow-wrap: anywhere; line-height: 1.5; background: var(--jp-layout-color2, rgba(128, 128, 128, 0.1));
  color: var(--jp-ui-font-color1, inherit); font-size: var(--jp-ui-font-size1, 13px); }
.cm-live .jupyter-widget-Collapse-contents { padding: 6px 0 0; border: 0; }
.cm-live .jupyter-widget-TabPanel-tabBar { padding: 0 6px; font-family: var(--jp-ui-font-family, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); --jp-widgets-horizontal-tab-width: 96px; }
.cm-live .jupyter-widgets.widget-tab > .widget-tab-contents.widget-tab-contents {
  margin: 0; padding: 0; border-width: 1px 0 0; }
.cm-live .widget-html { margin: 0; height: auto; }
.cm-live .widget-html-content { line-height: 1.45; }
.cm-live .cm-door { position: absolute; inset: 0 0 auto; height: 26px; margin: 0; overflow: hidden;
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
.cm-live [role="tab"]:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
"""

_HIDE = """
.jp-OutputArea-child:has(> .jp-OutputArea-output .{name}), .{name} {{ display: none !important; }}
"""


def twin_style() -> str:
    """For the static twin; it hides the output before it if no widget came to live there."""
    return _style(_FACTS + _TWIN)


def live_style(name: str) -> str:
    """For the widget; it hides the static twin, whose class is `name`."""
    return _style(_FACTS + _LIVE + _HIDE.format(name=name))


def _style(source: str) -> str:
    """`source` in a style element, without the whitespace that a page does not need."""
    return "<style>" + re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"\s*\n\s*", " ", source)).strip() + "</style>"
