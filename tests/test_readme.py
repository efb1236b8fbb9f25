"""The README's code runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import claude_magic
from claude_magic.settings import Claude
from tests.notebook_shell import Shell
from tests.server import Server, reply, whole

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_its_cells_run_one_after_another(endpoint: Server) -> None:
    cells = [code for language, code in BLOCKS if language == "python" or code.startswith("%")]
    assert len(cells) >= 4
    with Shell() as kernel:
        for code in cells:
            endpoint.answers(whole("hello") if "max_tokens=" in code else reply("hello"))
            ran = kernel.run(code)
            assert ran.error is None, (code, ran.error)


def test_its_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [
        t
        for t in re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE)
        if not re.search(rf"^{t}:", makefile, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("name", sorted(Claude.class_trait_names(config=True)))
def test_it_names_every_setting(name: str) -> None:
    assert f"`{name}`" in README


def test_its_picture_exists() -> None:
    assert [p for p in re.findall(r"!\[.*?\]\((.*?)\)", README) if not (ROOT / p).is_file()] == []


def test_its_files_exist() -> None:
    links = re.findall(r"(?<!!)\[.*?\]\((?!http)(.*?)\)", README)
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_changelog_names_this_version() -> None:
    assert f"## {claude_magic.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
