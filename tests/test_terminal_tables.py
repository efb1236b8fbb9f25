"""A table in a terminal that is narrower than it: no line, id or number is broken, and what is cut is marked."""

from __future__ import annotations

import os
from unittest import mock

import pytest

from claude_magic.display.tables.table import table
from claude_magic.display.tables.terminal_table import terminal_lines
from claude_magic.wire.text_width import cells

ROWS = [
    ("id", "first words", "tokens in", "request-id"),
    ("1", "Where is 東京?", "1,234", "req_011CdeLUpakHYCG43qGLsdXo"),
    ("12", "Where is Oslo, and how many people live there?", "5", "req_011CdeLUpakHYCG43qGLsdXp"),
]
AT_RIGHT = (True, False, True, False)


def test_columns_without_room_follow_below_beside_the_first_one() -> None:
    assert terminal_lines([[row[0], row[2], row[3]] for row in ROWS], (True, True, False), 34) == [
        "id  tokens in",
        " 1      1,234",
        "12          5",
        "",
        "id  request-id",
        " 1  req_011CdeLUpakHYCG43qGLsdXo",
        "12  req_011CdeLUpakHYCG43qGLsdXp",
    ]


@pytest.mark.parametrize("width", [20, 33, 40, 80, 200])
def test_no_line_is_longer_than_the_terminal_and_every_number_is_there(width: int) -> None:
    lines = terminal_lines(ROWS, AT_RIGHT, width)

    assert max(map(cells, lines)) <= width
    assert all(sum(number in line.split() for line in lines) == 1 for number in ("1,234", "5"))
    assert all((row[1] in "\n".join(lines)) is (width > 50) for row in ROWS[2:])
    assert ("…" in "\n".join(lines)) is (width < 50)


def test_a_wide_first_column_is_whole_once_and_short_where_it_follows() -> None:
    name = "msgbatch_" + "0" * 24
    assert terminal_lines([("batch", "status", "n"), (name, "in progress", "1")], (False, False, True), 40) == [
        "batch",
        name,
        "",
        "batch                 status       n",
        f"{name[:19]}…  in progress  1",
    ]
    assert terminal_lines([("x" * 90,)], (False,), 20) == [f"{'x' * 19}…"]


def test_only_a_terminal_narrows_the_text_of_a_table() -> None:
    head, *rows = ROWS
    with mock.patch.dict(os.environ, {"COLUMNS": "40"}):
        assert max(map(len, table("", head, rows)["text/plain"].split("\n"))) > 80
        with mock.patch("sys.stdout.isatty", return_value=True):
            assert max(map(cells, table("", head, rows)["text/plain"].split("\n"))) <= 40
