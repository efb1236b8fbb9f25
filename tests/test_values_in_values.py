"""Values within values: what is cut inside a dict, list, dataclass or result says so, and dates read as dates."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict, deque, namedtuple
from decimal import Decimal
from typing import Any

import numpy
import pandas
import pydantic
import pytest

from claude_magic.prompt.values import FormattedValue, format_value
from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.tool_streams import asks

DAY = datetime.date(2026, 1, 2)


@dataclasses.dataclass
class Visit:
    day: datetime.date
    price: Any
    hidden: str = dataclasses.field(default="h", repr=False)


@dataclasses.dataclass
class OwnRepr:
    day: datetime.date

    def __repr__(self) -> str:
        return "as its author wrote it"


class Model(pydantic.BaseModel):
    day: datetime.date
    price: Decimal
    hidden: str = pydantic.Field("h", repr=False)


Point = namedtuple("Point", "x y")


def written(value: Any) -> FormattedValue:
    return format_value(value, table_rows=5, value_chars=2_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Visit(DAY, numpy.int64(3)), "Visit(day=2026-01-02, price=3)"),
        (OwnRepr(DAY), "as its author wrote it"),
        ([Model(day=DAY, price=Decimal("1.10"))], "[Model(day=2026-01-02, price=1.10)]"),
        (Point(numpy.float64(1.5), DAY), "Point(x=1.5, y=2026-01-02)"),
        (deque([numpy.int64(1)]), "deque([1])"),
        (defaultdict(list, {1: [DAY]}), "{1: [2026-01-02]}"),
        ({1: numpy.float32(0.1)}, "{1: 0.1}"),
        ([numpy.float32(0.1)], "[\n  0.1\n]"),
    ],
)
def test_single_values_read_as_they_are_in_whatever_holds_them(value: Any, text: str) -> None:
    assert written(value) == text
    assert written(value).cut == ""


@pytest.mark.parametrize(
    ("value", "title", "cut"),
    [
        ({"a": pandas.DataFrame({"n": range(200)})}, "DataFrame of 200 rows × 1 column", "first 5 of 200 rows"),
        ([pandas.Series(range(200))], "Series of 200 values", "first 5 of 200 rows"),
        (Visit(DAY, pandas.DataFrame({"n": range(200)})), "DataFrame of 200 rows", "first 5 of 200 rows"),
        ({"a": numpy.arange(5_000)}, "array of shape (5000,)", "only the edges of 5,000 values"),
        (pandas.date_range("2026-01-01", periods=300), "DatetimeIndex of 300 values", "first 5 of 300 rows"),
        (pandas.Index([f"c{n}" for n in range(300)]), "Index of 300 values", "first 5 of 300 rows"),
        (pandas.Categorical(list(range(300))), "Categorical of 300 values", "first 5 of 300 rows"),
        (pandas.array(list(range(300)), dtype="Int64"), "IntegerArray of 300 values", "first 5 of 300 rows"),
    ],
)
def test_what_a_repr_would_leave_out_in_silence_is_said(value: Any, title: str, cut: str) -> None:
    assert title in written(value)
    assert written(value).cut.startswith(cut)


def test_a_short_index_is_its_repr() -> None:
    assert written(pandas.Index([1, 2])) == "Index([1, 2], dtype='int64')"


def test_a_list_in_a_cell_is_not_counted_as_cut() -> None:
    assert written(pandas.DataFrame({"a": [[DAY]]})).cut == ""


def test_a_table_in_the_result_of_a_tool_says_what_was_left_out(shell: Shell, endpoint: Server) -> None:
    shell.run(
        "import pandas, numpy\nfrom claude_magic import claude\n"
        "@claude.tool(approve=False)\ndef look():\n    'Looks.'\n"
        "    return {'sales': pandas.DataFrame({'a': range(200)}), 'x': numpy.float32(0.1)}\n"
        "@claude.tool(approve=False)\ndef few():\n    'A few.'\n"
        "    return {'x': [numpy.float32(0.1), numpy.int64(2)], 'a': numpy.array([1, 2])}\n"
    )
    endpoint.answers(asks(("look", {}), ("few", {})), reply("ok"))
    assert shell.run("%%claude --tools look,few\nhi").error is None
    look, few = (each["content"][0]["text"] for each in endpoint.last.json["messages"][-1]["content"])
    assert "DataFrame of 200 rows × 1 column" in look
    assert "… 150 more rows" in look
    assert few == '{"x": [0.1, 2], "a": [1, 2]}'
