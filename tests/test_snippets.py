"""Cells kept by name hold what they ask, and nothing of what was done with them."""

from __future__ import annotations

import pytest

from claude_magic.prompt.last_error import LastError
from claude_magic.prompt.options.option import Scope
from claude_magic.prompt.options.options import Options
from claude_magic.prompt.options.parser import parse_line
from claude_magic.prompt.options.table import all_options
from claude_magic.prompt.snippets import Snippets
from claude_magic.session.prompt import build_prompt
from claude_magic.settings import Claude

ACTIONS = ("--batch", "--preview", "--count", "--show python", "--step", "--again", "--diff", "--events", "--run-tools")


def compose(line: str, text: str) -> Options:
    options, _ = parse_line(line, text_follows=False)
    return build_prompt(
        options, line, text, namespace={}, snippets=Snippets(), last_error=LastError(), settings=Claude()
    ).options


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("line", ["{} --save brief -t 60", "--save brief {} -t 60", "-t 60 --save=brief {}"])
def test_an_action_is_not_stored(line: str, action: str) -> None:
    compose(line.format(action), "Be brief.")
    assert str(Snippets()["brief"]) == "%%claude -t 60\nBe brief."


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_in_the_file_of_an_older_snippet_does_not_act(action: str) -> None:
    Snippets().keep("brief", f"{action} -t 60", "Be brief.")
    assert compose("--with brief", "What is a notebook?") == Options(max_tokens=60, with_=("brief",))


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_beside_with_acts(action: str) -> None:
    Snippets().keep("brief", "-t 60", "Be brief.")
    alone, _ = parse_line(action, text_follows=False)
    said = compose(f"--with brief {action}", "What is a notebook?")
    assert said == Options(**{**vars(alone), "max_tokens": 60, "with_": ("brief",)})


def test_what_a_cell_asks_is_stored() -> None:
    kept = "-m x --temperature 0.5 --stop='a b' --thinking --yes -c=talk --raw -o n"
    compose(f"--save s {kept} --preview", "x")
    assert Snippets()["s"].line == kept


def test_in_a_line_the_text_is_not_taken_for_options() -> None:
    line = "--preview --save brief -t 60 Be brief."
    options, text = parse_line(line)
    build_prompt(options, line, text, namespace={}, snippets=Snippets(), last_error=LastError(), settings=Claude())
    assert str(Snippets()["brief"]) == "%%claude -t 60\nBe brief."


def test_every_action_is_one_of_the_table() -> None:
    actions = {name for option in all_options() if Scope.SNIPPET not in option.scope for name in option.names}
    calls = {"--get", "--post", "--put", "--patch", "--delete", "--query", "--file", "--all", "--batch"}
    assert {word.split()[0] for word in ACTIONS} | {
        "--save",
        "--approve",
        "--refuse",
        "-h",
        "--help",
    } | calls == actions
