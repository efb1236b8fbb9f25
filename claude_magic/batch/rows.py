"""The rows that `claude.map` takes: texts, mappings, or a DataFrame."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import CellError
from ..prompt.digits import short_float_rows

COLUMN = "prompt"  # the column of rows that are texts

Row = Mapping[str, Any]


def rows_of(given: Any) -> list[Row]:
    """The rows of `given`; a text is a row with the one column `prompt`.

    Raises:
        CellError: It is no table.
    """
    if is_frame(given):
        columns = [str(name) for name in given.columns]
        values = short_float_rows(list(given.itertuples(index=False, name=None)), list(given.dtypes))
        return [dict(zip(columns, row, strict=True)) for row in values]
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise CellError(f"claude.map takes a list of texts or dicts, or a DataFrame, not {type(given).__name__}.")
    rows: list[Row] = []
    for number, each in enumerate(given):
        if isinstance(each, Mapping):
            rows.append({str(name): value for name, value in each.items()})
        elif isinstance(each, str):
            rows.append({COLUMN: each})
        else:
            raise CellError(f"row {number} is neither a text nor a dict, but {type(each).__name__}. Nothing was sent.")
    return rows


def columns_of(given: Any, rows: Sequence[Row]) -> list[str]:
    """The names of all columns, in order; a DataFrame may have one twice."""
    if is_frame(given):
        return [str(name) for name in given.columns]
    return list(dict.fromkeys(name for row in rows for name in row))


def is_frame(given: Any) -> bool:
    """Whether it is a pandas DataFrame; pandas is not imported to find out."""
    return any(
        f"{each.__module__}.{each.__name__}".startswith("pandas.") and each.__name__ == "DataFrame"
        for each in type(given).__mro__
    )


def readable(rows: Sequence[Row]) -> list[Row]:
    """The rows as their author knows them, which is how they are written and compared.

    pandas turns the integers of a column with gaps into floats, and dates into timestamps: whole numbers in a column
    with gaps become integers again, and timestamps that are all at midnight become dates.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    reads = {name: read for name in columns if (read := _reading([row[name] for row in rows if name in row]))}
    if not reads:
        return list(rows)
    return [{name: reads[name](value) if name in reads else value for name, value in row.items()} for row in rows]


def is_missing(value: Any) -> bool:
    """Whether it is a missing value: None, NaN, NaT or NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, numbers.Number) and bool(value != value)  # so is only NaN


def _reading(values: Sequence[Any]) -> Callable[[Any], Any] | None:
    """The function that converts the values of a column; `None` to keep them."""
    there = [value for value in values if not is_missing(value)]
    gaps = any(isinstance(value, float) and math.isnan(value) for value in values)
    if gaps and there and all(isinstance(value, float) and value.is_integer() for value in there):
        return lambda value: value if is_missing(value) else int(value)
    if there and all(_is_midnight(value) for value in there):
        return lambda value: value if is_missing(value) else value.date()
    return None


def _is_midnight(value: Any) -> bool:
    return type(value).__name__ == "Timestamp" and value.tz is None and value == value.normalize()


def refuse_taken(columns: Sequence[str], new: Sequence[str]) -> None:
    """Refuses to replace columns of the table.

    Raises:
        CellError: There are some; nothing was sent.
    """
    taken = [name for name in new if name in columns]
    if taken:
        raise CellError(
            f"the table has {', '.join(map(repr, taken))} already, and nothing of it is overwritten. Nothing was sent. "
            f"Drop or rename them, as with df.drop(columns={taken!r}), or say prefix='other_'."
        )


def with_columns(frame: Any, columns: Mapping[str, list[Any]], prefix: str = "") -> Any:
    """A copy of a DataFrame with these columns after its own."""
    import pandas

    copy = frame.copy()
    for name, values in columns.items():
        copy[prefix + name] = pandas.Series(values, index=frame.index, dtype=_DTYPES.get(name) or _dtype(values))
    return copy


def _dtype(grades: Sequence[Any]) -> str:
    """The pandas type of a column of grades."""
    there = [grade for grade in grades if not is_missing(grade)]
    if all(type(grade).__name__ in ("bool", "bool_") for grade in there):
        return "boolean"
    if all(isinstance(grade, numbers.Integral) and not isinstance(grade, bool) for grade in there):
        return "Int64"
    return "float64" if all(isinstance(grade, float) for grade in there) else "object"


_DTYPES = {
    **dict.fromkeys(("reply", "error", "stop_reason"), "object"),
    **dict.fromkeys(("input_tokens", "output_tokens"), "Int64"),
    **dict.fromkeys(("usd", "seconds"), "float64"),
}
