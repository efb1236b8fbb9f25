"""The conversations of a notebook, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import SettingsError
from ..wire.text_width import align
from . import conversation_files
from .conversation import Conversation
from .notebook import TextViews, Views


class Conversations(Mapping[str, Conversation]):
    """Conversations by name; one exists from the first time it is named.

    Args:
        views: How a conversation is displayed.
    """

    def __init__(self, views: Views | None = None) -> None:
        self._by_name: dict[str, Conversation] = {}
        self._views = views or TextViews()

    def open(self, name: str) -> Conversation:
        """The conversation of this name, empty if it is new."""
        if name not in self._by_name:
            self._by_name[name] = Conversation(name, views=self._views, conversations=self)
        return self._by_name[name]

    def load(self, path: str | Path, name: str | None = None) -> Conversation:
        """Reads a file that `save` wrote, under its own name or another.

        What the API would refuse, such as a call without a result, is left out, and printed in one line.

        Raises:
            SettingsError: It cannot be read, holds no conversation that the API accepts, or the name is in use.
        """
        own_name, turns, notes = conversation_files.read(Path(path))
        conversation = Conversation(name or own_name, turns, views=self._views, conversations=self)
        self.add(conversation)
        if notes:
            print(f"{path}: left out or changed, because the API would refuse it: {'; '.join(notes)}.")
        return conversation

    def add(self, conversation: Conversation) -> None:
        """Adds a conversation under its name.

        Raises:
            SettingsError: The name is in use.
        """
        if self._by_name.get(conversation.name):
            raise SettingsError(
                f"the conversation {conversation.name!r} has turns already. Clear it, or choose another name."
            )
        self._by_name[conversation.name] = conversation

    def __getitem__(self, name: str) -> Conversation:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        if not self._by_name:
            return "no conversations yet: %%claude -c begins one"
        rows = [(name, str(len(c)), f"{c.tokens:,}") for name, c in self._by_name.items()]
        rows.insert(0, ("name", "turns", "tokens"))
        return "\n".join(align(rows, (False, True, True)))
