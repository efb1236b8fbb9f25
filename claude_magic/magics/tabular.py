"""What `claude.map` is given, as rows: texts, mappings, or a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import CellError

COLUMN = "prompt"  # the column of rows that are only texts

Row = Mapping[str, Any]


def rows_of(given: Any) -> list[Row]:
    """The rows of `given`; a text is a row with the column `prompt`.

    Raises:
        CellError: It is no table.
    """
    if is_frame(given):
        columns = [str(name) for name in given.columns]
        return [dict(zip(columns, values, strict=True)) for values in given.itertuples(index=False, name=None)]
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
    """The names of all columns, in their order; a DataFrame may have one twice."""
    if is_frame(given):
        return [str(name) for name in given.columns]
    return list(dict.fromkeys(name for row in rows for name in row))


def is_frame(given: Any) -> bool:
    """Whether it is a DataFrame of pandas, which is not imported to find out."""
    return any(
        f"{each.__module__}.{each.__name__}".startswith("pandas.") and each.__name__ == "DataFrame"
        for each in type(given).__mro__
    )


def with_columns(frame: Any, columns: Mapping[str, list[Any]]) -> Any:
    """A copy of a DataFrame with these columns after its own, in the place of ones of the same name."""
    import pandas

    made = frame.copy()
    for name, values in columns.items():
        made[name] = pandas.Series(values, index=frame.index, dtype=object if name == "reply" else None)
    return made
