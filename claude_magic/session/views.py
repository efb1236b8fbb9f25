"""How the values of a session are shown at the end of a cell; a session knows no display of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .conversation import Conversation

Bundle = Mapping[str, str]
Row = Mapping[str, Any]


class Views(Protocol):
    """Shows conversations and the journal, as mime bundles."""

    def conversation(self, conversation: Conversation) -> Bundle: ...

    def entries(self, title: str, rows: Sequence[Row]) -> Bundle:
        """A table of journal entries."""

    def spending(self, rows: Sequence[Row], by: str) -> Any:
        """What `journal.spend` returns: a table of sums by day, model, notebook, conversation or provider."""


class TextViews:
    """Plain text, for a session without a notebook."""

    def conversation(self, conversation: Conversation) -> Bundle:
        return {"text/plain": repr(conversation)}

    def entries(self, title: str, rows: Sequence[Row]) -> Bundle:
        return {"text/plain": "\n".join([title, *map(str, rows)])}

    def spending(self, rows: Sequence[Row], by: str) -> Any:
        return list(rows)
