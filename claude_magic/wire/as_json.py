"""A Python value as JSON says it, such as a parameter's default."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import pathlib
import uuid
from decimal import Decimal
from typing import Any

from .formats import written_duration


def as_json(value: Any) -> Any:
    """What JSON says for `value`.

    Raises:
        ValueError: JSON has no form for it.
    """
    if isinstance(value, enum.Enum):
        return as_json(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime.timedelta):
        return written_duration(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID | pathlib.PurePath | Decimal):
        return str(value)
    return _several(value)


def _several(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    elif hasattr(value, "model_dump_json") and not isinstance(value, type):
        return value.model_dump(mode="json")
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item) for item in value]
    raise ValueError(f"JSON has no form for a {type(value).__name__}")
