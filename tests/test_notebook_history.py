"""`{{In[n]}}`, `{{Out[n]}}` and `{{_}}` in a prompt: what was typed, and what came out."""

from __future__ import annotations

import pytest

from tests.notebook_shell import Shell
from tests.server import Server, reply


def sent(shell: Shell, endpoint: Server, text: str) -> str:
    """What a cell with this text sends."""
    ran = shell.run(f"%%claude\n{text}")
    assert ran.error is None, ran.error
    return str(endpoint.last.json["messages"][-1]["content"])


@pytest.fixture
def notebook(shell: Shell, endpoint: Server) -> Shell:
    endpoint.answers(reply("Hi"))
    shell.run("%reset -f in out")
    shell.user_ns["get_ipython"]().system = bool  # so that `!` starts no process
    assert shell.run("%time x = 6\n!echo hi").error is None
    shell.run("x * 7")
    shell.run("'last'")
    return shell


def number_of(shell: Shell, typed: str) -> int:
    inputs = shell.user_ns["get_ipython"]().history_manager.input_hist_raw
    return int(inputs.index(typed))


def test_an_input_is_inserted_as_it_was_typed(notebook: Shell, endpoint: Server) -> None:
    number = number_of(notebook, "%time x = 6\n!echo hi")
    assert sent(notebook, endpoint, f"Explain: {{{{In[{number}]}}}}") == "Explain: %time x = 6\n!echo hi"


def test_a_cell_magic_is_inserted_with_its_first_line(notebook: Shell, endpoint: Server) -> None:
    sent(notebook, endpoint, "a question")
    assert sent(notebook, endpoint, "{{In[-2]}}") == "%%claude\na question"
    assert sent(notebook, endpoint, "{{_i}}") == "%%claude\n{{In[-2]}}"


def test_outputs_are_inserted_by_number_and_by_underscores(notebook: Shell, endpoint: Server) -> None:
    number = number_of(notebook, "x * 7")
    assert sent(notebook, endpoint, f"{{{{Out[{number}]}}}} {{{{_}}}} {{{{__}}}}") == "42 last 42"


def test_a_variable_named_in_by_the_user_stays_theirs(notebook: Shell, endpoint: Server) -> None:
    notebook.run("In = ['mine']")
    assert sent(notebook, endpoint, "{{In[0]}}") == "mine"
