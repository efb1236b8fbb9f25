"""What a session knows of the notebook around it: its cells, and how it displays values.

Plain Python has neither: `NoCells` and `TextViews` stand in their place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .conversation import Conversation

Bundle = Mapping[str, str]
Row = Mapping[str, Any]


class Cells(Protocol):
    """The cells of a notebook."""

    @property
    def notebook(self) -> str:
        """The path of the notebook; `""` if unknown."""

    @property
    def has_name(self) -> bool:
        """Whether the running cell has a name that stays the same when it runs again."""

    def next(self) -> str:
        """A name for the next request of the running cell."""

    def lasting(self, name: str) -> str:
        """A form of `name` that is the same when the cell runs again."""


class NoCells:
    """Plain Python: each request stands alone."""

    notebook = ""
    has_name = False

    def next(self) -> str:
        return os.urandom(16).hex()

    def lasting(self, name: str) -> str:
        return name


class Changes(Protocol):
    """Asks the user before something is changed at the API."""

    def delete(self, path: str) -> None:
        """Deletes what is at `path`, once the user has said so; that may be later.

        Raises:
            CellError: Nobody can be asked.
        """


class Views(Protocol):
    """Displays conversations and the journal, as mime bundles."""

    def conversation(self, conversation: Conversation) -> Bundle: ...

    def entries(self, title: str, rows: Sequence[Row]) -> Bundle:
        """A table of journal entries."""

    def spending(self, rows: Sequence[Row], by: str) -> Any:
        """The result of `journal.spend`: a table of sums by day, model, notebook, conversation or provider."""

    def usage(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Bundle:
        """A table of what a kernel has used."""


class TextViews:
    """Plain text."""

    def conversation(self, conversation: Conversation) -> Bundle:
        return {"text/plain": repr(conversation)}

    def entries(self, title: str, rows: Sequence[Row]) -> Bundle:
        return {"text/plain": "\n".join([title, *map(str, rows)])}

    def spending(self, rows: Sequence[Row], by: str) -> Any:
        return list(rows)

    def usage(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Bundle:
        return {}
