"""Which cell asks, in front ends that name their cells and in those that do not, and in other kernels than ipykernel."""

from __future__ import annotations

import time
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from claude_magic.display import markdown
from claude_magic.magics.ipython.cells import Cells
from tests.notebook_shell import Shell
from tests.server import Server, reply


class Info:
    """What IPython tells of a cell that begins."""

    def __init__(self, raw_cell: str, cell_id: str | None = None) -> None:
        self.raw_cell = raw_cell
        self.cell_id = cell_id


class Bare:
    """A shell with nothing but what IPython itself has."""

    def __init__(self) -> None:
        self.execution_count = 1
        self.user_ns: dict[str, Any] = {}


class KernelOf:
    """A kernel that knows the request, as those of JupyterLite and xeus do."""

    def __init__(self, parent: Any) -> None:
        self._parent = parent

    def get_parent(self) -> Any:
        return self._parent


def cells(shell: Any) -> Cells:
    made = Cells()
    made.open(shell)
    return made


def messages(server: Server) -> list[list[str]]:
    """The texts of each request."""
    return [[str(message["content"]) for message in received.json["messages"]] for received in server.received]


def test_equal_cells_without_names_are_cells_of_their_own_also_while_the_count_stands_still() -> None:
    found = cells(Bare())
    names = []
    for _ in range(3):
        found.begin(Info("%claude hi"))
        names += [found.next(), found.next()]
    assert len(set(names)) == 6


def test_a_cell_that_the_front_end_names_is_the_same_when_it_is_run_again() -> None:
    found = cells(Bare())
    names = []
    for _ in range(2):
        found.begin(Info("%claude hi", "a"))
        names.append(found.next())
    assert names == ["a#1", "a#1"]
    assert found.has_name


@pytest.mark.parametrize(
    "parent",
    [
        {},
        None,
        "x",
        {"metadata": None, "content": []},
        {"header": {"date": "2026-11-28"}},
        {"metadata": {"cellId": None}},
    ],
)
def test_a_kernel_that_tells_nothing_of_the_request_names_no_cell_and_may_ask(parent: Any) -> None:
    shell: Any = Bare()
    shell.kernel = KernelOf(parent)
    found = cells(shell)
    found.begin(Info("%%claude\nhi"))
    assert found.next() == "input 1#1"
    assert not found.has_name
    assert found.in_notebook
    assert found.asks
    assert found.source == "%%claude\nhi"


def test_a_kernel_that_knows_the_request_tells_the_name_and_what_was_typed() -> None:
    shell: Any = Bare()
    content = {"code": "%%claude\nhi", "allow_stdin": False}
    shell.kernel = KernelOf({"metadata": {"cellId": "b"}, "content": content})
    found = cells(shell)
    found.begin(Info("%%claude\nhi\n"))  # JupyterLite adds a newline
    assert found.next() == "b#1"
    assert found.source == "%%claude\nhi"
    assert not found.asks


def test_equal_cells_are_all_asked_and_each_is_a_turn(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    for _ in range(3):
        assert shell.run("%%claude -c\nAnother joke.").error is None
    assert [len(texts) for texts in messages(endpoint)] == [1, 3, 5]
    shell.run("from claude_magic import claude")
    assert len(shell.user_ns["claude"].conversation()) == 3


def test_a_named_cell_run_again_at_once_replaces_its_turn(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    for _ in range(2):
        assert shell.run("%%claude -c\nhi", cell_id="a").error is None
    assert [len(texts) for texts in messages(endpoint)] == [1, 1]
    shell.run("from claude_magic import claude")
    assert len(shell.user_ns["claude"].conversation()) == 1


def test_a_difference_is_still_shown_to_a_cell_of_equal_text(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    shell.run("%%claude --diff\nhi")
    assert "nothing to compare" not in shell.run("%%claude --diff\nhi").stdout


def test_a_text_is_sent_as_typed_although_the_kernel_adds_a_newline(
    shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(reply("ok"))
    kind = type(shell.manager.kernel.shell)
    before = kind.run_cell

    def run_cell(self: Any, raw_cell: str, *args: Any, **options: Any) -> Any:
        return before(self, raw_cell + "\n", *args, **options)

    monkeypatch.setattr(kind, "should_run_async", lambda *_, **__: False)
    monkeypatch.setattr(kind, "run_cell", run_cell)
    assert shell.run("%%claude\nhi").error is None
    assert messages(endpoint) == [["hi"]]


def test_code_for_the_next_cell_is_printed_where_a_kernel_cannot_insert_one(
    shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(reply("```python\nprint(1)\n```"))
    monkeypatch.setattr(type(shell.manager.kernel.shell), "set_next_input", InteractiveShell.set_next_input)
    ran = shell.run("%%claude --as code\nhi")
    assert "cannot insert a cell" in ran.stdout
    assert "print(1)" in ran.stdout


def test_a_reply_is_rendered_where_the_platform_tells_no_time_of_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "thread_time")
    assert markdown.render("*hi*") == "<p><em>hi</em></p>"
    assert "Shown as source" not in markdown.code("x = 1", "python")


def test_a_reply_that_cannot_be_rendered_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AttributeError("no such function")

    monkeypatch.setattr(markdown.tree, "html", fail)
    assert markdown.render("*hi*") == (
        "<p><em>Shown as source: rendering it failed with AttributeError: no such function.</em></p><pre>*hi*</pre>"
    )
