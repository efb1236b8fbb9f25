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
    wanted = [f"{server}__{tool}" for tool in tools]
    found: dict[int, str] = {}
    taken: set[str] = set()
    for number, name in enumerate(wanted):
        if _shorten(name) == name and name not in taken:
            found[number] = name
            taken.add(name)
    for number, name in enumerate(wanted):
        if number not in found:
            found[number] = _free(_shorten(name), taken)
            taken.add(found[number])
    return [found[number] for number in range(len(wanted))]


def _shorten(name: str) -> str:
    legal = _ILLEGAL.sub("_", name)
    if len(legal) <= _LONGEST:
        return legal
    return f"{legal[: _LONGEST - 9]}_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _free(name: str, taken: set[str]) -> str:
    count, free = 2, name
    while free in taken:
        ending = f"_{count}"
        free = name[: _LONGEST - len(ending)] + ending
        count += 1
    return free
