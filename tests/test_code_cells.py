"""`--as code`, through the cell: the whole block, and a word on the page when blocks nest or end oddly."""

from __future__ import annotations

import re

from tests.notebook_shell import Shell
from tests.server import Server, reply

README = "# Tool\n\n```bash\npip install tool\n```\n\nUse:\n\n```python\nimport tool\n```\n\nThat is all."


def page(shell: Shell, endpoint: Server, text: str, line: str = "--as code -o source") -> str:
    """What the page says of a reply."""
    endpoint.answers(reply(text))
    ran = shell.run(f"%%claude {line}\nhi")
    assert ran.error is None
    return re.sub(r"<style.*?</style>|<[^>]+>", " ", str(ran.outputs), flags=re.S)


def test_a_markdown_file_with_fences_in_it_comes_whole_and_the_page_says_so(shell: Shell, endpoint: Server) -> None:
    said = page(shell, endpoint, f"Here:\n\n```markdown\n{README}\n```\n\nHope it helps.")
    assert shell.user_ns["source"] == README
    assert "contains fenced blocks" in said


def test_a_block_that_was_cut_is_said(shell: Shell, endpoint: Server) -> None:
    said = page(shell, endpoint, "```python\nx = 1\nif x:")
    assert shell.user_ns["source"] == "x = 1\nif x:"
    assert "the code block is not closed" in said


def test_of_an_ordinary_block_nothing_is_said(shell: Shell, endpoint: Server) -> None:
    assert "code block" not in page(shell, endpoint, "```python\nx = 1\n```\n\n```\nout\n```")


def test_a_reply_is_shown_by_the_same_grammar(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("3~5 days and 10~12 kg, これは**「重要」**です"))
    ran = shell.run("%%claude\nhi")
    assert "3~5 days and 10~12 kg, これは<strong>「重要」</strong>です" in str(ran.outputs)


def test_a_stray_fence_at_the_end_of_the_reply_is_said(shell: Shell, endpoint: Server) -> None:
    said = page(shell, endpoint, "```python\ns = '''\n```\n'''\nx = 1\n```")
    assert shell.user_ns["source"] == "s = '''"
    assert "this one may end at the wrong fence" in said
