"""The beginning of a table of pandas or polars; both are recognised by the names of their types, not imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .digits import short_float_rows, short_floats

LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, kw_only=True)
class Table:
    """The first rows of a table.

    Attributes:
        title: Its type, with its shape and the types of its columns.
        total: The number of rows of the whole table.
    """

    title: str
    columns: Iterable[Any]
    rows: list[tuple[Any, ...]]
    total: int


def plural(number: int, noun: str) -> str:
    """Such as `1 row` or `2,000 rows`."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def _pandas_frame(value: Any, most: int) -> Table:
    return Table(
        title=_shape(value.shape, value.dtypes.items()),
        columns=[_index_name(value), *value.columns],
        rows=short_float_rows(list(value.iloc[:most].itertuples(name=None)), list(value.dtypes), first=1),
        total=len(value),
    )


def _pandas_series(value: Any, most: int) -> Table:
    head = value.iloc[:most]
    return Table(
        title=f"Series of {plural(len(value), 'value')}, dtype {value.dtype}",
        columns=[_index_name(value), "value" if value.name is None else value.name],
        rows=list(zip(head.index, short_floats(list(head), value.dtype), strict=True)),
        total=len(value),
    )


def pandas_values(value: Any, most: int) -> Table:
    """An index, or an array of pandas' own."""
    title = f"{type(value).__name__} of {plural(len(value), 'value')}, dtype {value.dtype}"
    name = getattr(value, "name", None)
    rows = [(item,) for item in short_floats(list(value[:most]), value.dtype)]
    return Table(title=title, columns=["value" if name is None else name], rows=rows, total=len(value))


def _polars_frame(value: Any, most: int) -> Table:
    types = zip(value.columns, value.dtypes, strict=True)
    rows = short_float_rows(value.head(most).rows(), list(value.dtypes))
    return Table(title=_shape(value.shape, types), columns=value.columns, rows=rows, total=value.height)


def _polars_series(value: Any, most: int) -> Table:
    rows = [(item,) for item in short_floats(value.head(most).to_list(), value.dtype)]
    title = f"Series of {plural(len(value), 'value')}, dtype {value.dtype}"
    return Table(title=title, columns=[value.name or "value"], rows=rows, total=len(value))


def _shape(shape: tuple[int, int], types: Iterable[tuple[Any, Any]]) -> str:
    of = ", ".join(LINE_END.sub(" ", f"{name}: {dtype}") for name, dtype in types)
    return f"DataFrame of {plural(shape[0], 'row')} × {plural(shape[1], 'column')}" + (f" ({of})" if of else "")


def _index_name(value: Any) -> str:
    return ", ".join(str(name) for name in value.index.names if name is not None)


TABLES: dict[tuple[str, str], Callable[[Any, int], Table]] = {
    ("pandas", "DataFrame"): _pandas_frame,
    ("pandas", "Series"): _pandas_series,
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "Series"): _polars_series,
}
"""For the library and name of a type: the function from a value and a number of rows to its table."""
