"""A conversation: turns in order, each added only when its reply is whole.

Nothing in it changes but by adding a turn at its end, or by dropping turns from its end; so what
the next request replays is always what was really said.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..concurrency import Lock
from ..errors import CellError
from ..wire.history import history, without_thinking
from ..wire.message_rules import form_problems, problems
from ..wire.short_text import Array, ShortRepr
from . import conversation_files


@dataclass(frozen=True, kw_only=True, repr=False)
class Turn(ShortRepr):
    """What one cell added.

    Attributes:
        cell: Which cell asked; the same cell asking again replaces this turn.
        messages: The API's JSON: what was asked, and the reply last.
        model: The model that was asked.
        frame: What thinking blocks are bound to: model, system prompt and tools, as one digest.
        usage: The tokens of its request, as the API's JSON.
        asked: When, in ISO 8601.
    """

    cell: str
    messages: tuple[Mapping[str, Any], ...]
    model: str = ""
    frame: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    asked: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"))

    @functools.cached_property
    def without_thinking(self) -> tuple[Mapping[str, Any], ...]:
        """The messages as another model may see them; the same values where there was no thinking."""
        return without_thinking(self.messages)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a cell that is about to ask would make of its conversation.

    Attributes:
        kept: The turns that stay.
        replaces: Whether the cell had asked before.
        dropped: How many turns after its own would go.
    """

    kept: tuple[Turn, ...]
    replaces: bool = False
    dropped: int = 0

    @property
    def note(self) -> str:
        """What the reader should know; `""` if nothing."""
        if not self.replaces:
            return ""
        later = f", and dropped the {self.dropped} after it" if self.dropped > 1 else ", and dropped the one after it"
        return "asked again: replaced its turn" + later * bool(self.dropped)

    def messages(self, frame: str) -> list[Mapping[str, Any]]:
        """What a request replays; thinking is left out where `frame` is not the one it is bound to."""
        return [
            message
            for turn in self.kept
            for message in (turn.messages if turn.frame == frame else turn.without_thinking)
        ]


class Conversation:
    """Turns that are remembered under a name."""

    def __init__(
        self,
        name: str,
        turns: Iterable[Turn] = (),
        *,
        shown: Callable[[Conversation], Mapping[str, str]] | None = None,
        keep: Callable[[Conversation], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._turns = tuple(turns)
        self._shown = shown
        self._keep = keep
        self._lock = Lock()

    @property
    def turns(self) -> tuple[Turn, ...]:
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
        """What stays when `cell` asks now: all, or what came before its own turn."""
        turns = self._turns
        for index, turn in enumerate(turns):
            if turn.cell == cell:
                return Plan(kept=turns[:index], replaces=True, dropped=len(turns) - index - 1)
        return Plan(kept=turns)

    def add(self, plan: Plan, turn: Turn) -> None:
        """Make `plan` and `turn` the conversation.

        Raises:
            CellError: Another cell has changed it meanwhile; it stays as that cell left it.
        """
        with self._lock:
            if self._turns[: len(plan.kept)] != plan.kept or (not plan.replaces and len(self._turns) != len(plan.kept)):
                raise CellError(
                    f"the conversation {self.name!r} was changed while this reply was written: "
                    "the reply is kept in claude.last, but not in the conversation. Ask again."
                )
            self._turns = (*plan.kept, turn)

    def undo(self, turns: int = 1) -> Conversation:
        """Drop the last turn, or the last few."""
        with self._lock:
            self._turns = self._turns[: max(0, len(self._turns) - turns)]
        return self

    def clear(self) -> Conversation:
        """Drop all turns."""
        return self.undo(len(self._turns))

    def fork(self, name: str) -> Conversation:
        """A copy under another name that goes its own way from here.

        Raises:
            SettingsError: The name is in use.
        """
        made = Conversation(name, self._turns, shown=self._shown, keep=self._keep)
        self._keep(made)
        return made

    def save(self, path: str | Path) -> Path:
        """Write it to a file, as JSON that people can read.

        Raises:
            SettingsError: The file cannot be written.
        """
        return conversation_files.write(Path(path), self.name, _as_json(self._turns))

    def __len__(self) -> int:
        return len(self._turns)

    def __repr__(self) -> str:
        return f"conversation {self.name!r}: {len(self._turns)} turns, {self.tokens:,} tokens"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        return self._shown(self) if self._shown else {"text/plain": repr(self)}


def turns_of(values: Iterable[Any]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Turns as `save` wrote them, and what of them was left out, for the API would refuse it.

    Thinking after a turn that was edited by hand is left out.

    Raises:
        ValueError: They are not of that form, or nothing could be made of them that the API takes.
    """
    turns: list[Turn] = []
    notes: list[str] = []
    before, edited = "", False
    for number, value in enumerate(values, 1):
        messages = tuple(value["messages"])
        for problem in form_problems(messages):
            raise ValueError(f"turn {number}: {problem.text}")
        left = history(messages, closed=True)
        notes += left.notes
        edited = edited or value.get("digest") != digest(before, messages) or left.messages != messages
        before = str(value.get("digest"))
        turn = Turn(
            cell=str(value.get("cell", "")),
            messages=left.messages,
            model=str(value.get("model", "")),
            frame="" if edited else str(value.get("frame", "")),
            usage=dict(value.get("usage") or {}),
            asked=str(value.get("asked", "")),
        )
        turns += [turn] if turn.messages else []
    next_one = {"role": "user", "content": "and then?"}
    for problem in problems(history([*(m for turn in turns for m in turn.messages), next_one]).messages):
        raise ValueError(problem.text)
    return tuple(turns), tuple(dict.fromkeys(notes))


def digest(*values: object) -> str:
    """A short name for what JSON says the same."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _as_json(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """As JSON, each with a digest of all that was said up to it, so that an edited file is noticed."""
    rows: list[dict[str, Any]] = []
    before = ""
    for turn in turns:
        before = digest(before, turn.messages)
        row = {"cell": turn.cell, "asked": turn.asked, "model": turn.model, "frame": turn.frame, "usage": turn.usage}
        rows.append({**row, "messages": turn.messages, "digest": before})
    return rows
