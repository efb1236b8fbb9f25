"""`%claude --help`: groups with examples, one group, and what it says of a name that is none."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from claude_magic.errors import CellError
from claude_magic.prompt.options.help import GROUPS, Group, help_text
from claude_magic.prompt.options.parser import parse_line
from claude_magic.prompt.options.table import all_options
from tests.notebook_shell import Shell
from tests.server import Server


def test_no_group_names_an_option_that_is_none_or_in_another_group() -> None:
    """One that is in no group is listed under "other"."""
    grouped = Counter(name for group in GROUPS for name in group.names)

    assert set(grouped) <= {option.names[-1] for option in all_options()}
    assert set(grouped.values()) == {1}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_example_of_a_group_is_a_cell_with_its_options(group: Group) -> None:
    magic, _, line = group.example[0].partition(" ")
    options, rest = parse_line(line, text_follows=magic == "%claude")

    assert any(option.is_set(options) for option in all_options() if option.names[-1] in group.names)
    assert rest in ("", "tools")


def test_help_lists_the_groups_in_order_each_with_an_example() -> None:
    shown = help_text()

    places = [shown.index(f"\n{group.name:<15} {group.title}\n    {group.example[0]}\n") for group in GROUPS]
    assert places == sorted(places)
    assert "%claude --help GROUP" in shown
    assert max(map(len, shown.splitlines())) <= 120


@pytest.mark.parametrize("cell", ["%claude --help tools", "%%claude --help tools", "%claude --help web-search"])
def test_help_of_one_group_explains_its_options_only(shell: Shell, endpoint: Server, cell: str) -> None:
    ran = shell.run(cell)

    assert ran.error is None
    assert ran.stdout.startswith("tools: what Claude may call\n")
    assert re.search(r"--web-search +let Claude search the web\n", ran.stdout)
    assert "--max-tokens" not in ran.stdout
    assert "For example:\n  %%claude --tools population --web-search\n" in ran.stdout
    assert endpoint.received == []


@pytest.mark.parametrize(
    ("word", "near"), [("tool", "tools"), ("conversation", "conversations"), ("max-token", "max-tokens")]
)
def test_an_unknown_group_is_an_error_that_names_near_ones(word: str, near: str) -> None:
    with pytest.raises(
        CellError, match=rf"--help {word}: there is no such group\. Did you mean .*{near}.*The groups: request, "
    ):
        help_text(word)


def test_python_gets_the_help_of_a_group_too(shell: Shell) -> None:
    shell.run("from claude_magic import claude")

    assert shell.value("str(claude('reply', help=True))").startswith("reply: what to make of the reply\n")


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("words", ["", "all", *(group.name for group in GROUPS)])
def test_in_a_terminal_no_line_is_longer_than_it_and_no_word_is_broken(words: str, width: int) -> None:
    lines = help_text(words, width).split("\n")

    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == help_text(words).split()
