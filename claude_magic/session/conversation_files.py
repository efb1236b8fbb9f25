"""Conversations in files: readable JSON, written as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from ..wire.history import history
from ..wire.message_rules import form_problems, problems

if TYPE_CHECKING:
    from .conversation import ConversationTurn

_FORM = "claude-magic conversation 1"


def write(path: Path, name: str, turns: Iterable[ConversationTurn]) -> Path:
    """Writes `turns` to `path`.

    Raises:
        SettingsError: The file cannot be written; an earlier file is untouched.
    """
    value = {"form": _FORM, "name": name, "turns": _as_json(turns)}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", errors="replace")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SettingsError(
            f"the conversation cannot be written: {path}: {error.strerror}. Choose another place."
        ) from None
    return path


def read(path: Path) -> tuple[str, tuple[ConversationTurn, ...], tuple[str, ...]]:
    """The name and the turns in `path`, and what was left out because the API would refuse it.

    Raises:
        SettingsError: It cannot be read, or holds no conversation that the API accepts.
    """
    name, values = _read_json(path)
    try:
        turns, notes = _turns(values)
    except ValueError as error:
        raise SettingsError(
            f"not a conversation that the API takes: {path}: {error}. Mend the file, or load another."
        ) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"not a conversation: {path}: a turn lacks {error}. It is what .save() wrote.") from None
    return name, turns, notes


def _read_json(path: Path) -> tuple[str, list[Any]]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the conversation cannot be read: {path}: {error.strerror}. Look at the path.") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"not a conversation: {path}: {str(error)[:120]}. It is what .save() wrote.") from None
    if not isinstance(value, dict) or value.get("form") != _FORM or not isinstance(value.get("turns"), list):
        raise SettingsError(f"not a conversation: {path} lacks {_FORM!r}. It is what .save() wrote.")
    return str(value.get("name") or "main"), value["turns"]


def _turns(values: Iterable[Any]) -> tuple[tuple[ConversationTurn, ...], tuple[str, ...]]:
    """The turns that JSON describes, and what was left out; thinking after a turn edited by hand is, too.

    Raises:
        ValueError: The JSON has another form, or nothing in it can be sent.
    """
    from .conversation import ConversationTurn

    turns: list[ConversationTurn] = []
    notes: list[str] = []
    before, edited = "", False
    for number, value in enumerate(values, 1):
        messages = tuple(value["messages"])
        for problem in form_problems(messages):
            raise ValueError(f"turn {number}: {problem.text}")
        valid = history(messages, closed=True)
        notes += valid.notes
        edited = edited or value.get("digest") != digest(before, messages) or valid.messages != messages
        before = str(value.get("digest"))
        turn = ConversationTurn(
            cell=str(value.get("cell", "")),
            messages=valid.messages,
            model=str(value.get("model", "")),
            frame="" if edited else str(value.get("frame", "")),
            usage=dict(value.get("usage") or {}),
            began=str(value.get("asked", "")),
        )
        turns += [turn] if turn.messages else []
    next_one = {"role": "user", "content": "and then?"}
    for problem in problems(history([*(m for turn in turns for m in turn.messages), next_one]).messages):
        raise ValueError(problem.text)
    return tuple(turns), tuple(dict.fromkeys(notes))


def _as_json(turns: Iterable[ConversationTurn]) -> list[Mapping[str, Any]]:
    """Turns as JSON, each with a digest of all messages up to it, so that an edited file is noticed."""
    rows: list[Mapping[str, Any]] = []
    before = ""
    for turn in turns:
        before = digest(before, turn.messages)
        row = {"cell": turn.cell, "asked": turn.began, "model": turn.model, "frame": turn.frame, "usage": turn.usage}
        rows.append({**row, "messages": turn.messages, "digest": before})
    return rows


def digest(*values: object) -> str:
    """A short digest of what the values are as JSON."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
