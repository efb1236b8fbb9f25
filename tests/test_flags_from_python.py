"""`yes="no"` is refused: to Python a text is true, and what was not approved would be sent, paid, deleted or replaced."""

from __future__ import annotations

import pytest

from claude_magic.errors import CellError
from claude_magic.magics.claude import ClaudeHandle

CALLS = (
    "handle.map(['a'], yes='no')",
    "handle.map(['a'], dry_run='no')",
    "handle.map(['a'], resume='no')",
    "handle.map(['a'], batch='no')",
    "handle.batch(['a'], yes='no')",
    "handle.request('DELETE', '/v1/files/file_1', yes='no')",
    "handle.request('GET', '/v1/files', all='no')",
    "handle.files['file_1'].delete(yes='no')",
    "handle.files['file_1'].download('a.txt', overwrite='no')",
    "handle('hi', yes='no')",
)


@pytest.mark.parametrize("call", CALLS)
def test_a_flag_that_is_neither_true_nor_false_is_refused(call: str) -> None:
    with pytest.raises(CellError, match=r"^(yes|dry_run|resume|batch|all|overwrite) is True or False: 'no'\.$"):
        eval(call, {"handle": ClaudeHandle()})


@pytest.mark.parametrize(
    ("wrong", "meant"), [("concurency", "concurrency"), ("modle", "model"), ("exepcted", "expected")]
)
def test_a_misspelled_argument_of_map_is_told_from_an_option(wrong: str, meant: str) -> None:
    with pytest.raises(CellError, match=rf"^no option '{wrong}'\. Did you mean {meant}\?$"):
        ClaudeHandle().map(["a"], **{wrong: "x"})
