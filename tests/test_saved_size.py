"""How many bytes the output of a cell takes in a saved notebook."""

from __future__ import annotations

import nbformat
import pytest

from tests.notebook_shell import Shell
from tests.panel_exchange import headers
from tests.server import Answer, Server, event, text_events

LIMIT = 8_000  # bytes of a cell
CELLS, NOTEBOOK_LIMIT = 50, 500_000


def _answer(*texts: str) -> Answer:
    """A streamed reply with the headers that the API sends."""
    sent = [(name, value) for name, value in headers().items() if name.lower() != "transfer-encoding"]
    return Answer(headers=tuple(sent), pieces=[event(data) for data in text_events(texts)])


def _saved_size(shell: Shell, sources: list[str]) -> int:
    """The size of a notebook with these cells, once they have run, as JupyterLab saves it."""
    notebook = nbformat.v4.new_notebook()
    for source in sources:
        ran = shell.run(source)
        assert ran.error is None
        outputs = [nbformat.v4.new_output("display_data", data=output["data"]) for output in ran.outputs]
        notebook.cells.append(nbformat.v4.new_code_cell(source, outputs=outputs))
    return len(nbformat.writes(notebook).encode())


def test_a_reply_of_one_word_saves_little(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(_answer("Hel", "lo"))

    assert _saved_size(shell, ["%%claude\nSay hello."]) - _saved_size(shell, []) < LIMIT


@pytest.mark.slow
def test_a_notebook_of_many_ordinary_replies_stays_small(shell: Shell, endpoint: Server) -> None:
    """A paragraph each, and a table, a program or a list."""
    words = "A list may change, a tuple may not. " * 10
    table = "\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    program = "\n\n```python\ndef square(number: int) -> int:\n    return number**2  # of anything\n```\n"
    replies = [words + more for more in (table, program, "\n\n- one\n- two\n")]
    pieces = [[text[at : at + 30] for at in range(0, len(text), 30)] for text in replies]
    endpoint.answers(*(_answer(*pieces[number % 3]) for number in range(CELLS)))

    assert _saved_size(shell, [f"%%claude\nquestion {number}" for number in range(CELLS)]) < NOTEBOOK_LIMIT


@pytest.mark.slow
def test_a_long_conversation_saves_little_of_each_request(shell: Shell, endpoint: Server) -> None:
    """Each request holds all turns before it."""
    endpoint.answers(*(_answer("word " * 400) for _ in range(20)))

    assert _saved_size(shell, ["%%claude -c talk\n" + "question " * 100 for _ in range(20)]) < 20 * 25_000
