"""A notebook's value, written for a prompt.

Text, JSON, source and tracebacks are whole. Tables are cut by their rows and their cells, arrays,
bytes and everything else by their characters, and then say so. Dates, decimals and other single values are written
as a table shows them, not as their `repr`. pandas, polars and numpy are recognised by the names of their types: what
was never imported cannot be a variable.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import linecache
import re
import sys
import textwrap
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

from ..errors import CellError

_MOST_IN_ARRAY = 1_000  # values of a numpy array that is written whole
_ROWS_IN_CELL = 10  # of a table within a table's cell
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


class FormattedValue(str):
    """A value as text, which knows what of it was left out.

    Attributes:
        cut: In words for the reader, with the setting that decides it; `""` if all of it is there.
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
        table_rows: Most rows of a table.
        value_chars: Most characters of a table's cell, of an array, of bytes, of a `repr`.

    Raises:
        CellError: What writes it, such as its `__repr__`, fails.
    """
    try:
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
    return _json(value) or _source(value) or _shorten(_repr_text(value, table_rows, value_chars), value_chars)


def _is_long(value: Any) -> bool:
    """Whether its own `repr` leaves values out without a word: a table, a long array, a long index."""
    if any(_is(value, *name) for name in _TABLES):
        return True
    if _is(value, "numpy", "ndarray"):
        return bool(value.size > _MOST_IN_ARRAY)
    return any(_is(value, "pandas", name) for name in ("Index", "ExtensionArray")) and "..." in repr(value)


def _long(value: Any, table_rows: int, value_chars: int) -> FormattedValue:
    for name, table in _TABLES.items():
        if _is(value, *name):
            return _markdown(table(value, table_rows), value_chars)
    if _is(value, "numpy", "ndarray"):
        return _array(value, value_chars)
    return _markdown(_pandas_values(value, table_rows), value_chars)


def _is_single(value: Any) -> bool:
    """Whether it is a date, a decimal, a number of numpy or the like, which reads better than its `repr`."""
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
    """`value` as JSON; `None` if that could not say all of it."""
    if not isinstance(value, dict | list | tuple):
        return None
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=in_json)
    except (TypeError, ValueError, RecursionError):
        return None
    return text if _is_json(value) else None


def in_json(value: Any) -> Any:
    """What JSON has no form for: numbers of numpy, nothing of pandas, and text.

    Raises:
        TypeError: It is something else.
    """
    if type(value).__name__ in _NOTHING:
        return None
    if isinstance(plain_value := _number(value), bool | int | float | str):
        return plain_value
    if _is_single(value):
        return str(value)
    raise TypeError


def _number(value: Any) -> Any:
    """A number of numpy as Python's own, with the digits that it shows; `None` for another value."""
    if not _is(value, "numpy", "generic"):
        return None
    scalar = value.item()
    return float(str(value)) if isinstance(scalar, float) and not isinstance(value, float) else scalar


def _repr_text(value: Any, table_rows: int, value_chars: int) -> FormattedValue:
    """The `repr`, with single values in it as they read, and tables as tables."""
    cuts: list[str] = []

    def long(inner: Any) -> _Bare:
        result = _long(inner, table_rows, value_chars)
        cuts.append(result.cut)
        return _Bare(f"\n{result}\n")

    try:
        text = repr(_readable(value, long))
    except RecursionError:  # it holds itself
        text = repr(value)
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
    return long(value) if _is_long(value) else value


def _fields(value: Any) -> dict[str, Any] | None:
    """What the `repr` of a named tuple, dataclass or pydantic model names; `None` if it has a `repr` of its own."""
    kind = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields") and "__repr__" in vars(kind):
        return dict(zip(kind._fields, value, strict=True))
    if dataclasses.is_dataclass(kind) and hasattr(kind.__repr__, "__wrapped__"):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(kind) if each.repr}
    if _is(value, "pydantic", "BaseModel") and kind.__repr__.__module__.startswith("pydantic"):
        return {str(name): inner for name, inner in value.__repr_args__() if name}
    return None


