"""The few lines of our own that run in the page: what ipywidgets has no word for.

They keep JupyterLab's shortcuts away from a control that has the focus, name the controls for screen readers,
send what is typed after a pause, press Run on Ctrl+Enter, and carry out "Insert as cell" and "Copy code".
Where a page does not let them run, all of it still works with the mouse, and the text to copy is shown.

No front end has a message by which a kernel adds a cell while no cell runs: `set_next_input` travels only with
the answer to one. So the script presses the notebook's own "+" and pastes into the new, empty cell. When it has
done so, or could not, it presses a hidden button to say so, and the order is taken out of the page.

Nothing of a reply ever gets here: the text to insert or copy is an attribute, escaped, and only ever used as text.
"""

from __future__ import annotations

import html

from ..clipboard import WRITE, script_attribute, text_attribute

_BOOT = (
    """
var b = this.closest('.cm-workbench');
if (b && !b.cmAct) {
  var press = function (name) { var x = b.querySelector('.' + name); if (x) x.click(); };
  var changed = function (t) { clearTimeout(t.cmLater); t.dispatchEvent(new Event('change', {bubbles: true})); };
  b.setAttribute('role', 'group');
  b.setAttribute('aria-label', 'Claude workbench');
  var told = b.querySelector('.cm-notice');
  if (told) told.setAttribute('role', 'status');
  b.addEventListener('focusin', function (e) { e.target.setAttribute('data-lm-suppress-shortcuts', 'true'); }, true);
  b.addEventListener('input', function (e) {
    var t = e.target; clearTimeout(t.cmLater); t.cmLater = setTimeout(function () { changed(t); }, 300);
  });
  b.addEventListener('keydown', function (e) {
    if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault(); e.stopPropagation(); changed(e.target); press('cm-run');
  }, true);
  var insert = function (text) {
    var all = Array.from(document.querySelectorAll('.jp-NotebookPanel'));
    var seen = all.filter(function (p) { return p.offsetParent; });
    var panel = b.closest('.jp-NotebookPanel') || (seen.length === 1 ? seen[0] : null);
    var plus = '.jp-NotebookPanel-toolbar [data-jp-item-name="insert"] :is(jp-button, button)';
    var add = panel && panel.querySelector(plus);
    if (!add) { press('cm-not-done'); return; }
    var active = function () { return panel.querySelector('.jp-Cell.jp-mod-active'); };
    var before = active(), tries = 0;
    var fill = function () {
      var c = active(), e = c && c !== before && c.querySelector('.cm-content');
      if (!e) { if (++tries > 60) press('cm-not-done'); else setTimeout(fill, 50); return; }
      if (e.textContent.trim()) { press('cm-not-done'); return; }
      var d = new DataTransfer();
      d.setData('text/plain', text);
      e.focus();
      e.dispatchEvent(new ClipboardEvent('paste', {clipboardData: d, bubbles: true, cancelable: true}));
      setTimeout(function () { press(e.textContent.trim() ? 'cm-done' : 'cm-not-done'); }, 50);
    };
    add.dispatchEvent(new MouseEvent('mousedown', {bubbles: true, cancelable: true, button: 0}));
    setTimeout(fill, 50);
  };
"""
    + WRITE
    + """
  var copy = function (text) {
    write(text, function () { press('cm-done'); }, function () {
      var t = b.querySelector('.cm-source textarea');
      if (t) { t.value = text; t.focus(); t.select(); }
      press('cm-not-done');
    });
  };
  b.cmAct = function (order) {
    if (!document.hasFocus() || window.cmOrder === order.dataset.order) return;
    window.cmOrder = order.dataset.order;
    (order.dataset.act === 'copy' ? copy : insert)(order.dataset.text);
  };
}
"""
)
_ACT = "var b = this.closest('.cm-workbench'); if (b && b.cmAct) b.cmAct(this);"


def boot() -> str:
    """HTML that prepares the workbench it stands in."""
    return f'<style onload="{script_attribute(_BOOT)}"></style>'


def order(act: str, text: str, name: str) -> str:
    """HTML that carries out `act`, once: `copy` a text, or `insert` it as a cell.

    Args:
        name: Of this order; a page follows it once.
    """
    data = f'data-act="{html.escape(act)}" data-order="{html.escape(name)}" data-text="{text_attribute(text)}"'
    return f'<style {data} onload="{script_attribute(_ACT)}"></style>'
