r"""Turns written by hand in one cell: lines that begin with `user:`, `assistant:` or `system:`.

A backslash before such a word makes text of it: `\user:` is the text `user:`.
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
    """The system prompt and the messages that `text` spells out.

    What stands after a marker, up to the next one, is that turn's text, without the blank around
    it. A `system:` before all else is the system prompt; a last `assistant:` begins the reply.

    Raises:
        CellError: Text stands before the first marker, a turn is empty, or nobody asks.
    """
    before, *pieces = _MARKER.split(text)
    if before.strip() or not pieces:
        raise CellError(
            "--turns: text before the first marker. Begin with user:, assistant: or system: at a line's start."
        )
    turns = [(role, _NO_MARKER.sub("", said.strip())) for role, said in zip(pieces[::2], pieces[1::2], strict=True)]
    system = turns.pop(0)[1] if turns[0][0] == "system" else None
    if turns and turns[-1] == ("assistant", ""):
        turns.pop()
    if not any(role == "user" for role, _ in turns):
        raise CellError("--turns: nobody asks. Write at least one user: line.")
    for role, said in turns:
        if not said:
            raise CellError(f"--turns: an empty turn after {role}:. Write its text, or leave the marker out.")
    return system or None, [{"role": role, "content": said} for role, said in turns]


def format_turns(turns: Iterable[tuple[str, str]]) -> str:
    """The text that `marked` reads as these turns, each without the blank around it."""
    return "\n\n".join(f"{role}: {_LIKE_A_MARKER.sub(_BACKSLASH, said.strip())}" for role, said in turns)


_BACKSLASH = r"\\"  # one, as a replacement is written
