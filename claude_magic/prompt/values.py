"""Formats a value of the notebook as text for a prompt.

Text, JSON, source code and tracebacks are complete. Tables are limited in rows and in characters per cell; arrays,
bytes and everything else in characters; what is left out is stated. Numbers keep all their digits. Dates, decimals and
other scalar values are formatted as in a table, not as their `repr`. Types of pandas, polars and numpy are recognised
by name: a library that was never imported cannot have made a variable.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from ..errors import CellError
from .digits import all_digits
from .value_source import source_of
from .value_tables import LINE_END, TABLES, Table, pandas_values, plural

_MOST_IN_ARRAY = 1_000  # values of a numpy array that is written completely
_ROWS_IN_CELL = 10  # of a table within a table's cell
_ADDRESS = re.compile(r"<[\w.]+(?: object)?(?: [\w.<>]+)? at 0x[0-9a-fA-F]+>")  # the `repr` of what has no own one


class FormattedValue(str):
    """A value as text.

    Attributes:
        cut: What was left out, with the setting that limits it, or what has no text; `""` if it is complete.
    """

    cut: str = ""

    @classmethod
    def of(cls, text: str, cut: str = "") -> FormattedValue:
        result = cls(text)
        result.cut = cut
        return result


def format_value(value: Any, *, table_rows: int, value_chars: int) -> FormattedValue:
    """`value` as text.

    Args:
        table_rows: The most rows of a table.
        value_chars: The most characters of a table's cell, of an array, of bytes and of a `repr`.

    Raises:
        CellError: A method of the value, such as its `__repr__`, fails.
    """
    try:
        with all_digits():
            result = _format(value, table_rows, value_chars)
    except Exception as error:
        raise CellError(
            f"a variable of type {type(value).__qualname__} cannot be written: {type(error).__name__}. "
            "Put what it should say into a string, and insert that."
        ) from error
    return result if isinstance(result, FormattedValue) else FormattedValue(result)


def _format(value: Any, table_rows: int, value_chars: int) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, memoryview):
        value = value.tobytes()
    if isinstance(value, bytes | bytearray):
        return _bytes(value, value_chars)
    if isinstance(value, BaseException):
        return "".join(traceback.format_exception(value)).rstrip("\n")
    if _is_long(value):
        return _long(value, table_rows, value_chars)
    if _is(value, "numpy", "ndarray"):
        return _array(value, value_chars)
    if _is_single(value):
        return str(value)
    if _is_row(value):
        value = dict(value)
    return _json(value) or source_of(value) or _shorten(_repr_text(value, table_rows, value_chars), value_chars)


def _is_long(value: Any) -> bool:
    """Whether its own `repr` may leave values out silently: a table, a long array, a long index."""
    if any(_is(value, *name) for name in TABLES):
        return True
    if _is(value, "numpy", "ndarray"):
        return bool(value.size > _MOST_IN_ARRAY)
    return any(_is(value, "pandas", name) for name in ("Index", "ExtensionArray")) and "..." in repr(value)


def _long(value: Any, table_rows: int, value_chars: int) -> FormattedValue:
    for name, table in TABLES.items():
        if _is(value, *name):
            return _markdown(table(value, table_rows), value_chars)
    if _is(value, "numpy", "ndarray"):
        return _array(value, value_chars)
    return _markdown(pandas_values(value, table_rows), value_chars)


def _is_single(value: Any) -> bool:
    """Whether it is a scalar, such as a date, a decimal or a numpy number, whose `str` is easier to read."""
    return any(_is(value, library, name) for library, name in _SINGLE)


def _is(value: Any, library: str, name: str) -> bool:
    return any(c.__name__ == name and str(c.__module__).split(".")[0] == library for c in type(value).__mro__)


def _shorten(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    short = f"{text[:most]}\n… cut: {len(text) - most:,} characters more"
    return FormattedValue.of(short, f"first {most:,} of {len(text):,} characters sent; Claude.value_chars")


def _bytes(value: bytes | bytearray, most: int) -> str:
    start = repr(bytes(value[:most]))
    if len(value) <= most and len(start) <= most:
        return f"{len(value):,} bytes: {start}"
    cut = f"first {most:,} characters of {len(value):,} bytes sent; Claude.value_chars"
    return FormattedValue.of(f"{len(value):,} bytes, which begin: {start[:most]}…", cut)


def _array(value: Any, most: int) -> FormattedValue:
    text = sys.modules["numpy"].array2string(value, threshold=_MOST_IN_ARRAY, max_line_width=100)
    short = _shorten(text, most)
    cut = short.cut if isinstance(short, FormattedValue) else ""
    title = f"array of shape {value.shape}, dtype {value.dtype}"
    if value.size <= _MOST_IN_ARRAY:
        return FormattedValue.of(f"{title}\n\n{short}", cut)
    return FormattedValue.of(
        f"{title}\n\n{short}\n\n… stands for what is left out of {value.size:,} values",
        cut or f"only the edges of {value.size:,} values sent; insert a part of it for more",
    )


def _json(value: Any) -> str | None:
    """`value` as JSON; `None` if JSON would lose information."""
    if not isinstance(value, dict | list | tuple):
        return None
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=in_json)
    except (TypeError, ValueError, RecursionError):
        return None
    return text if _is_json(value) else None


def in_json(value: Any) -> Any:
    """A JSON value for what `json` cannot encode: numpy numbers, pandas' missing values, and scalars as text.

    Raises:
        TypeError: It is something else.
    """
    if type(value).__name__ in _NOTHING:
        return None
    if isinstance(plain_value := _number(value), bool | int | float | str):
        return plain_value
    if _is_single(value):
        return str(value)
    if _is_row(value):
        return dict(value)
    raise TypeError


def _is_row(value: Any) -> bool:
    """Whether it is a row of a database, whose `repr` is only its address."""
    return _is(value, "sqlite3", "Row")


def _number(value: Any) -> Any:
    """A numpy number as a Python number with the same digits; `None` for any other value."""
    if not _is(value, "numpy", "generic"):
        return None
    scalar = value.item()
    return float(str(value)) if isinstance(scalar, float) and not isinstance(value, float) else scalar


def _repr_text(value: Any, table_rows: int, value_chars: int) -> FormattedValue:
    """The `repr`, with scalars as their `str` and tables as tables."""
    cuts: list[str] = []

    def long(inner: Any) -> _Bare:
        result = _long(inner, table_rows, value_chars)
        cuts.append(result.cut)
        return _Bare(f"\n{result}\n")

    try:
        text = repr(_readable(value, long))
    except RecursionError:  # it holds itself
        text = repr(value)
    if match := _ADDRESS.search(text):
        cuts.append(f"{match[0]} sent; it has no text of its own")
    return FormattedValue.of(text, "; ".join(dict.fromkeys(filter(None, cuts))))


def _readable(value: Any, long: Callable[[Any], _Bare]) -> Any:
    kind = type(value)
    if kind in (list, tuple, set, frozenset, deque):
        return kind(_readable(inner, long) for inner in value)
    if kind is dict or (isinstance(value, dict) and kind.__module__ == "collections"):
        return {_readable(key, long): _readable(inner, long) for key, inner in value.items()}
    if (fields := _fields(value)) is not None:
        inner = ", ".join(f"{name}={_readable(each, long)!r}" for name, each in fields.items())
        return _Bare(f"{kind.__qualname__}({inner})")
    if isinstance(plain_value := _number(value), bool | int | float | complex | str):
        return plain_value
    if _is_single(value):
        return _Bare(str(value))
    if _is_row(value):
        return _readable(dict(value), long)
    return long(value) if _is_long(value) else value


def _fields(value: Any) -> dict[str, Any] | None:
    """The fields in the `repr` of a named tuple, dataclass or pydantic model; `None` if its `repr` is its own."""
    kind = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields") and "__repr__" in vars(kind):
        return dict(zip(kind._fields, value, strict=True))
    if dataclasses.is_dataclass(kind) and hasattr(kind.__repr__, "__wrapped__"):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(kind) if each.repr}
    if _is(value, "pydantic", "BaseModel") and kind.__repr__.__module__.startswith("pydantic"):
        return {str(name): inner for name, inner in value.__repr_args__() if name}
    return None


class _Bare(str):
    """Text whose `repr` has no quotes."""

    def __repr__(self) -> str:
        return str(self)


def _is_json(value: Any) -> bool:
    """Whether all keys are strings and no tuple is a named one; `value` must not contain itself."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, dict):
            if not all(isinstance(key, str) for key in inner):
                return False
            left.extend(inner.values())
        elif isinstance(inner, list | tuple):
            if hasattr(inner, "_fields"):
                return False
            left.extend(inner)
    return True


