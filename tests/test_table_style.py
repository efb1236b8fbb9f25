"""The one table: empty columns, unknown values, errors apart, units in the head."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from claude_magic.display.tables.table import table
from tests.notebook_shell import Shell
from tests.server import Server, failure, whole


class Cells(HTMLParser):
    """The heads of a table's columns, and the cells of each, with the class of a cell."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.heads: list[str] = []
        self.rows: list[list[str]] = []
        self.classes: list[list[str]] = []
        self._into: list[str] | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
            self.classes.append([])
        if tag in ("th", "td"):
            self._into = self.heads if tag == "th" else self.rows[-1]
            self._into.append("")
            self.classes[-1].append(str(dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data

    def column(self, head: str) -> list[str]:
        return [row[self.heads.index(head)] for row in self.rows[1:]]

    def css(self, head: str) -> set[str]:
        return {row[self.heads.index(head)] for row in self.classes}


def test_a_column_without_anything_is_left_out_and_what_is_unknown_is_said_once() -> None:
    bundle = table("", ("name", "size", "end", "age"), [["a", None, "", "1"], ["b", None, "", None]])
    shown = Cells(bundle["text/html"])

    assert shown.heads == ["name", "age"]
    assert shown.column("age") == ["1", "unknown"]
    assert '<div class="cm-below mathjax_ignore">unknown: size</div>' in bundle["text/html"]
    assert bundle["text/plain"].split("\n") == ["name  age", "a     1", "b     unknown", "unknown: size"]
    assert Cells(table("", ("a", "b"), [])["text/html"]).heads == ["a", "b"]


@pytest.fixture
def answered(shell: Shell, endpoint: Server) -> Shell:
    """A shell in which two rows were answered and one failed."""
    endpoint.answers(whole("Norway"), failure(400, "invalid_request_error", "messages: it is empty"), whole("Peru"))
    shell.run("from claude_magic import claude\nreplies = claude.map(['Oslo?', 'Riga?', 'Lima?'], concurrency=1)")
    return shell


@pytest.mark.parametrize(("source", "about"), [("replies", "reply"), ("claude.journal", "first words")])
def test_errors_have_a_column_of_their_own_and_units_stand_in_the_head(
    answered: Shell, source: str, about: str
) -> None:
    shown = Cells(answered.run(source).data("text/html")[0])

    failed = [bool(each) for each in shown.column("error")]
    assert failed == [False, True, False]
    assert "it is empty" in shown.column("error")[1]
    assert "it is empty" not in " ".join(shown.column(about))
    for head in ("tokens in", "tokens out", "price, $", "seconds"):
        assert shown.css(head) == {"cm-number"}
        assert all(re.fullmatch(r"[\d.,]*", cell) for cell in shown.column(head))


def test_without_a_failure_there_is_no_column_of_errors(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole("Norway"))
    ran = shell.run("from claude_magic import claude\nclaude.map(['Oslo?'])")

    assert "error" not in Cells(ran.data("text/html")[-1]).heads


@pytest.mark.parametrize(
    "source",
    [
        "claude.models",
        "claude.files",
        "claude.batches",
        "claude.journal",
        "claude.organization.members",
        "claude.count('hi')",
        "claude.usage",
        "claude.journal.spend('model')",
        "%claude --get /v1/models",
        "replies",
    ],
)
def test_each_table_has_the_one_style(source: str, api: Any, answered: Shell) -> None:
    answered.run("claude.files.upload(b'hello', name='a.txt'); batch = claude.batch(['one'])")
    html = "".join(answered.run(source).data("text/html"))

    assert '<table class="cm-rows mathjax_ignore">' in html
    assert len(re.findall("<table", html)) == html.count('<table class="cm-rows') + html.count("<table>")
    assert "overflow-x:auto" in html
