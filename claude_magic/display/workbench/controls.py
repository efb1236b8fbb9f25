"""The controls of a workbench, with one look: labels above, CSS classes for the style."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from ..widgets import Widget, with_classes


class Controls:
    """Creates widgets that share one layout: each layout is a message, and an entry in a saved notebook."""

    def __init__(self) -> None:
        self.layout = ipywidgets.Layout()

    def line(self, label: str, value: str = "", hint: str = "") -> Widget:
        """A field of one line."""
        return ipywidgets.Text(
            value=value, description=label, placeholder=hint, layout=self.layout, continuous_update=False
        )

    def text(self, label: str, value: str = "", hint: str = "", name: str = "") -> Widget:
        """A field of several lines."""
        widget = ipywidgets.Textarea(
            value=value, description=label, placeholder=hint, layout=self.layout, continuous_update=False, rows=2
        )
        return with_classes(widget, *name.split())

    def choice(self, label: str, values: Sequence[str | tuple[str, str]], value: str | None = None) -> Widget:
        """A drop-down list."""
        widget = ipywidgets.Dropdown(options=values, description=label, layout=self.layout)
        if value is not None:
            widget.value = value
        return widget

    def switch(self, label: str) -> Widget:
        """A checkbox."""
        return ipywidgets.Checkbox(description=label, indent=False, layout=self.layout)

    def button(
        self, label: str, press: Callable[[], object], name: str = "", style: str = "", hint: str = ""
    ) -> Widget:
        """A button that calls `press` on a click."""
        widget = ipywidgets.Button(description=label, button_style=style, tooltip=hint or None, layout=self.layout)
        widget.on_click(lambda _: press())
        return with_classes(widget, *name.split())

    def html(self, value: str = "", name: str = "") -> Widget:
        """Safe HTML."""
        return with_classes(ipywidgets.HTML(value=value, layout=self.layout), *name.split())

    def row(self, *children: Widget, name: str = "") -> Widget:
        """Widgets side by side."""
        return with_classes(ipywidgets.HBox(children=children, layout=self.layout), *name.split())

    def column(self, *children: Widget, name: str = "") -> Widget:
        """Widgets below each other."""
        return with_classes(ipywidgets.VBox(children=children, layout=self.layout), *name.split())


def set_visible(widget: Widget, show: bool) -> None:
    """Show or hide a widget, also from the Tab key."""
    if show:
        widget.remove_class("cm-hidden")
    else:
        widget.add_class("cm-hidden")
