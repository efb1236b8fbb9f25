"""`claude(...)` called with what is no text, and with nothing."""

from __future__ import annotations

import pytest

from tests.notebook_shell import Shell
from tests.server import Server, reply


@pytest.mark.parametrize("text", ["5", "['a']", "{'role': 'user'}", "None"])
def test_what_is_no_text_is_refused_in_words(shell: Shell, endpoint: Server, text: str) -> None:
    ran = shell.run(f"from claude_magic import claude\nclaude({text})")
    assert ran.error is not None
    assert ran.error[0] == "CellError"
    assert ran.error[1].startswith("claude takes a text, not ")
    assert not endpoint.received


def test_no_tools_may_be_written_as_none(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hi"))
    assert shell.run("from claude_magic import claude\nasked = claude('hi', tools=None)").error is None
