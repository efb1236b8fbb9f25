"""Numbers with all the digits that they have, and no others.

numpy rounds the numbers of an array to eight digits when it writes them. pandas and polars give the numbers of a column
of half or single precision as Python's own, which then show digits that the column does not hold: 0.1 as
0.10000000149011612.
"""

from __future__ import annotations

import contextlib
import math
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any

_FORMATS = {"float16": ("e", 5), "float32": ("f", 9)}  # the code of `struct`, and the most digits that are needed


@contextlib.contextmanager
def all_digits() -> Iterator[None]:
    """Lets numpy write as many digits as a number has, whatever its print options are."""
    numpy = sys.modules.get("numpy")
    with numpy.printoptions(floatmode="unique", suppress=False) if numpy else contextlib.nullcontext():
        yield


def short_floats(values: Sequence[Any], dtype: Any) -> Sequence[Any]:
    """The values of a column, its numbers of half or single precision with the digits that tell them apart."""
    own = _FORMATS.get(str(dtype).lower())
    return values if own is None else [_short(value, *own) if isinstance(value, float) else value for value in values]


def short_float_rows(rows: Sequence[tuple[Any, ...]], dtypes: Sequence[Any], first: int = 0) -> list[tuple[Any, ...]]:
    """The rows of a table, with `short_floats` in each column.

    Args:
        dtypes: The types of the columns.
        first: The index of the first of them in a row.
    """
    if not any(str(dtype).lower() in _FORMATS for dtype in dtypes) or not rows:
        return list(rows)
    columns = list(zip(*rows, strict=True))
    typed = zip(columns[first:], dtypes, strict=True)
    return list(zip(*columns[:first], *(short_floats(column, dtype) for column, dtype in typed), strict=True))


def _short(value: float, code: str, most: int) -> float:
    """The float with the fewest digits that has the same value in this format."""
    if not math.isfinite(value):
        return value
    packed = struct.pack(code, value)
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, most + 1))
    return next((each for each in shorter if _is_packed(each, code, packed)), value)


def _is_packed(value: float, code: str, packed: bytes) -> bool:
    try:
        return struct.pack(code, value) == packed
    except OverflowError:  # rounded up, the largest number does not fit
        return False
