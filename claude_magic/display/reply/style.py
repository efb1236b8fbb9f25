"""How the page looks around the reply's text: quiet lines and folded blocks, in the reader's theme."""

from __future__ import annotations

import re

_SOURCE = """
.cm-reply { overflow-anchor: none; }
.cm-reply .cm-summary, .cm-reply .cm-status, .cm-reply .cm-untold, .cm-reply details > summary {
  color: var(--jp-ui-font-color2, #6b6b6b); font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); line-height: 1.5; }
.cm-reply .cm-summary { margin-top: 0.7em; padding-top: 0.35em; overflow-wrap: anywhere;
  border-top: 1px solid var(--jp-border-color2, #e0e0e0); font-variant-numeric: tabular-nums;
  font-size: var(--jp-ui-font-size0, 11px); }
.cm-reply .cm-summary + .cm-summary { margin-top: 0; padding-top: 0; border-top: 0; }
.cm-reply .cm-status { font-variant-numeric: tabular-nums; font-size: var(--jp-ui-font-size0, 11px);
  margin-top: 0.5em; }
.cm-reply .cm-warning { margin-top: 0.7em; padding: 0.3em 0.7em; overflow-wrap: anywhere;
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: var(--jp-ui-font-size1, 13px);
  border-left: 3px solid var(--jp-warn-color1, #ef6c00);
  background: var(--jp-layout-color2, rgba(128, 128, 128, 0.12)); }
.cm-reply.cm-reply > style + :is(h1, h2, h3, h4, h5, h6) {
  margin-top: calc(0.5 * var(--jp-content-heading-margin-top, 1.2em)); }
.cm-reply .cm-none { color: var(--jp-ui-font-color2, #6b6b6b); font-style: italic; margin: 0.3em 0; }
.cm-reply details.cm-thinking, .cm-reply details.cm-block { margin: 0.35em 0; }
.cm-reply .cm-untold { margin: 0.35em 0; }
.cm-reply details > summary { cursor: pointer; width: fit-content; }
.cm-reply details > summary:hover { color: var(--jp-ui-font-color1, #333); }
.cm-reply .cm-folded { margin: 0.3em 0 0.6em 0.35em; padding-left: 0.9em;
  border-left: 2px solid var(--jp-border-color2, #e0e0e0); }
.cm-reply .cm-thinking > .cm-folded { color: var(--jp-ui-font-color2, #6b6b6b); }
.cm-reply pre.cm-json { max-height: 24em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  margin: 0; font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px); }
.cm-reply .cm-step > summary { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.cm-reply .cm-call { font-family: var(--jp-code-font-family, monospace);
  font-size: calc(var(--jp-code-font-size, 13px) - 1px); color: var(--jp-ui-font-color1, #333); }
.cm-reply .cm-wrong .cm-outcome { color: var(--jp-error-color1, #c62828); }
.cm-reply .cm-waits .cm-outcome { color: var(--jp-warn-color0, #b25000); font-weight: 600; }
.cm-reply :is(.cm-caption, .cm-about, .cm-where, .cm-said, .cm-step .cm-none, .cm-results, .cm-sources) {
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: var(--jp-ui-font-size1, 13px); }
.cm-reply :is(.cm-caption, .cm-about, .cm-where) { color: var(--jp-ui-font-color2, #6b6b6b); }
.cm-reply .cm-caption { margin: 0.5em 0 0.15em; font-size: var(--jp-ui-font-size0, 11px); letter-spacing: 0.02em; }
.cm-reply .cm-folded > .cm-caption:first-child { margin-top: 0; }
.cm-reply .cm-about { margin-top: 0.5em; font-variant-numeric: tabular-nums; font-size: var(--jp-ui-font-size0, 11px); }
.cm-reply.cm-reply .cm-step pre { margin: 0; padding: 0.35em 0.7em; max-height: 24em; overflow: auto; }
.cm-reply.cm-reply :is(.cm-results, .cm-sources ol) { margin: 0.2em 0; padding-left: 2.2em; }
.cm-reply :is(.cm-results, .cm-sources) li { margin: 0.1em 0; overflow-wrap: anywhere; }
.cm-reply sup.cm-mark { line-height: 0; margin-left: 1px; }
.cm-reply sup.cm-mark a { text-decoration: none; font-size: 0.85em; }
.cm-reply .cm-sources { margin-top: 0.9em; padding-top: 0.35em;
  border-top: 1px solid var(--jp-border-color2, #e0e0e0); }
.cm-reply .cm-sources > .cm-caption { margin: 0; }
.cm-reply .cm-sources li:target { background: var(--jp-layout-color2, rgba(128, 128, 128, 0.15)); }
.cm-reply .cm-sources details > summary { font-size: var(--jp-ui-font-size0, 11px); }
.cm-reply.cm-reply .cm-sources blockquote { margin: 0.2em 0; font-size: var(--jp-ui-font-size0, 11px); }
"""

PAGE_STYLE = re.sub(r"\s*\n\s*", " ", _SOURCE).strip()
