"""The controls a workbench is made of, alike in looks: labels above, names for the style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets


class Controls:
    """Makes widgets that share one layout: each of them is a message, and an entry in a saved notebook."""

    def __init__(self) -> None:
        self.layout = ipywidgets.Layout()

    def line(self, label: str, value: str = "", hint: str = "") -> Any:
        """A field of one line."""
        return ipywidgets.Text(
            value=value, description=label, placeholder=hint, layout=self.layout, continuous_update=False
        )

    def text(self, label: str, value: str = "", hint: str = "", name: str = "") -> Any:
        """A field of several lines."""
        made = ipywidgets.Textarea(
            value=value, description=label, placeholder=hint, layout=self.layout, continuous_update=False, rows=2
        )
        return with_classes(made, name)

    def choice(self, label: str, values: Sequence[Any], value: Any = None) -> Any:
        """One of several values."""
        made = ipywidgets.Dropdown(options=values, description=label, layout=self.layout)
        if value is not None:
            made.value = value
        return made

    def switch(self, label: str) -> Any:
        """On or off."""
        return ipywidgets.Checkbox(description=label, indent=False, layout=self.layout)

    def button(self, label: str, press: Callable[[], object], name: str = "", style: str = "", hint: str = "") -> Any:
        """A button, and what happens when it is pressed."""
        made = ipywidgets.Button(description=label, button_style=style, tooltip=hint or None, layout=self.layout)
        made.on_click(lambda _: press())
        return with_classes(made, name)

    def html(self, value: str = "", name: str = "") -> Any:
        """Safe HTML."""
        return with_classes(ipywidgets.HTML(value=value, layout=self.layout), name)

    def row(self, *children: Any, name: str = "") -> Any:
        """Beside one another."""
        return with_classes(ipywidgets.HBox(children=children, layout=self.layout), name)

    def column(self, *children: Any, name: str = "") -> Any:
        """Under one another."""
        return with_classes(ipywidgets.VBox(children=children, layout=self.layout), name)


def with_classes(widget: Any, name: str) -> Any:
    """`widget`, with the names that the style and the script know it by."""
    widget._dom_classes = tuple(name.split())
    return widget


def set_visible(widget: Any, show: bool) -> None:
    """Show a widget, or take it out of the page and of the reach of the Tab key."""
    if show:
        widget.remove_class("cm-hidden")
    else:
        widget.add_class("cm-hidden")
