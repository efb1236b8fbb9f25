"""Types that JSON writes as a string: how it is read, and what it is called.

Source: https://json-schema.org/draft/2020-12/json-schema-validation#name-defined-formats
"""

from __future__ import annotations

import datetime
import pathlib
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

DECIMAL = r"^[+-]?[0-9]{1,400}(\.[0-9]{1,400})?$"
_ZULU = re.compile("[zZ]$")  # which Python 3.10 does not read
_NUMBER = r"(\d{1,12}(?:[.,]\d{1,12})?)"
_DURATION = re.compile(
    rf"([+-]?)P(?=[\dT])(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)


def duration(text: str) -> datetime.timedelta:
    """A length of time as ISO 8601 writes it; years and months have none.

    Raises:
        ValueError: It is not of that form, or too long.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    units = ("weeks", "days", "hours", "minutes", "seconds")
    amounts = {
        unit: float(each.replace(",", ".")) for unit, each in zip(units, found.groups()[1:], strict=True) if each
    }
    try:
        length = datetime.timedelta(**amounts)
        return -length if found[1] == "-" else length
    except OverflowError as error:
        raise ValueError(text) from error


def written_duration(length: datetime.timedelta) -> str:
    """`length` as ISO 8601 writes it."""
    sign, length = ("-", -length) if length < datetime.timedelta(0) else ("", length)
    fraction = f".{length.microseconds:06d}" if length.microseconds else ""
    return f"{sign}P{length.days}DT{length.seconds}{fraction}S"


FORMATS: dict[Any, tuple[str, Callable[[str], Any]]] = {
    datetime.datetime: ("date-time", lambda text: datetime.datetime.fromisoformat(_ZULU.sub("+00:00", text))),
    datetime.date: ("date", datetime.date.fromisoformat),
    datetime.time: ("time", lambda text: datetime.time.fromisoformat(_ZULU.sub("+00:00", text))),
    datetime.timedelta: ("duration", duration),
    uuid.UUID: ("uuid", uuid.UUID),
    pathlib.Path: ("path", pathlib.Path),
    pathlib.PurePath: ("path", pathlib.PurePath),
}


def decimal(value: Any) -> Decimal:
    """A JSON number, or a string of digits, as it was written.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, str) and re.search(DECIMAL, value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, float) and abs(value) < float("inf"):
        return Decimal(repr(value))
    raise ValueError(value)
