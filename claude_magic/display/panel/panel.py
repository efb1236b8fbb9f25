"""The panel under a reply: an ipywidgets accordion with tabs, and a static twin for where no widget lives.

Two outputs in a row, and each knows of the other. The live widget brings a style that hides the twin;
the twin brings a style that hides an output in which no widget came to live. A widget's state is saved
with the notebook by nbclient, so nothing stands in it that may not be read by everybody.

The accordion's header takes no keyboard focus. An invisible `<details>` over it does, and turns round
what the mouse chose; JupyterLab's own shortcuts are off for it, else Enter would go to the editor.
"""

from __future__ import annotations

import uuid
from typing import Any

from ...wire import Exchange
from ..clipboard import script_widget
from ..widgets import Widget, has_widgets, widget_bundle, with_classes
from ..workbench.place import WorkbenchPlace, is_offered, open_button
from .live_panels import keep
from .programs import program_widgets
from .style import live_style, twin_style
from .tabs import live_tabs, tabs

_TITLE = "Response headers, usage, request"
_KEYS = "data-lm-suppress-shortcuts=true"  # what is typed here is not for JupyterLab's own shortcuts


def panel_bundles(exchange: Exchange) -> list[dict[str, Any]]:
    """What to publish under the reply, one output each, right after one another.

    Returns:
        The widget and its static twin; the twin alone where widgets cannot be made.
    """
    sections = tabs(exchange)
    name = f"cm-static-{uuid.uuid4().hex[:12]}"
    twin = {"text/html": _twin(sections, name), "text/plain": _TITLE}
    if not has_widgets():
        return [twin]
    widgets = _widgets(exchange, sections, name)
    keep(widgets)
    return [widget_bundle(widgets[0]), twin]


def static_panel(exchange: Exchange, *, live: bool = False, styled: bool = True) -> str:
    """The panel as HTML that needs no script; with `live`, as complete as the widget's.

    Args:
        styled: Whether to include the style; `twin_style` gives that of several panels.
    """
    sections = tabs(exchange)
    chosen = live_tabs(exchange, sections) if live else sections
    return _twin(chosen, f"cm-static-{uuid.uuid4().hex[:12]}", styled=styled)


def panel_widgets(exchange: Exchange) -> list[Widget]:
    """The live panel and all it is made of, the outermost first, where its static twin is part of another one."""
    return _widgets(exchange, tabs(exchange), f"cm-static-{uuid.uuid4().hex[:12]}")


def _twin(sections: dict[str, str], name: str, *, styled: bool = True) -> str:
    folded = "".join(
        f"<details><summary>{title}</summary><div>{inner}</div></details>" for title, inner in sections.items()
    )
    ignored = "mathjax_ignore tex2jax_ignore"
    style = twin_style(folded) if styled else ""
    head = f'<details class="cm-static {name} {ignored}" {_KEYS}><summary>{_TITLE}</summary>'
    return f"{style}{head}{folded}</details>"


def _widgets(exchange: Exchange, sections: dict[str, str], name: str) -> list[Widget]:
    """The panel and all it is made of, the outermost first.

    Every widget is a message and an entry in a saved notebook: they share one layout and one style.

    Args:
        sections: Title and HTML of each tab, as saved.
    """
    import ipywidgets

    layout = ipywidgets.Layout()
    keyboard = ipywidgets.HTML(value=_keyboard_html(name), layout=layout)
    with_classes(keyboard, "cm-keyboard")
    live = live_tabs(exchange, sections)
    pages, inner = [], []
    for title, source in live.items():
        if title == "Code":
            page = program_widgets(exchange, layout, keyboard.style)
        else:
            page = [
                ipywidgets.HTML(
                    value=f'<div class="cm-panel" {_KEYS}>{source}</div>', layout=layout, style=keyboard.style
                )
            ]
        pages.append(page[0])
        inner += page
    tab = ipywidgets.Tab(children=pages, titles=tuple(live), selected_index=0, layout=layout)
    accordion = ipywidgets.Accordion(children=[tab], titles=(_TITLE,), selected_index=None, layout=layout)
    shown, more = [keyboard, accordion], []
    if is_offered(exchange):
        place = WorkbenchPlace(layout)
        button = open_button(exchange, place, layout)
        shown += [button, place.widget]
        more = [button, button.style, place]
    outer = with_classes(ipywidgets.VBox(children=[*shown, script_widget()], layout=layout), "cm-live")
    return [outer, accordion, tab, *inner, *more, keyboard, keyboard.style, layout]


def _keyboard_html(name: str) -> str:
    """The control that opens the accordion from the keyboard, and the style that hides the static twin."""
    return f'{live_style(name)}<details class="cm-key" {_KEYS}><summary aria-label="{_TITLE}"></summary></details>'
