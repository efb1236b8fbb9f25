"""Earlier requests of the journal, to load into a workbench.

They are fetched on demand and removed after a choice: the state of a widget is saved with the notebook, and the
requests of other notebooks do not belong there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from ..widgets import with_classes
from .controls import Controls, set_visible


class History:
    """A list of requests to choose from.

    Args:
        find: Searches for words.
        choose: Loads a request by its id.
    """

    def __init__(self, controls: Controls, find: Callable[[str], object], choose: Callable[[int], object]) -> None:
        self._find = find
        self._choose = choose
        self._words = controls.line("Words", hint="of a request or reply; empty: the last ones")
        self._list = ipywidgets.Select(description="Earlier requests", options=(), rows=8, layout=controls.layout)
        buttons = (
            controls.button("Search", self.open, hint="Look in the journal"),
            controls.button("Load", self._load, hint="Load this request into the workbench"),
            controls.button("Close history", self.close),
        )
        self.widget = with_classes(
            ipywidgets.VBox(
                children=[self._words, self._list, controls.row(*buttons, name="cm-actions")], layout=controls.layout
            ),
            "cm-history",
        )
        set_visible(self.widget, False)

    def open(self) -> None:
        """Search for the words, and show the results."""
        self._find(self._words.value)

    def show(self, requests: Sequence[tuple[str, int]]) -> None:
        """Show these results."""
        self._list.options = tuple(requests)
        set_visible(self.widget, True)

    def close(self) -> None:
        """Hide the list, and empty it."""
        set_visible(self.widget, False)
        self._list.options = ()
        self._words.value = ""

    def _load(self) -> None:
        if self._list.value is not None:
            self._choose(self._list.value)
