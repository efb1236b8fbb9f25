"""The text that a workbench produces: a cell, a program, a preview; copied or inserted by a script in the page.

The text is always shown too, so that it can be copied by hand where the page allows no script.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from ...concurrency import Lock, start_timer
from . import script
from .controls import Controls, set_visible

_SECONDS = 6.0  # after which an order that no page has carried out is withdrawn


class Source:
    """The text, and the orders to copy or insert it.

    Args:
        tell: Shows a sentence in the status line.
    """

    def __init__(self, controls: Controls, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._order = controls.html(name="cm-order")
        self._text = controls.text("Text", name="cm-source")
        self._said = ("", "")
        self._lock = Lock()
        done = controls.button("done", lambda: self._on_answer(0), name="cm-done cm-hidden")
        undone = controls.button("not done", lambda: self._on_answer(1), name="cm-not-done cm-hidden")
        close = controls.button("Close", self.close, hint="Hide this text")
        self._seen = controls.column(self._text, controls.row(close, name="cm-actions"))
        self.widget = controls.column(self._order, done, undone, self._seen)
        set_visible(self._seen, False)

    def show(self, title: str, text: str) -> None:
        """Show a text to read."""
        self._text.description, self._text.value = title, text
        set_visible(self._seen, True)

    def copy(self, title: str, text: str) -> None:
        """Copy a text to the clipboard."""
        self.show(title, text)
        self._begin(
            "copy",
            text,
            done=f"Copied: {title}.",
            undone="The page may not write to the clipboard: select the text below, and copy it.",
        )

    def insert(self, title: str, text: str) -> None:
        """Insert a text as a new cell of the notebook."""
        self.show(title, text)
        self._begin(
            "insert",
            text,
            done="The cell stands below. It was not run.",
            undone="This page has no way to add a cell: copy the text below into one.",
        )

    def close(self) -> None:
        """Hide the text, and empty the field."""
        set_visible(self._seen, False)
        self._text.value = ""

    def _begin(self, act: str, text: str, *, done: str, undone: str) -> None:
        name = uuid.uuid4().hex
        with self._lock:
            self._said = (done, undone)
            self._order.value = script.order(act, text, name)
        self._tell("The text stands below.")
        start_timer(_SECONDS, self._take_back, name)

    def _on_answer(self, which: int) -> None:
        """Handle the result that the page reports for the order."""
        with self._lock:
            if not self._order.value:
                return
            messages, act = self._said, self._order.value
            self._order.value = ""
        self._tell(messages[which])
        if which == 0 and 'data-act="insert"' in act:
            self.close()

    def _take_back(self, name: str) -> None:
        with self._lock:
            if name not in self._order.value:
                return
            self._order.value = ""
        self._tell(self._said[1])
