"""What `-o NAME` binds of an answer: a DataFrame of a list where pandas is installed, else its value."""

from __future__ import annotations

import importlib.util
from typing import Any

from ...errors import SettingsError
from ...wire.answer import BINARY, Answer


def value_of(answer: Answer) -> Any:
    """A list as a DataFrame, or as it is; other JSON and text as it is; bytes."""
    if answer.kind == BINARY:
        return answer.data
    items = answer.items
    if items is None or importlib.util.find_spec("pandas") is None:
        return answer.value if items is None else items
    return frame_of(items)


def frame_of(items: list[Any]) -> Any:
    """A list as a DataFrame.

    Raises:
        SettingsError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise SettingsError("a DataFrame needs pandas, which is missing. Install it: pip install pandas.") from None
    return pandas.DataFrame(items if all(isinstance(item, dict) for item in items) else {"value": items})
