"""JSON that may have been cut off, as far as it goes: a tool's arguments while they stream.

What is unfinished is left out: `{"a": 1, "b": "unf` is `{"a": 1}`.
"""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<comma>,)
    | (?P<key>"(?:[^"\\]|\\.)*"\s*:)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<scalar>(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?=[\s,\]}]|\Z))
    )""",
    re.VERBOSE | re.DOTALL,
)
_CLOSER = {"[": "]", "{": "}"}


def loads(text: str) -> object:
    """The value that `text` holds, or holds so far.

    Raises:
        ValueError: It is not JSON, nor the beginning of any.
    """
    try:
        return json.loads(text, strict=False)
    except ValueError as error:
        if not (begun := _finished(text)):
            raise
        try:
            return json.loads(begun, strict=False)
        except ValueError:
            raise error from None


def _finished(text: str) -> str:
    """`text` up to its last finished value, with every open bracket closed; `""` if there is none."""
    closers: list[str] = []
    after_key = False
    best, best_closers = 0, ""
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastgroup
        if kind == "open":
            closers.append(_CLOSER[match["open"]])
        elif kind == "close" and closers:
            closers.pop()
        finished = kind in ("open", "close", "scalar") or (kind == "string" and (after_key or closers[-1:] != ["}"]))
        after_key = kind == "key"
        if finished:
            best, best_closers = position, "".join(reversed(closers))
    return text[:best] + best_closers
