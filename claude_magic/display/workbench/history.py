"""Earlier questions of the journal, found and brought back into a workbench.

They are fetched when the reader asks for them, and let go of when he has chosen: what stands in a widget is
saved with the notebook, and other notebooks' questions do not belong there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from .controls import Controls, set_visible, with_classes


class History:
    """A list of questions to choose from.

    Args:
        find: Fetches those with these words.
        choose: Brings back the one of this number.
    """

    def __init__(self, controls: Controls, find: Callable[[str], object], choose: Callable[[int], object]) -> None:
        self._find = find
        self._choose = choose
        self._words = controls.line("Words", hint="of a question or reply; empty: the last ones")
        self._list = ipywidgets.Select(description="Earlier questions", options=(), rows=8, layout=controls.layout)
        buttons = (
            controls.button("Search", self.open, hint="Look in the journal"),
            controls.button("Load", self._chosen, hint="Bring this question back into the workbench"),
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
        """Fetch and show."""
        self._find(self._words.value)

    def show(self, found: Sequence[tuple[str, int]]) -> None:
        """Offer these to choose from."""
        self._list.options = tuple(found)
        set_visible(self.widget, True)

    def close(self) -> None:
        """Hide the list, and forget it."""
        set_visible(self.widget, False)
        self._list.options = ()
        self._words.value = ""

    def _chosen(self) -> None:
        if self._list.value is not None:
            self._choose(self._list.value)
