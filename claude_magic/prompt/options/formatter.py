"""Writes the first line of a cell, as `parser` reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...errors import CellError

_PLAIN = re.compile(r"[A-Za-z0-9._@%+:,/][A-Za-z0-9._@%+=:,/-]*")


def format_line(options: Iterable[tuple[str, ...]]) -> str:
    """The first line of a cell with these options and their words.

    Raises:
        CellError: A word holds a line end.
    """
    return " ".join(" ".join((name, *(quote(name, word) for word in words))) for name, *words in options)


def quote(name: str, word: str) -> str:
    """A word as typed after the option `name`: JSON and plain words as they are, others in quotes.

    Raises:
        CellError: It holds a line end.
    """
    if len(f"{word}.".splitlines()) > 1:
        raise CellError(f"{name}: a line end cannot stand on the first line of a cell: {word[:60]!r}.")
    if _PLAIN.fullmatch(word) or name == "--param":
        return word
    if "'" not in word:
        return f"'{word}'"
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
