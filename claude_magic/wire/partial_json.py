"""Incomplete JSON, as far as it goes: a tool's arguments while they are streamed.

An incomplete value at the end is left out: `{"a": 1, "b": "unf` is `{"a": 1}`.
"""

from __future__ import annotations

import json
import math
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
        return loads_strict(text, strict=False)
    except ValueError as error:
        try:
            return loads_strict(_complete_part(text) or text, strict=False)
        except ValueError:
            raise error from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def loads_strict(text: str, *, strict: bool = True) -> object:
    """The value of complete JSON, which can be sent again.

    Args:
        strict: Whether control characters within strings are refused.

    Raises:
        ValueError: It is not JSON, or holds `NaN`, `Infinity` or a number that Python reads as infinite.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, strict=strict, parse_constant=_refuse_constant, parse_float=_finite_number)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


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
