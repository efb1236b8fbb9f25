r"""Reads turns written in one cell: lines that begin with `user:`, `assistant:` or `system:`.

A backslash before such a word makes it plain text: `\user:` is the text `user:`. In text with turns of its own, the
lines of an inserted variable are plain text too; a text without any may have all its turns from a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import CellError

_MARKER = re.compile(r"^(user|assistant|system):[ \t]*", re.MULTILINE)
_WORD = r"(?:user|assistant|system):"
_NO_MARKER = re.compile(rf"^\\(?=\\*{_WORD})", re.MULTILINE)
_LIKE_A_MARKER = re.compile(rf"^(?=\\*{_WORD})", re.MULTILINE)


def parse_turns(text: str) -> tuple[str | None, list[dict[str, Any]]]:
    """The system prompt (`None` without one) and the messages that `text` holds.

    The text between two markers is that turn's, stripped. A first `system:` is the system prompt; a last `assistant:`
    with text begins the reply.

    Raises:
        CellError: Text stands before the first marker, a turn is empty, or there is no user turn.
    """
    before, *pieces = _MARKER.split(text)
    if before.strip() or not pieces:
        raise CellError(
            "--turns: text before the first marker. Begin with user:, assistant: or system: at a line's start."
        )
    turns = [(role, _NO_MARKER.sub("", text.strip())) for role, text in zip(pieces[::2], pieces[1::2], strict=True)]
    system = turns.pop(0)[1] if turns[0][0] == "system" else None
    if turns and turns[-1] == ("assistant", ""):
        turns.pop()
    if not any(role == "user" for role, _ in turns):
        raise CellError("--turns: there is no user turn. Write at least one user: line.")
    for role, content in turns:
        if not content:
            raise CellError(f"--turns: an empty turn after {role}:. Write its text, or leave the marker out.")
    return system or None, [{"role": role, "content": content} for role, content in turns]


def has_markers(text: str) -> bool:
    """Whether a line of it begins a turn."""
    return _MARKER.search(text) is not None


def escape_lines(text: str) -> str:
    """Text that is inserted into a turn: none of its lines but the first, whose place is not known, begins a turn."""
    first, newline, rest = text.partition("\n")
    return f"{first}{newline}{_LIKE_A_MARKER.sub(_BACKSLASH, rest)}" if rest else text


def format_turns(turns: Iterable[tuple[str, str]]) -> str:
    """The text that `parse_turns` reads as these turns, stripped."""
    return "\n\n".join(f"{role}: {_LIKE_A_MARKER.sub(_BACKSLASH, text.strip())}" for role, text in turns)


_BACKSLASH = r"\\"  # one, as a replacement is written
