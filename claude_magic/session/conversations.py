"""The conversations of a notebook, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..errors import SettingsError
from . import conversation_files
from .conversation import Conversation, turns_of


class Conversations(Mapping[str, Conversation]):
    """Names, turns and tokens; a conversation is there from the first time it is named."""

    def __init__(
        self,
        shown: Callable[[Conversation], Mapping[str, str]] | None = None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._by_name: dict[str, Conversation] = {}
        self._shown = shown
        self._tell = tell

    def open(self, name: str) -> Conversation:
        """The conversation of this name, empty if it is new."""
        if name not in self._by_name:
            self._by_name[name] = Conversation(name, shown=self._shown, keep=self._add)
        return self._by_name[name]

    def load(self, path: str | Path, name: str | None = None) -> Conversation:
        """Read what `save` wrote, under its own name or another.

        What the API would refuse, such as a call that nobody answered, is left out, and told in a line.

        Raises:
            SettingsError: It cannot be read, is no conversation that the API takes, or the name is in use.
        """
        saved, values = conversation_files.read(Path(path))
        try:
            turns, left_out = turns_of(values)
        except ValueError as error:
            raise SettingsError(
                f"not a conversation that the API takes: {path}: {error}. Mend the file, or load another."
            ) from None
        except (KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"not a conversation: {path}: a turn lacks {error}. It is what .save() wrote."
            ) from None
        conversation = Conversation(name or saved, turns, shown=self._shown, keep=self._add)
        self._add(conversation)
        if left_out:
            self._tell(f"{path}: left out or changed, for the API would refuse it: {'; '.join(left_out)}.")
        return conversation

    def _add(self, conversation: Conversation) -> None:
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
        width = max(len(name) for name, _, _ in rows)
        return "\n".join(f"{name:<{width}}  {turns:>5}  {tokens:>9}" for name, turns, tokens in rows)
