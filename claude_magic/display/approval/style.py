"""How calls that wait for the reader look, and how the widget and its static twin know of each other."""

from __future__ import annotations

import re

_BOTH = """
.cm-approval { font-family: var(--jp-ui-font-family, system-ui, sans-serif); line-height: 1.5;
  font-size: var(--jp-ui-font-size1, 13px); color: var(--jp-ui-font-color1, inherit); }
.cm-approval .cm-title { font-weight: 600; }
.cm-approval .cm-call { margin-top: 4px; font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 13px); overflow-wrap: anywhere; }
.cm-approval.cm-approval pre { margin: 2px 0 4px; padding: 4px 8px; max-height: 18em; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; border: 0; border-radius: 3px; background: rgba(128, 128, 128, 0.1);
  color: inherit; font-family: var(--jp-code-font-family, monospace);
  font-size: calc(var(--jp-code-font-size, 13px) - 1px); }
.cm-approval .cm-note { color: var(--jp-ui-font-color2, #6b6b6b); overflow-wrap: anywhere; }
.cm-approval.cm-hidden.cm-hidden { display: none; }
.cm-approval .cm-error { color: var(--jp-error-color1, #c62828); overflow-wrap: anywhere; }
"""

_TWIN = """
.cm-static.cm-approval { margin: 6px 0 0; padding: 6px 10px;
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35));
  border-left: 3px solid var(--jp-warn-color1, #ef6c00); }
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cm-static)
  > .lm-Panel.jp-OutputArea-output:not(:has(*)) { display: none; }
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cm-static):has(> .lm-Panel.jp-OutputArea-output:not(:has(*))) {
  display: none; }
"""

_LIVE = """
.cm-approval.cm-live-approval { margin: 6px 20px 4px 0; padding: 6px 10px; width: auto; overflow: visible;
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35));
  border-left: 3px solid var(--jp-warn-color1, #ef6c00); }
.cm-approval .widget-html, .cm-approval .widget-html-content { margin: 0; height: auto; line-height: 1.5; }
.cm-approval .cm-choices { flex-flow: row wrap; align-items: center; gap: 4px; overflow: visible; }
.cm-approval .jupyter-button { margin: 2px 0; width: auto; padding: 0 12px; border-radius: 2px; }
.cm-approval .jupyter-button:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.cm-approval .cm-whole { margin-top: 6px; padding-top: 4px;
  border-top: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35)); }
.cm-approval .widget-text { width: 20em; margin: 2px 0; }
.cm-approval .widget-textarea { width: 100%; margin: 2px 0; height: auto; }
.cm-approval .widget-textarea textarea { font-family: var(--jp-code-font-family, monospace);
  font-size: calc(var(--jp-code-font-size, 13px) - 1px); }
"""

_DEAD = ".cm-live-approval.jupyter-widgets-disconnected"  # the class that ipywidgets gives once the kernel restarted
_AFTER_DEAD = f".jp-OutputArea-child:has({_DEAD}) + .jp-OutputArea-child"
_HIDE = f"""
.jp-OutputArea-child:has(> .jp-OutputArea-output .{{name}}):not({_AFTER_DEAD}),
.{{name}}:not({_AFTER_DEAD} .{{name}}),
.jp-OutputArea-child:has({_DEAD}) {{{{ display: none !important; }}}}
"""


def twin_style() -> str:
    """For the static twin; it hides the output before it if no widget came to live there."""
    return _style(_BOTH + _TWIN)


def live_style(name: str) -> str:
    """For the widget; it hides the static twin, whose class is `name`, or itself once its kernel restarted."""
    return _style(_BOTH + _LIVE + _HIDE.format(name=name))


def _style(source: str) -> str:
    return "<style>" + re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"\s*\n\s*", " ", source)).strip() + "</style>"
