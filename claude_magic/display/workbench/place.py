"""A place in a page in which a workbench opens with a request that was sent: below a panel, below rows of the journal.

What makes a workbench needs the session; whoever has one says so with `provide`. Until then, and where there are no
widgets, nothing offers to open one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ...errors import ClaudeError
from ..widgets import Widget, with_classes

if TYPE_CHECKING:
    from ...wire import Exchange
    from .bench import Workbench

LABEL, CLOSE = "Open in workbench", "Close workbench"


class Source(Protocol):
    """Makes workbenches."""

    def of_exchange(self, exchange: Exchange) -> Workbench:
        """One with the request of an exchange."""

    def of_row(self, number: int) -> Workbench:
        """One with the request of an exchange of the journal, by its id."""


_sources: list[Source] = []


def provide(source: Source | None) -> None:
    """Let workbenches be made by this; `None` ends it."""
    _sources[:] = [] if source is None else [source]


def workbench_source() -> Source | None:
    """What makes workbenches; `None` if nothing does."""
    return _sources[-1] if _sources else None


def is_offered(exchange: Exchange) -> bool:
    """Whether a workbench can be opened with its request: it asked for a message."""
    body = exchange.request.body or {}
    return bool(_sources) and ("messages" in body or "prompt" in body)


class WorkbenchPlace:
    """Holds one workbench at a time.

    Args:
        layout: Shared by the widgets around it.

    Attributes:
        widget: To be put into the page.
    """

    def __init__(self, layout: Widget) -> None:
        import ipywidgets

        self._layout = layout
        self._bench: Workbench | None = None
        self.widget = with_classes(ipywidgets.VBox(layout=layout), "cm-bench-place")

    @property
    def is_open(self) -> bool:
        """Whether a workbench is there."""
        return self._bench is not None

    def open(self, make: Callable[[], Workbench]) -> None:
        """Show the workbench that `make` returns instead of the one before; an error is one line."""
        self.clear()
        try:
            self._bench = make()
        except ClaudeError as error:
            self.widget.children = (self._error(error),)
        else:
            self.widget.children = (self._bench.widget,)

    def clear(self) -> None:
        """Close the workbench or the error that is there."""
        children, self.widget.children = self.widget.children, ()
        if self._bench is not None:
            self._bench.close()
            self._bench = None
        else:
            for child in children:
                child.style.close()
                child.close()

    def close(self) -> None:
        """Close it with all that is in it."""
        self.clear()
        self.widget.close()

    def _error(self, error: ClaudeError) -> Widget:
        import html

        import ipywidgets

        from ..text.excerpt import plain_line

        text = html.escape(plain_line(f"{type(error).__name__}: {error}"))
        return ipywidgets.HTML(value=f'<div class="cm-error">{text}</div>', layout=self._layout)


def open_button(exchange: Exchange, place: WorkbenchPlace, layout: Widget) -> Widget:
    """A button that opens a workbench with the request of an exchange, and closes it again."""
    import ipywidgets

    hint = "Edit this request, and send it again"
    button = ipywidgets.Button(description=LABEL, tooltip=hint, layout=layout)

    def press(_: Widget) -> None:
        source = workbench_source()
        if place.is_open or source is None:
            place.clear()
        else:
            place.open(lambda: source.of_exchange(exchange))
        button.description = CLOSE if place.is_open else LABEL

    button.on_click(press)
    return with_classes(button, "cm-open-bench")
