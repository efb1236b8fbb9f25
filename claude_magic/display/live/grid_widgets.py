"""Replies side by side as widgets: a column each, whose reply is replaced while it grows, and then gets its panel.

A column is never made anew, so that a script can hold the height of its reply: rendered again with a few words more,
Markdown may well be lower than before, and so may a formula once it is typeset. The height is held until the reader
opens or closes something in the reply, or its width changes, by more than a scroll bar takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from IPython.core.display_functions import publish_display_data

from ...wire import Exchange
from ..clipboard import script_attribute, script_widget
from ..panel.live_panels import keep
from ..panel.panel import panel_widgets
from ..widgets import Widget, widget_bundle, with_classes
from .grid_style import live_style

_HOLD = """
var root = this.closest('.cm-grid-live'), missing = COUNT;
var hold = new ResizeObserver(function (entries) {
  entries.forEach(function (entry) {
    var e = entry.target, width = e.getBoundingClientRect().width;
    if (e.cmFree) return;
    if (Math.abs(width - e.cmWidth) > 20) e.style.minHeight = '';
    e.cmWidth = width;
    e.style.minHeight = e.getBoundingClientRect().height + 'px';
  });
});
var look = function () {
  root.querySelectorAll('.cm-part').forEach(function (e) {
    if ('cmWidth' in e) return;
    e.cmWidth = e.getBoundingClientRect().width;
    e.addEventListener('toggle', function () { e.cmFree = true; e.style.minHeight = ''; }, true);
    hold.observe(e);
    missing -= 1;
  });
  if (!missing) watch.disconnect();
};
var watch = new MutationObserver(look);
watch.observe(root, {childList: true, subtree: true});
look();
"""


@dataclass(frozen=True, kw_only=True)
class _Column:
    """The widgets of a column.

    Attributes:
        settled: HTML that seldom changes; at the end the whole reply.
        tail: HTML that is replaced again and again.
        part: The reply: both of them.
        whole: The reply, and its panel.
    """

    settled: Widget
    tail: Widget
    part: Widget
    whole: Widget


class GridWidgets:
    """The live grid.

    Args:
        count: The number of replies.
        name: The CSS class of its static twin.
    """

    def __init__(self, count: int, name: str) -> None:
        import ipywidgets

        self._layout = ipywidgets.Layout()
        script = script_attribute(_HOLD.replace("COUNT", str(count)))
        head = ipywidgets.HTML(value=f'{live_style(name)}<style onload="{script}"></style>', layout=self._layout)
        self._columns: list[_Column] = []
        for _ in range(count):
            self._columns.append(self._column())
        grid = ipywidgets.GridBox(children=[each.whole for each in self._columns], layout=self._layout)
        with_classes(grid, "cm-grid")
        self.widget = ipywidgets.VBox(children=[head, grid, script_widget()], layout=self._layout)
        with_classes(self.widget, "cm-grid-live")
        inner = [each for column in self._columns for each in vars(column).values()]
        self._all = [self.widget, grid, head, *inner, head.style, self._columns[0].tail.style, self._layout]
        keep(self._all)

    def publish(self) -> None:
        """Show the grid in an output of the running cell."""
        publish_display_data(widget_bundle(self.widget))

    def show(self, place: int, settled: str, tail: str) -> int:
        """Show a growing reply; the characters that were sent. The tail goes first: nothing is seen twice."""
        column = self._columns[place]
        return sum(_set(widget, value) for widget, value in ((column.tail, tail), (column.settled, settled)))

    def finish(self, place: int, reply: str, panel: Exchange | None) -> int:
        """Show a whole reply; the characters that were sent.

        Args:
            panel: The exchange whose panel follows; `None` for no panel.
        """
        column = self._columns[place]
        size = self.show(place, reply, "")
        if panel is not None and len(column.whole.children) == 1:
            widgets = panel_widgets(panel)
            self._all += widgets  # so they are closed with the grid
            column.whole.children = (column.part, widgets[0])
        return size

    def close(self) -> None:
        """Take the grid away."""
        for widget in self._all:
            widget.close()

    def _column(self) -> _Column:
        import ipywidgets

        shared = {"style": self._columns[0].tail.style} if self._columns else {}
        tail = ipywidgets.HTMLMath(layout=self._layout, **shared)
        settled = ipywidgets.HTMLMath(layout=self._layout, style=tail.style)
        part = ipywidgets.VBox(children=[settled, tail], layout=self._layout)
        with_classes(part, "cm-part", "jp-RenderedHTMLCommon")
        whole = with_classes(ipywidgets.VBox(children=[part], layout=self._layout), "cm-column")
        return _Column(settled=settled, tail=tail, part=part, whole=whole)


def _set(widget: Widget, value: str) -> int:
    if widget.value == value:
        return 0
    widget.value = value
    return len(value)
