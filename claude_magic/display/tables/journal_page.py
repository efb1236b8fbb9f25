"""Rows of the journal on a page with a kernel: each has a button that opens a workbench with its request below them.

The buttons are part of the table's HTML, so that a table of any length is few widgets. A press puts the row's id into a
field that nobody sees, which the kernel reads. The static twin beside it has the same rows without buttons.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ..clipboard import script_attribute
from ..css import element, hide_empty_output, hide_twin, minify
from ..panel.live_panels import keep
from ..widgets import Widget, has_widgets, widget_bundle, with_classes
from ..workbench.place import LABEL, WorkbenchPlace, workbench_source
from .journal_entries import bundle

_PRESS = """
var b = event.target.closest('[data-open]');
var i = b && b.closest('.cm-journal').querySelector('.cm-request input');
if (i) { i.value = b.dataset.open; i.dispatchEvent(new Event('change', {bubbles: true})); }
"""
_STYLE = minify("""
.cm-journal .cm-request { display: none }
.cm-journal [data-open] { font: inherit; padding: 0 8px; cursor: pointer; color: var(--jp-ui-font-color1, inherit);
  background: var(--jp-layout-color1, Canvas); border: 1px solid var(--jp-border-color1, #8888); border-radius: 3px }
.cm-journal .jupyter-widgets-disconnected [data-open] { display: none }
.cm-journal .cm-error { color: var(--jp-error-color1, #c62828) }
.cm-journal { overflow: visible }
""")


def outputs(title: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What to publish, one output each: the rows with buttons and their static twin; without widgets the twin alone."""
    twin = bundle(title, rows)
    source = workbench_source()
    if source is None or not has_widgets() or all(row["is_call"] for row in rows):
        return [twin]
    name = f"cm-static-{uuid.uuid4().hex[:12]}"
    html = f'{element(hide_empty_output("cm-static"))}<div class="cm-static {name}">{twin["text/html"]}</div>'
    return [widget_bundle(_live(title, rows, name)), {**twin, "text/html": html}]


def _live(title: str, rows: Sequence[Mapping[str, Any]], name: str) -> Widget:
    """The rows with buttons; the widgets of an earlier run of the cell are closed."""
    import ipywidgets

    layout = ipywidgets.Layout()
    table = bundle(title, rows, button=LABEL)["text/html"]
    head = element(_STYLE, hide_twin(name))
    shown = ipywidgets.HTML(value=f'{head}<div onclick="{script_attribute(_PRESS)}">{table}</div>', layout=layout)
    field = with_classes(ipywidgets.Text(layout=layout), "cm-request")
    place = WorkbenchPlace(layout)
    numbers = {str(row["id"]): row["id"] for row in rows}

    def press(change: Mapping[str, Any]) -> None:
        source = workbench_source()
        if change["new"] in numbers and source is not None:
            number = numbers[change["new"]]
            field.value = ""  # the same button may be pressed again
            place.open(lambda: source.of_row(number))

    field.observe(press, "value")
    outer = with_classes(ipywidgets.VBox(children=[shown, field, place.widget], layout=layout), "cm-journal")
    keep([outer, shown, shown.style, field, field.style, place, layout])
    return outer
