"""A conversation: turns in order, each added only when its reply is complete.

It changes only at its end, where turns are added or removed; so the next request always replays what was really said.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..concurrency import Lock
from ..errors import CellError
from ..wire.history import without_thinking
from ..wire.short_text import Array, ShortRepr
from . import conversation_files

if TYPE_CHECKING:
    from .conversations import Conversations
    from .notebook import Views


@dataclass(frozen=True, kw_only=True, repr=False)
class ConversationTurn(ShortRepr):
    """The messages that one cell added.

    Attributes:
        cell: The cell that sent it; when that cell runs again, this turn is replaced.
        messages: The API's JSON: the user's messages, tool calls and results, and the reply last.
        model: The model that answered.
        frame: What thinking blocks are bound to: model, system prompt and tools, as one digest.
        usage: The tokens of its requests, as the API's JSON.
        began: When it was added, in ISO 8601.
    """

    cell: str
    messages: tuple[Mapping[str, Any], ...]
    model: str = ""
    frame: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    began: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"))

    @functools.cached_property
    def without_thinking(self) -> tuple[Mapping[str, Any], ...]:
        """The messages as another model may see them; the same values where there was no thinking."""
        return without_thinking(self.messages)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a conversation changes when the reply to a prompt is added.

    Attributes:
        turns: The turns that stay.
        replaces: Whether turns after them are replaced: the cell ran before, or the conversation begins anew.
        removals: The number of turns that are removed without a new one in their place.
        anew: Whether the conversation begins anew.
    """

    turns: tuple[ConversationTurn, ...]
    replaces: bool = False
    removals: int = 0
    anew: bool = False

    @property
    def note(self) -> str:
        """What changes in the turns before, for the user; `""` if nothing."""
        if not self.replaces:
            return ""
        if self.anew:
            return f"begun anew: {self.removals} turn{'s' * (self.removals > 1)} removed"
        first = len(self.turns) + 2
        several = f", turns {first} to {first + self.removals - 1} removed"
        return f"re-run: turn {first - 1} replaced" + ("", f", turn {first} removed", several)[min(self.removals, 2)]


def messages_of(turns: Iterable[ConversationTurn], frame: str) -> list[Mapping[str, Any]]:
    """The messages of turns, as a request replays them; thinking that is bound to another frame is left out."""
    return [message for turn in turns for message in (turn.messages if turn.frame == frame else turn.without_thinking)]


class Conversation:
    """Turns that are remembered under a name.

    Args:
        views: How it is displayed; `None` for its repr.
        conversations: Those of the notebook, to which a fork is added.
    """

    # so that `.system = ...`, which no request reads, is an error
    __slots__ = ("__weakref__", "_conversations", "_lock", "_turns", "_views", "name")

    def __init__(
        self,
        name: str,
        turns: Iterable[ConversationTurn] = (),
        *,
        views: Views | None = None,
        conversations: Conversations | None = None,
    ) -> None:
        self.name = name
        self._turns = tuple(turns)
        self._views = views
        self._conversations = conversations
        self._lock = Lock()

    @property
    def turns(self) -> tuple[ConversationTurn, ...]:
        return self._turns

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """All messages, as the API's JSON; a copy."""
        return Array(copy.deepcopy([message for turn in self._turns for message in turn.messages]))

    @property
    def tokens(self) -> int:
        """Input and output tokens of all its turns."""
        names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
        return sum(int(turn.usage.get(name) or 0) for turn in self._turns for name in names)

    def plan(self, cell: str) -> Plan:
        """What stays if `cell` sends a prompt now: all turns, or those before its own."""
        turns = self._turns
        for index, turn in enumerate(turns):
            if cell and turn.cell == cell:
                return Plan(turns=turns[:index], replaces=True, removals=len(turns) - index - 1)
        return Plan(turns=turns)

    def plan_anew(self) -> Plan:
        """Nothing stays."""
        return Plan(turns=(), replaces=bool(self._turns), removals=len(self._turns), anew=True)

    def add(self, plan: Plan, turn: ConversationTurn) -> None:
        """Replaces the conversation by the turns that `plan` keeps, and `turn`.

        Raises:
            CellError: Another cell has changed it meanwhile; it stays as that cell left it.
        """
        with self._lock:
            if self._turns[: len(plan.turns)] != plan.turns or (
                not plan.replaces and len(self._turns) != len(plan.turns)
            ):
                raise CellError(
                    f"the conversation {self.name!r} was changed while this reply was written: "
                    "the reply is kept in claude.last, but not in the conversation. Ask again."
                )
            self._turns = (*plan.turns, turn)

    def undo(self, turns: int = 1) -> Conversation:
        """Removes the last turn, or the last few."""
        with self._lock:
            self._turns = self._turns[: max(0, len(self._turns) - turns)]
        return self

    def clear(self) -> Conversation:
        """Removes all turns."""
        return self.undo(len(self._turns))

    def fork(self, name: str) -> Conversation:
        """A copy under another name; from here on the two are independent.

        Raises:
            SettingsError: The name is in use.
        """
        fork = Conversation(name, self._turns, views=self._views, conversations=self._conversations)
        if self._conversations is not None:
            self._conversations.add(fork)
        return fork

    def save(self, path: str | Path) -> Path:
        """Writes it to a file, as readable JSON.

        Raises:
            SettingsError: The file cannot be written.
        """
        return conversation_files.write(Path(path), self.name, self._turns)

    def __len__(self) -> int:
        return len(self._turns)

    def __repr__(self) -> str:
        return f"conversation {self.name!r}: {len(self._turns)} turns, {self.tokens:,} tokens"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        return self._views.conversation(self) if self._views else {"text/plain": repr(self)}
