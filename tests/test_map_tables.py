"""`claude.map` and tables: values as they read, columns of one type, nothing overwritten, and what it would cost."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy
import pandas
import pytest
import tqdm.auto
import tqdm.std

from claude_magic.errors import CellError
from claude_magic.magics.claude import ClaudeHandle
from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.test_mapping import Echo


@pytest.fixture
def echo(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Echo]:
    """Answers each question with itself, upper case."""
    made = Echo()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", made.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-8d1f6a0e2b")
    made.answers(reply("never"))
    yield made
    made.close()


def said(echo: Echo) -> list[str]:
    return [received.json["messages"][-1]["content"] for received in echo.received]


FRAME = pandas.DataFrame(
    {
        "whole": [1, None, 3],
        "nullable": pandas.array([1, None, 3], dtype="Int64"),
        "float": [1.0, 2.5, 3.0],
        "day": pandas.to_datetime(["2026-01-01", None, "2026-01-02"]),
        "moment": pandas.to_datetime(["2026-01-01 10:00", "2026-01-01 00:00", None]),
        "kind": pandas.Categorical(["a", "b", None]),
        "flag": pandas.array([True, None, False], dtype="boolean"),
        "price": [Decimal("1.10"), Decimal("2"), None],
        "id": [10, 20, 30],
    }
)


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ("whole", "1"),
        ("nullable", "1"),
        ("float", "1.0"),
        ("day", "2026-01-01"),
        ("kind", "a"),
        ("flag", "True"),
        ("id", "10"),
    ],
)
def test_a_value_is_asked_as_it_reads_in_the_table(column: str, first: str, echo: Echo) -> None:
    ClaudeHandle().map(FRAME, f"{{{{id}}}}: {{{{{column}}}}}", concurrency=1)
    assert said(echo)[0] == f"10: {first}"
    assert len(echo.received) == FRAME[column].notna().sum()


def test_a_value_is_asked_so_where_no_template_names_it(echo: Echo) -> None:
    ClaudeHandle().map(FRAME[["whole"]], concurrency=1)
    assert said(echo) == ["1", "3"]


def test_rows_of_a_frame_as_dicts_are_asked_so_too_and_whole_floats_without_a_gap_stay(echo: Echo) -> None:
    ClaudeHandle().map(FRAME.to_dict("records"), "{{whole}} of {{id}}", concurrency=1)
    ClaudeHandle().map([{"n": 1.0}, {"n": 2.0}], concurrency=1)
    assert said(echo) == ["1 of 10", "3 of 30", "1.0", "2.0"]


def test_the_caller_s_table_stays_and_its_columns_keep_their_types(echo: Echo) -> None:
    before = FRAME.copy(deep=True)
    made = ClaudeHandle().map(FRAME, "{{id}}", concurrency=1)
    pandas.testing.assert_frame_equal(FRAME, before)
    pandas.testing.assert_frame_equal(made[list(FRAME.columns)], before)


@pytest.mark.parametrize(
    ("question", "expected", "right"),
    [
        ("1", [1, None], [True, None]),
        ("1", pandas.array([1, None], dtype="Int64"), [True, None]),
        ("2026-01-01", pandas.to_datetime(["2026-01-01", None]), [True, None]),
        ("a", pandas.Categorical(["A", None]), [True, None]),
        ("true", [True, False], [True, False]),
        ("true", pandas.array([True, None], dtype="boolean"), [True, None]),
        ("1.1", [Decimal("1.10"), None], [True, None]),
        ("1.50", [1.5, 2.0], [True, True]),
        ("1", [2, 3], [False, False]),
    ],
)
def test_a_reply_is_compared_with_what_reads_the_same(
    question: str, expected: Any, right: list[Any], echo: Echo
) -> None:
    frame = pandas.DataFrame({"q": [question, "2"], "expected": expected})
    made = ClaudeHandle().map(frame, "{{q}}", grade="exact", concurrency=1)
    assert [None if each is pandas.NA else each for each in made.grade] == right
    assert made.grade.dtype == "boolean"


def test_a_function_grades_by_the_row_as_it_was_given(echo: Echo) -> None:
    seen: list[Any] = []
    ClaudeHandle().map(FRAME, "{{id}}", grade=lambda reply, row: seen.append(row["day"]) or 0.5, concurrency=1)
    assert isinstance(seen[0], pandas.Timestamp)


def test_texts_and_errors_stand_apart_and_counts_are_whole_numbers(echo: Echo) -> None:
    frame = pandas.DataFrame({"q": ["one", "refuse", None]})
    made = ClaudeHandle().map(frame, "{{q}}", grade=lambda reply: 1 / 0, concurrency=1)
    assert list(made.reply) == ["ONE", None, None]
    assert made.error[0] == "not graded: ZeroDivisionError: division by zero"
    assert made.error[1].startswith("APIError: ")
    assert made.error[2].startswith("CellError: the row has nothing")
    assert [str(made[name].dtype) for name in ("input_tokens", "output_tokens", "usd", "seconds")] == [
        *("Int64", "Int64", "float64", "float64")
    ]
    assert list(made.input_tokens.isna()) == [False, True, True]


@pytest.mark.parametrize(
    ("grades", "dtype"),
    [
        ([True, False], "boolean"),
        ([numpy.bool_(True), None], "boolean"),
        ([1, 2], "Int64"),
        ([0.5, None], "float64"),
        (["good", None], "object"),
        ([1, "good"], "object"),
    ],
)
def test_grades_are_a_column_of_their_type(grades: list[Any], dtype: str, echo: Echo) -> None:
    left = iter(grades)
    made = ClaudeHandle().map(pandas.DataFrame({"q": ["a", "b"]}), grade=lambda _: next(left), concurrency=1)
    assert str(made.grade.dtype) == dtype


@pytest.mark.parametrize("column", ["reply", "error", "stop_reason", "input_tokens", "usd", "seconds", "grade"])
def test_a_column_of_the_table_is_not_overwritten(column: str, echo: Echo) -> None:
    frame = pandas.DataFrame({"q": ["one"], column: ["mine"]})
    with pytest.raises(CellError, match=f"the table has '{column}' already") as raised:
        ClaudeHandle().map(frame, "{{q}}", grade=bool)
    assert (echo.received, "prefix='other_'" in str(raised.value)) == ([], True)
    made = ClaudeHandle().map(frame, "{{q}}", grade=bool, prefix="new_")
    assert (made[column][0], made["new_reply"][0]) == ("mine", "ONE")


def test_a_column_grade_stays_where_nothing_is_graded(echo: Echo) -> None:
    assert ClaudeHandle().map(pandas.DataFrame({"q": ["one"], "grade": ["mine"]}), "{{q}}").grade[0] == "mine"


def test_the_bar_ends_with_how_many_were_answered_and_failed(
    echo: Echo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tqdm.auto, "tqdm", tqdm.std.tqdm)  # the one of a terminal
    ClaudeHandle().map(["one", "refuse", "three"], concurrency=1)
    assert "2 ok, 1 failed" in capsys.readouterr().err.replace("\r", "\n").splitlines()[-1]


def test_replies_that_are_not_whole_are_counted(endpoint: Server) -> None:
    endpoint.answers(reply("cut", stop_reason="max_tokens"))
    assert "1 incomplete (max_tokens)" in ClaudeHandle().map(["one"]).summary


# What it would cost


def test_a_dry_run_tells_tokens_and_the_highest_price_and_sends_nothing(echo: Echo) -> None:
    frame = pandas.DataFrame({"q": ["one " * 100, None]})
    notebook = ClaudeHandle()
    found = notebook.map(frame, "{{q}}", dry_run=True, max_tokens=1000)
    assert (echo.received, notebook.usage.total.exchanges, notebook.mapped) == ([], 0, None)
    assert (found.rows, found.requests, found.tokens, found.most_reply) == (2, 1, 100, 1000)
    assert 400 < found.most_tokens < 600
    assert found.usd is not None
    for told in ("nothing was sent", "2 rows, 1 requests", "about 100 tokens in", "at most $", "nothing in the column"):
        assert told in repr(found)


def test_a_dry_run_asks_more_than_it_can_cost(echo: Echo) -> None:
    texts = [f"question {number} " * 20 for number in range(5)]
    notebook = ClaudeHandle()
    found = notebook.map(texts, dry_run=True, max_tokens=100)
    made = notebook.map(texts, max_tokens=100)
    assert found.usd is not None
    assert 0 < sum(answer.usd or 0 for answer in made.answers) <= found.usd


def test_a_dry_run_knows_what_was_answered_before(echo: Echo) -> None:
    ClaudeHandle().map(["one", "two"], concurrency=1)
    found = ClaudeHandle().map(["one", "two", "three"], dry_run=True)
    assert (found.known, found.requests, len(echo.received)) == (2, 1, 2)


def test_a_dry_run_counts_what_grades(echo: Echo) -> None:
    notebook = ClaudeHandle()
    alone = notebook.map(["one"], dry_run=True, max_tokens=1000)
    found = notebook.map(["one"], grade=notebook.rubric("Polite?"), dry_run=True, max_tokens=1000)
    assert (found.requests, found.usd > alone.usd, echo.received) == (2, True, [])


def test_a_dry_run_says_that_a_price_is_unknown(echo: Echo) -> None:
    assert "price unknown" in repr(ClaudeHandle().map(["one"], dry_run=True, model="nobody-9"))


def test_a_moment_is_asked_with_its_time(echo: Echo) -> None:
    ClaudeHandle().map(FRAME, "{{moment}}", concurrency=1)
    assert "10:00" in said(echo)[0]
    assert datetime.date(2026, 1, 1).isoformat() in said(echo)[0]


def test_a_template_without_a_column_is_refused_before_rows_are_all_asked_the_same(
    shell: Shell, endpoint: Server
) -> None:
    ran = shell.run("from claude_magic import claude\nclaude.map([{'city': 'Oslo'}, {'city': 'Rome'}], 'Of {city}?')")
    assert ran.error is not None
    assert "names no column" in ran.error[1]
    assert "Write {{city}}" in ran.error[1]
    assert not endpoint.received
