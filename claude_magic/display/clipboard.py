"""Copy buttons, by the one script that the panels of a kernel share.

The script adds the buttons to the page, so they are where it runs and nowhere else: a saved output holds no button,
and neither does an export or an untrusted notebook. It is the value of one widget, which every live panel shows: its
weight does not grow with the number of cells.

What a button copies is in the page before the press: the text of its element, or its `data-text` where the element
shows less. Nothing is awaited before the write, and a busy kernel does not matter. A page served by plain `http` to
another machine has no `navigator.clipboard`: there a selection and the old copy command do it. A button says "copied"
only after it happened; where the page refuses both ways, the text is shown, selected.
"""

from __future__ import annotations

import html
import json
import re

from .css import minify
from .text.excerpt import BODY_LIMIT, clean, without_key
from .text.plain import plain
from .widgets import Widget, with_classes

_LONGEST = 100_000  # characters that a page holds for a button beyond those that it shows

WRITE = """
var write = function (text, done, failed) {
  var selected = function () {
    var held = document.activeElement, t = document.createElement('textarea'), ok = false;
    t.value = text;
    t.setAttribute('data-lm-suppress-shortcuts', 'true');
    t.style.cssText = 'position:fixed;top:0;left:0;width:1px;height:1px;opacity:0';
    document.body.append(t);
    t.select();
    try { ok = document.execCommand('copy'); } catch (e) { ok = false; }
    t.remove();
    if (held && held.focus) held.focus({preventScroll: true});
    (ok ? done : failed)();
  };
  if (!navigator.clipboard) { selected(); return; }
  navigator.clipboard.writeText(text).then(done, selected);
};
"""
"""Defines `write(text, done, failed)`: puts a text on the clipboard, then calls one of the two functions."""

_SCRIPT = (
    """
if (!window.cmCopy) {
  window.cmCopy = true;
  var sheet = document.createElement('style');
  sheet.textContent = 'STYLE';
  document.head.append(sheet);
"""
    + WRITE
    + """
  var show = function (holder, text) {
    var t = document.createElement('textarea');
    t.value = text;
    t.readOnly = true;
    t.rows = 6;
    t.setAttribute('aria-label', 'The page may not write to the clipboard: copy this text');
    t.setAttribute('data-lm-suppress-shortcuts', 'true');
    t.addEventListener('blur', function () { t.remove(); });
    holder.append(t);
    t.focus();
    t.select();
  };
  var add = function (target, label, inline) {
    var holder = document.createElement(inline ? 'span' : 'div'), b = document.createElement('button');
    var say = function (done) {
      clearTimeout(b.cmLater);
      b.textContent = done ? 'copied' : 'copy';
      b.setAttribute('aria-label', done ? 'copied' : label);
      holder.classList.toggle('cm-said', done);
      if (done) b.cmLater = setTimeout(say, 30000, false);
    };
    holder.className = inline ? 'cm-copy-line' : 'cm-copy';
    b.type = 'button';
    b.setAttribute('data-lm-suppress-shortcuts', 'true');
    b.setAttribute('aria-live', 'polite');
    say(false);
    ['blur', 'pointerleave'].forEach(function (name) { b.addEventListener(name, function () { say(false); }); });
    b.addEventListener('click', function (e) {
      var text = 'text' in target.dataset ? target.dataset.text : target.textContent;
      e.stopPropagation();
      write(text, function () { say(true); }, function () { show(holder, text); });
    });
    holder.append(b);
    target[inline ? 'after' : 'before'](holder);
  };
  var wanted = '[data-copy], .cm-reply:not([class*="cm-live-"]) :is(pre:not(.cm-step pre), .cm-id)';
  var later = 0;
  var scan = function () {
    later = 0;
    document.querySelectorAll(wanted).forEach(function (e) {
      if (e.cmCopy) return;
      e.cmCopy = true;
      var id = e.classList.contains('cm-id');
      add(e, e.dataset.copy || (id ? 'Copy request-id' : 'Copy this code'), id);
    });
  };
  new MutationObserver(function () { if (!later) later = setTimeout(scan, 200); })
    .observe(document.body, {childList: true, subtree: true});
  scan();
}
"""
)

