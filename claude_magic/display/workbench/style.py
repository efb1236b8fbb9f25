"""How a workbench looks, in the colours of the reader's theme; and how its two outputs know of each other."""

from __future__ import annotations

import re

_LIVE = """
.cm-workbench.cm-workbench { margin: 4px 20px 8px 0; padding: 0; overflow: visible; width: auto;
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35)); border-radius: 3px;
  color: var(--jp-ui-font-color1, inherit); font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); container-type: inline-size; }
.cm-workbench .cm-hidden.cm-hidden { display: none; }
.cm-workbench .cm-body { flex-flow: row wrap; align-items: stretch; overflow: visible; }
.cm-workbench .cm-settings { flex: 0 0 15em; box-sizing: border-box; padding: 10px 12px; gap: 6px; overflow: visible;
  background: var(--jp-layout-color2, rgba(128, 128, 128, 0.08)); }
.cm-workbench .cm-main { flex: 1 1 22em; min-width: 0; box-sizing: border-box; padding: 10px 12px; gap: 8px;
  overflow: visible; }
@container (max-width: 38em) { .cm-workbench .cm-settings { flex: 1 1 100%; } }
.cm-workbench .widget-vbox { overflow: visible; }
.cm-workbench :is(.cm-turns, .cm-variables, .cm-history) { gap: 8px; }
.cm-workbench .cm-fields { gap: 6px; }
.cm-workbench :is(.cm-variables, .cm-history) { gap: 6px; padding: 8px 10px 10px;
  background: var(--jp-layout-color2, rgba(128, 128, 128, 0.08)); }
.cm-workbench :is(.widget-text, .widget-textarea, .widget-dropdown, .widget-select, .widget-combobox) {
  flex-direction: column; align-items: stretch; width: auto; height: auto; margin: 0; overflow: visible; }
.cm-workbench :is(.widget-text, .widget-textarea, .widget-dropdown, .widget-select) > .widget-label {
  width: auto; max-width: none; height: auto; margin: 0 0 2px; text-align: left; line-height: 1.5;
  font-size: var(--jp-ui-font-size1, 13px); color: var(--jp-ui-font-color1, inherit); overflow-wrap: anywhere; }
.cm-workbench :is(input[type=text], textarea, select) { width: 100%; box-sizing: border-box; min-width: 0;
  color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color0, transparent);
  border: 1px solid var(--jp-border-color1, rgba(128, 128, 128, 0.6)); border-radius: 2px; font-size: inherit; }
.cm-workbench :is(input, textarea)::placeholder { color: var(--jp-ui-font-color2, #6b6b6b); opacity: 1; }
.cm-workbench select option { color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color0, Canvas); }
.cm-workbench :is(input[type=text], select) { flex: 0 0 auto; height: 30px; }
.cm-workbench select[size] { height: 10em; padding: 4px; overflow: auto; }
.cm-workbench select:not([size]) { background-image: none; appearance: auto; padding: 0 4px; }
.cm-workbench textarea { field-sizing: content; min-height: 2.6em; max-height: 24em; padding: 5px 8px; resize: vertical;
  line-height: 1.5; font-family: var(--jp-code-font-family, ui-monospace, monospace);
  font-size: var(--jp-code-font-size, 13px); }
.cm-workbench .cm-turn-text textarea { min-height: 5em; }
.cm-workbench .cm-source textarea { white-space: pre; overflow: auto; }
.cm-workbench .cm-turn-head { align-items: flex-end; justify-content: space-between; flex-wrap: wrap; gap: 6px; }
.cm-workbench .cm-turn-head .widget-dropdown { flex: 0 1 12em; }
.cm-workbench :is(.cm-turn-text, .cm-actions .widget-dropdown) > .widget-label { position: absolute;
  width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.cm-workbench .cm-turn { gap: 4px; position: relative; }
.cm-workbench .cm-actions { flex-wrap: wrap; align-items: flex-end; gap: 6px; overflow: visible; }
.cm-workbench .cm-actions .widget-dropdown { flex: 0 0 8em; position: relative; }
.cm-workbench .cm-actions select { height: 28px; }
.cm-workbench .jupyter-button { margin: 0; width: auto; flex: 0 0 auto; height: 28px; line-height: 26px;
  padding: 0 12px;  border-radius: 2px; border: 1px solid var(--jp-border-color1, rgba(128, 128, 128, 0.6));
  color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color1, transparent); box-shadow: none; }
.cm-workbench .jupyter-button:hover:not(:disabled) { background: var(--jp-layout-color3, rgba(128, 128, 128, 0.2)); }
.cm-workbench .jupyter-button:disabled { opacity: 0.55; }
.cm-workbench .cm-run.jupyter-button { background: var(--jp-brand-color0, #0d47a1); border-color: transparent;
  color: #fff; font-weight: 600; }
.cm-workbench .cm-run.jupyter-button:hover:not(:disabled) { background: var(--jp-brand-color1, #1976d2); }
.cm-workbench .cm-settings .jupyter-button { align-self: flex-start; }
.cm-workbench :is(input, textarea, select, button, summary, a):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.cm-workbench .widget-checkbox { width: auto; margin: 0; }
.cm-workbench .widget-checkbox label { color: var(--jp-ui-font-color1, inherit); display: flex; align-items: center;
  gap: 6px; }
.cm-workbench :is(.widget-html, .widget-htmlmath) { margin: 0; height: auto; overflow: visible; }
.cm-workbench .widget-htmlmath { width: 100%; }
.cm-workbench .widget-htmlmath-content { flex: 1 1 auto; min-width: 0; }
.cm-workbench .widget-html:not(:has(.widget-html-content > :not(style))) { display: none; }
.cm-workbench .widget-htmlmath:not(:has(.widget-htmlmath-content > *)) { display: none; }
.cm-workbench :is(.widget-html-content, .widget-htmlmath-content) { line-height: 1.5; overflow-wrap: anywhere; }
.cm-workbench .cm-heading { font-weight: 600; }
.cm-workbench .cm-quiet { color: var(--jp-ui-font-color2, #6b6b6b); }
.cm-workbench .cm-notice.cm-notice { display: block; min-height: 1.5em; }
.cm-workbench .cm-error { padding: 3px 8px; border-left: 3px solid var(--jp-error-color1, #d32f2f);
  background: var(--jp-layout-color2, rgba(128, 128, 128, 0.12)); }
.cm-workbench.cm-workbench.jupyter-widgets-disconnected { display: none; }
"""

_HIDE = """
body:has(.{name}-live:not(.jupyter-widgets-disconnected))
  :is(.jp-OutputArea-child:has(> .jp-OutputArea-output .{name}), .{name}) {{ display: none !important; }}
"""

_TWIN = """
.cm-static-workbench { margin: 4px 0 0; padding: 8px 12px;
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35)); }
.cm-static-workbench > .cm-closed { color: var(--jp-ui-font-color2, #6b6b6b);
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: var(--jp-ui-font-size1, 13px); }
.cm-static-workbench pre.cm-cell { margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cm-static-workbench)
  > .lm-Panel.jp-OutputArea-output:not(:has(*)) { display: none; }
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cm-static-workbench):has(
  > .lm-Panel.jp-OutputArea-output:not(:has(*))) { display: none; }
"""


def live_style(name: str) -> str:
    """For the widget, whose class is `name-live`; while it has its kernel, it hides the static twin, `name`."""
    return _style(_LIVE + _HIDE.format(name=name))


def twin_style() -> str:
    """For the static twin; it hides the output before it if no widget came to live there."""
    return _style(_TWIN)


def _style(source: str) -> str:
    return "<style>" + re.sub(r"\s*\n\s*", " ", source).strip() + "</style>"
