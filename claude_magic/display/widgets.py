"""ipywidgets, as far as all of this package needs it: whether there is a page for it, and how an output shows one."""

from __future__ import annotations

from typing import Any

Widget = Any
"""Any widget of ipywidgets, which has no types: its traits are set and read by name."""


def has_widgets() -> bool:
    """Whether ipywidgets is installed, and there is a page for its widgets: a terminal has none."""
    try:
        import comm
        import ipywidgets  # noqa: F401  it must be there
    except ImportError:
        return False
    return bool(comm.create_comm.__module__ != "comm")  # a kernel replaces it


def widget_bundle(widget: Widget) -> dict[str, Any]:
    """The mime bundle that shows a widget."""
    view = {"model_id": widget.model_id, "version_major": 2, "version_minor": 0}
    return {"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}


def with_classes(widget: Widget, *names: str) -> Widget:
    """The widget, with these CSS classes."""
    for name in names:
        widget.add_class(name)
    return widget


def close_tree(widget: Widget) -> None:
    """Close a widget with all that is in it: each is an object on both sides, until it is closed."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for name in ("style", "layout"):
        if (part := getattr(widget, name, None)) is not None:
            part.close()
    widget.close()
