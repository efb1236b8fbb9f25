"""Unique tool names that the API accepts.

A tool is named `SERVER__TOOL`, as in Claude Code, so that no server can pose as a function of the notebook or as
another server.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from ...errors import CellError

_LONGEST = 128  # characters of a tool's name; https://docs.anthropic.com/en/api/messages
_LONGEST_SERVER = 40
_SERVER = re.compile(r"[A-Za-z0-9-]+(_[A-Za-z0-9-]+)*")  # no `__`, and no `_` at an end: the first `__` ends it
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


def check(server: str) -> None:
    """Checks that a server's name can be part of a tool's name.

    Raises:
        CellError: It is too long or has invalid characters.
    """
    if len(server) > _LONGEST_SERVER or not _SERVER.fullmatch(server):
        raise CellError(
            f"{server[:60]!r} cannot name a server. Use up to {_LONGEST_SERVER} letters, digits, - and single _."
        )


def names(server: str, tools: Sequence[str]) -> list[str]:
    """A name for each tool of `server`, in order.

    A tool keeps its own name after the prefix if the API accepts it.
    """
    candidates = [f"{server}__{tool}" for tool in tools]
    chosen: dict[int, str] = {}
    used: set[str] = set()
    for number, name in enumerate(candidates):
        if _shorten(name) == name and name not in used:
            chosen[number] = name
            used.add(name)
    for number, name in enumerate(candidates):
        if number not in chosen:
            chosen[number] = _free(_shorten(name), used)
            used.add(chosen[number])
    return [chosen[number] for number in range(len(candidates))]


def _shorten(name: str) -> str:
    legal = _ILLEGAL.sub("_", name)
    if len(legal) <= _LONGEST:
        return legal
    return f"{legal[: _LONGEST - 9]}_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _free(name: str, used: set[str]) -> str:
    count, free = 2, name
    while free in used:
        ending = f"_{count}"
        free = name[: _LONGEST - len(ending)] + ending
        count += 1
    return free
