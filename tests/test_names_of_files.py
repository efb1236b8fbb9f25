"""Names of files: completed in quotes by Tab, and the same however their letters are composed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from claude_magic.prompt.attachments.attach import attach
from tests.notebook_shell import Shell
from tests.server import Server, reply


def completed(shell: Shell, code: str) -> list[str]:
    """The code after each completion that Tab offers."""
    found = shell.manager.kernel.do_complete(code, len(code))
    return [code[: found["cursor_start"]] + match + code[found["cursor_end"] :] for match in found["matches"]]


@pytest.mark.parametrize(
    ("name", "begun", "line"),
    [
        ("sales report (1).csv", "sal", "'sales report (1).csv'"),
        ("sales report (1).csv", "'sales re", "'sales report (1).csv'"),
        ("sales report (1).csv", '"sales re', '"sales report (1).csv"'),
        ("Ada's notes.txt", "Ada", '"Ada\'s notes.txt"'),
        ("Ada's notes.txt", "'Ada", '"Ada\'s notes.txt"'),
        ('a "b" c.txt', "a", "'a \"b\" c.txt'"),
        ("größe.csv", "grö", "größe.csv"),
        ("文書 1.txt", "文", "'文書 1.txt'"),
        ("plain.csv", "pl", "plain.csv"),
        ("my folder/one two.csv", "'my folder/o", "'my folder/one two.csv'"),
    ],
)
def test_tab_completes_a_name_so_that_the_line_reads_it(
    shell: Shell, endpoint: Server, name: str, begun: str, line: str
) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("1,2")
    endpoint.answers(reply("ok"))
    offered = completed(shell, f"%%claude -a {begun}")
    assert f"%%claude -a {line}" in offered
    assert shell.run(f"%%claude -a {line}\nsum").error is None
    assert "1,2" in str(endpoint.last.json)


def test_tab_completes_other_names_with_blanks_and_folders(shell: Shell) -> None:
    Path("my folder").mkdir()
    shell.run("from claude_magic import claude; claude.conversation('long talk'); total = 1")
    assert completed(shell, "%%claude -a my") == ["%%claude -a 'my folder/"]
    assert "%%claude -c 'long talk'" in completed(shell, "%%claude -c lo")
    assert "%%claude -a total" in completed(shell, "%%claude -a to")
    assert "%%claude -m x --max-tokens" in completed(shell, "%%claude -m x --max")


def read(name: str, **variables: Any) -> list[str]:
    return [found.text for found in attach(name, variables, write=str)]


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_a_name_is_the_same_however_its_letters_are_composed(stored: str, typed: str) -> None:
    Path(normalize(stored, "Größe")).mkdir()
    Path(normalize(stored, "Größe/Café ë.txt")).write_text("here")
    assert read(normalize(typed, "Größe/Café ë.txt")) == ["here"]
    assert read(normalize(typed, "Größe/Café*.txt")) == ["here"]
    assert read(normalize(typed, "Größe/*ë.txt")) == ["here"]


def test_a_variable_is_found_however_it_was_typed(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.run("größe = 'tall'")
    for cell in (f"%%claude\n{{{{{normalize('NFD', 'größe')}}}}}", f"%%claude -a {normalize('NFD', 'größe')}\nhi"):
        assert shell.run(cell).error is None
        assert "tall" in str(endpoint.last.json)