def _markdown(table: Table, most: int) -> FormattedValue:
    columns = list(table.columns)
    cells = [[_cell_text(cell, most) for cell in line] for line in (columns, *table.rows)]
    lines = [f"| {' | '.join(map(_cell, line))} |" for line in cells]
    lines.insert(1, f"| {' | '.join(['---'] * len(columns))} |")
    text = "\n".join(lines)
    more = table.total - len(table.rows)
    shortened = sum(bool(getattr(cell, "cut", "")) for line in cells for cell in line)
    cut = []
    if more:
        cut.append(f"first {len(table.rows):,} of {table.total:,} rows sent; Claude.table_rows")
    if shortened:
        cut.append(f"{plural(shortened, 'cell')} cut to {most:,} characters; Claude.value_chars")
    return FormattedValue.of(
        f"{table.title}\n\n{text}" + (f"\n\n… {plural(more, 'more row')}" if more else ""), "; ".join(cut)
    )


def _cell_text(value: Any, most: int) -> str:
    is_several = isinstance(value, list | dict | tuple | set)
    return _shorten(_repr_text(value, _ROWS_IN_CELL, most) if is_several else str(value), most)


def _cell(text: str) -> str:
    """`text` within a table: a bar, and backslashes before one, are escaped, a new line is `<br>`.

    Source: https://github.github.com/gfm/#tables-extension-
    """
    return LINE_END.sub("<br>", re.sub(r"(?<!\\)(\\*)\|", r"\1\1\\|", text))


_NOTHING = {"NAType", "NaTType"}
_SINGLE = (
    *(("datetime", name) for name in ("date", "time", "timedelta", "tzinfo")),
    *(("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("enum", "Enum"), ("zoneinfo", "ZoneInfo")),
    *(("pathlib", "PurePath"), ("ipaddress", "_IPAddressBase"), ("numpy", "generic")),
    *(("pandas", name) for name in ("Timestamp", "Timedelta", "Period", "Interval", "NAType", "NaTType")),
)
