"""What is cut of a value is said on the page; single values read as in a table."""

from __future__ import annotations

import datetime
import enum
import uuid
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from claude_magic.prompt.values import format_value
from tests.notebook_shell import Shell
from tests.server import Server, reply


class Colour(enum.Enum):
    RED = 1


def write(value: Any) -> str:
    return format_value(value, table_rows=3, value_chars=100)


DAY = datetime.date(2024, 1, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (DAY, "2024-01-02"),
        (datetime.datetime(2024, 1, 2, 3, 4), "2024-01-02 03:04:00"),
        (datetime.timedelta(days=1), "1 day, 0:00:00"),
        (Decimal("1.50"), "1.50"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.RED, "Colour.RED"),
        ({"day": DAY, "price": Decimal("1.50")}, '{\n  "day": "2024-01-02",\n  "price": "1.50"\n}'),
        ({1: DAY}, "{1: 2024-01-02}"),
        ({DAY}, "{2024-01-02}"),
        ([float("nan"), DAY], "[nan, 2024-01-02]"),
    ],
)
def test_a_single_value_reads_as_in_a_table(value: Any, text: str) -> None:
    assert write(value) == text


def test_values_of_numpy_and_pandas_read_as_in_a_table() -> None:
    numpy = pytest.importorskip("numpy", reason="NO NUMPY: its numbers are not written in this run")
    pandas = pytest.importorskip("pandas", reason="NO PANDAS: its values are not written in this run")
    assert write({"n": numpy.int64(3), "x": numpy.float32(0.5), "t": numpy.bool_(True), "none": pandas.NA}) == (
        '{\n  "n": 3,\n  "x": 0.5,\n  "t": true,\n  "none": null\n}'
    )
    assert write([numpy.float64("nan")]) == "[nan]"
    assert [write(value) for value in (pandas.NA, pandas.NaT, pandas.Timestamp("2024-01-02"))] == [
        "<NA>",
        "NaT",
        "2024-01-02 00:00:00",
    ]
    assert "| 0 | [2024-01-02] |" in write(pandas.DataFrame({"a": [[DAY]]}))


def test_what_is_cut_is_said_above_the_reply(shell: Shell, endpoint: Server) -> None:
    pytest.importorskip("pandas", reason="NO PANDAS: its tables are not cut in this run")
    endpoint.answers(reply("ok"))
    shell.run("import pandas\ndf = pandas.DataFrame({'a': range(200)})\nlong = {'x' * 30_000}")
    for cell, said in (
        ("%%claude\nsum {{df}}", "df: first 50 of 200 rows sent; Claude.table_rows"),
        ("%%claude -a df\nsum", "first 50 of 200 rows sent; Claude.table_rows"),
        ("%%claude\nread {{long}}", "long: first 20,000 of 30,004 characters sent; Claude.value_chars"),
        ("%%claude --times 2\nsum {{df}}", "df: first 50 of 200 rows sent; Claude.table_rows"),
        ("%%claude\nsum {{df.shape}}", ""),
    ):
        ran = shell.run(cell)
        assert ran.error is None
        page = "\n".join([ran.stdout, *ran.data("text/html")])
        assert (said in page) if said else ("rows sent" not in page)


def test_the_assumed_encoding_is_said_above_the_reply(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    Path("preise.csv").write_bytes("Größe;Preis €\n1;2\n".encode("cp1252"))
    ran = shell.run("%%claude -a preise.csv\nsum")
    assert "not UTF-8; assumed to be Windows-1252 (cp1252)" in "".join(ran.data("text/html"))
    assert "Größe;Preis €" in str(endpoint.last.json)