_STYLE = """
.cm-copy { position: relative; height: 0; z-index: 2 }
.cm-panel > .cm-copy { position: sticky; top: 0 }
:is(.cm-copy, .cm-copy-line) > button { font: 11px/16px var(--jp-ui-font-family, sans-serif); padding: 0 6px;
  opacity: 0; cursor: pointer; color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color1, Canvas);
  border: 1px solid var(--jp-border-color1, #8888); border-radius: 3px }
.cm-copy > button { position: absolute; top: 3px; right: 3px }
.cm-copy-line > button { margin-left: 0.6em; line-height: 13px }
:is(.cm-copy:has(+ :hover), :hover > .cm-copy-line, .cm-said) > button,
:is(.cm-copy, .cm-copy-line) > button:is(:hover, :focus-visible) { opacity: 1 }
:is(.cm-copy, .cm-copy-line) > textarea { position: absolute; top: 0; right: 0; z-index: 3; width: min(40em, 90%) }
.cm-copy-line { position: relative }
.cm-script.cm-script { display: none }
@media (hover: none) { :is(.cm-copy, .cm-copy-line) > button { opacity: 0.8 } }
@media print { .cm-copy, .cm-copy-line { display: none } }
"""

_shared: list[Widget] = []


def script_widget() -> Widget:
    """The widget with the script: one for all panels of this kernel, which none of them may close."""
    import ipywidgets

    if not _shared or _shared[0].comm is None:
        _shared[:] = [with_classes(ipywidgets.HTML(value=script_html()), "cm-script")]
    return _shared[0]


def script_html() -> str:
    """An element that runs the script once it is in a page; a page runs it once."""
    script = _SCRIPT.replace("STYLE", minify(_STYLE))
    return f'<style onload="{script_attribute(script)}"></style>'


def script_attribute(script: str) -> str:
    """The lines of a script, as the value of an attribute."""
    return html.escape(re.sub(r"\s*\n\s*", " ", script).strip(), quote=True)


def text_attribute(text: str) -> str:
    """Text as the value of an attribute, where a line end that is not written as a reference could be changed."""
    return html.escape(text, quote=True).replace("\r", "&#13;").replace("\n", "&#10;")


def copy_attributes(label: str, whole: str, shown: str = "") -> str:
    """The attributes of an element that gets a copy button.

    There is none (`""`) for what is too long to be in the page twice, and for text with characters that nobody sees,
    such as terminal controls: what is pasted is what was read.

    Args:
        label: What the button does, for screen readers.
        whole: What it copies; keys are redacted.
        shown: What the element shows, so that the same is not sent twice.
    """
    whole = without_key(whole)
    if plain(whole) != whole:
        return ""
    name = f' data-copy="{html.escape(label, quote=True)}"'
    if whole == clean(shown, 2 * BODY_LIMIT) and whole[:1] != "\n":  # which HTML leaves out
        return name
    return f'{name} data-text="{text_attribute(whole)}"' if len(whole) <= _LONGEST else ""


def copy_json_attributes(label: str, value: object, shown: str) -> str:
    """`copy_attributes` for a value that is shown as JSON, abbreviated or not."""
    try:
        if json.loads(clean(shown, 2 * BODY_LIMIT)) == value:
            return copy_attributes(label, shown, shown)
    except (ValueError, RecursionError):
        pass  # it is abbreviated
    try:
        whole = json.dumps(value, ensure_ascii=False, indent=2, default=repr)
        readable = plain(whole) == whole
        return copy_attributes(label, whole if readable else json.dumps(value, indent=2, default=repr), shown)
    except (ValueError, RecursionError):
        return ""
