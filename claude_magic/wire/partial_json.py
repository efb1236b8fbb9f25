"""Incomplete JSON, as far as it goes: a tool's arguments while they are streamed.

An incomplete value at the end is left out: `{"a": 1, "b": "unf` is `{"a": 1}`.
"""

from __future__ import annotations

import json
import re

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*'  # without the quote that ends it
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<open>[\[{{])
    | (?P<close>[\]}}])
    | (?P<comma>,)
    | (?P<key>{_STRING}"\s*:)
    | (?P<string>{_STRING}")
    | (?P<scalar>(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?=[\s,\]}}]|\Z))
    )""",
    re.VERBOSE | re.DOTALL,
)
_CUT_VALUE = rf"(?:{_STRING}\\?|-?\d*(?:\.\d*)?(?:[eE][+-]?\d*)?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)"
_CUT_KEY = rf'(?:{_STRING}"\s*(?::\s*{_CUT_VALUE})?|{_STRING}\\?|)'
_CUT_IN = {
    "]": re.compile(rf"\s*(?:,\s*)?{_CUT_VALUE}\Z", re.DOTALL),
    "}": re.compile(rf"\s*(?:,\s*)?{_CUT_KEY}\Z", re.DOTALL),
}
_CLOSER = {"[": "]", "{": "}"}


def loads(text: str) -> object:
    """The value of `text`, which may be incomplete.

    Raises:
        ValueError: It is not JSON, nor the beginning of any, or nested too deeply.
    """
    try:
        return json.loads(text, strict=False, parse_constant=refuse_constant)
    except ValueError as error:
        try:
            return json.loads(_complete_part(text) or text, strict=False, parse_constant=refuse_constant)
        except ValueError:
            raise error from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def refuse_constant(name: str) -> None:
    """Refuses `NaN`, `Infinity` and `-Infinity`, which Python reads although they are not JSON.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{name} is not JSON")


def _complete_part(text: str) -> str:
    """`text` up to its last complete value, with every open bracket closed; `""` if more than one token follows it."""
    closers: list[str] = []
    after_key = False
    end = position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastgroup
        if kind == "open":
            closers.append(_CLOSER[match["open"]])
        elif kind == "close" and closers:
            closers.pop()
        if kind in ("open", "close", "scalar") or (kind == "string" and (after_key or closers[-1:] != ["}"])):
            end = position
        after_key = kind == "key"
    if closers and not _CUT_IN[closers[-1]].match(text, end):
        return ""
    return text[:end] + "".join(reversed(closers))
