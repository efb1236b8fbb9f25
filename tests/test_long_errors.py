"""A tool that fails with a long message: what kind of error it was is sent to Claude and shown, and what is cut is said."""

from __future__ import annotations

import re

from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.tool_streams import asks

TOOL = """
from claude_magic import claude

@claude.tool(approve=False)
def load(path: str) -> str:
    "Loads a file."
    raise ValueError("no column of the name a; " + "seen b; " * 5_000 + "line 7")
"""


def test_the_kind_of_a_long_error_its_beginning_and_its_end_are_kept(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(asks(("load", {"path": "a.csv"})), reply("I see."))
    shell.run(TOOL)
    ran = shell.run("%%claude --tools load\nLoad it.")

    (result,) = endpoint.last.json["messages"][-1]["content"]
    (block,) = result["content"]
    assert result["is_error"] is True
    assert "\nValueError: no column of the name a; seen b;" in block["text"]
    assert re.search(r"\n  … 3\d,\d{3} characters left out …\n", block["text"])
    assert block["text"].endswith("line 7")
    assert len(block["text"]) < 4_100
    assert 'load(path="a.csv") failed: ValueError: no column of the name a;' in ran.text