class _Bare(str):
    """A text that is shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _is_json(value: Any) -> bool:
    """Whether no key becomes a string and no named tuple loses its names; `value` holds no circle."""
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


def _source(value: Any) -> str | None:
    """The source of a function or a class; `None` if it is neither, or has none."""
    if not isinstance(value, type | FunctionType | MethodType) and "__wrapped__" not in getattr(value, "__dict__", ()):
        return None
    try:
        text: str | None = inspect.getsource(value)
    except (OSError, TypeError, SyntaxError):
        text = _source_in_a_cell(value) if isinstance(value, type) else None
    return textwrap.dedent(text).rstrip("\n") if text else None


def _source_in_a_cell(cls: type) -> str | None:
    """The source of a class that a cell defined, which `inspect` does not look for."""
    methods = (method for method in vars(cls).values() if isinstance(method, FunctionType))
    files = [method.__code__.co_filename for method in methods]
    cells = [file for file, entry in reversed(list(linecache.cache.items())) if len(entry) > 1 and entry[1] is None]
    for file in (*files, *cells):
        lines = linecache.getlines(file)
        for node in _classes("".join(lines), cls.__name__):
            first = min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))
            return "".join(lines[first - 1 : node.end_lineno])
    return None


def _classes(source: str, name: str) -> Iterator[ast.ClassDef]:
    """The classes called `name` in `source`, the last one first."""
    if name not in source:
        return
    try:
        nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef) and n.name == name]
    except SyntaxError:
        return
    yield from reversed(nodes)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The beginning of a table.

    Attributes:
        title: What it is, with its shape and types.
        total: Rows that the whole has.
    """

    title: str
    columns: Iterable[Any]
    rows: list[tuple[Any, ...]]
    total: int


def _markdown(table: _Table, most: int) -> FormattedValue:
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
        cut.append(f"{_many(shortened, 'cell')} cut to {most:,} characters; Claude.value_chars")
    return FormattedValue.of(
        f"{table.title}\n\n{text}" + (f"\n\n… {_many(more, 'more row')}" if more else ""), "; ".join(cut)
    )


def _cell_text(value: Any, most: int) -> str:
    is_several = isinstance(value, list | dict | tuple | set)
    return _shorten(_repr_text(value, _ROWS_IN_CELL, most) if is_several else str(value), most)


def _cell(text: str) -> str:
    """`text` within a table: a bar, and backslashes before one, are escaped, a new line is `<br>`.

    Source: https://github.github.com/gfm/#tables-extension-
    """
    return _LINE_END.sub("<br>", re.sub(r"(?<!\\)(\\*)\|", r"\1\1\\|", text))


def _pandas_frame(value: Any, most: int) -> _Table:
    return _Table(
        title=_shape(value.shape, value.dtypes.items()),
        columns=[_index_name(value), *value.columns],
        rows=list(value.iloc[:most].itertuples(name=None)),
        total=len(value),
    )


def _pandas_series(value: Any, most: int) -> _Table:
    head = value.iloc[:most]
    return _Table(
        title=f"Series of {_many(len(value), 'value')}, dtype {value.dtype}",
        columns=[_index_name(value), "value" if value.name is None else value.name],
        rows=list(zip(head.index, head, strict=True)),
        total=len(value),
    )


def _pandas_values(value: Any, most: int) -> _Table:
    """An index, or an array of pandas' own."""
    title = f"{type(value).__name__} of {_many(len(value), 'value')}, dtype {value.dtype}"
    name = getattr(value, "name", None)
    rows = [(item,) for item in value[:most]]
    return _Table(title=title, columns=["value" if name is None else name], rows=rows, total=len(value))


def _polars_frame(value: Any, most: int) -> _Table:
    types = zip(value.columns, value.dtypes, strict=True)
    rows = value.head(most).rows()
    return _Table(title=_shape(value.shape, types), columns=value.columns, rows=rows, total=value.height)


def _polars_series(value: Any, most: int) -> _Table:
    rows = [(item,) for item in value.head(most).to_list()]
    title = f"Series of {_many(len(value), 'value')}, dtype {value.dtype}"
    return _Table(title=title, columns=[value.name or "value"], rows=rows, total=len(value))


def _shape(shape: tuple[int, int], types: Iterable[tuple[Any, Any]]) -> str:
    of = ", ".join(_LINE_END.sub(" ", f"{name}: {dtype}") for name, dtype in types)
    return f"DataFrame of {_many(shape[0], 'row')} × {_many(shape[1], 'column')}" + (f" ({of})" if of else "")


def _index_name(value: Any) -> str:
    return ", ".join(str(name) for name in value.index.names if name is not None)


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)


_TABLES: dict[tuple[str, str], Callable[[Any, int], _Table]] = {
    ("pandas", "DataFrame"): _pandas_frame,
    ("pandas", "Series"): _pandas_series,
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "Series"): _polars_series,
}
_NOTHING = {"NAType", "NaTType"}
_SINGLE = (
    *(("datetime", name) for name in ("date", "time", "timedelta", "tzinfo")),
    *(("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("enum", "Enum"), ("zoneinfo", "ZoneInfo")),
    *(("pathlib", "PurePath"), ("ipaddress", "_IPAddressBase"), ("numpy", "generic")),
    *(("pandas", name) for name in ("Timestamp", "Timedelta", "Period", "Interval", "NAType", "NaTType")),
)
