"""The manual, README and CONTRIBUTING say what the code does: tables, links, names, and cells that run."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import claude_magic
from claude_magic.errors import ClaudeError
from claude_magic.journal.migrations import MIGRATIONS
from claude_magic.prompt.options.option import Option
from claude_magic.prompt.options.table import all_options
from claude_magic.settings import Claude
from tests.notebook_shell import Shell
from tests.scripted_api import ScriptedAPI
from tests.server import Server, reply, whole
from tests.test_architecture import FLOORS

ROOT = Path(__file__).parents[1]
MANUAL = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*MANUAL, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)]+)\)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_rows(text: str) -> Iterator[list[str]]:
    """The cells of each table row whose first cell is code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def cells_of(path: Path) -> list[str]:
    """The fenced blocks that are notebook cells."""
    blocks = FENCED.findall(path.read_text(encoding="utf-8"))
    return [code for language, code in blocks if language == "python" or (not language and code.startswith("%"))]


def written(option: Option) -> str:
    """An option, as the first cell of its row."""
    last = " ".join((option.names[-1], *option.words)) + " …" * option.several
    return ", ".join(f"`{name}`" for name in (*option.names[:-1], last))


def test_the_manual_lists_each_option_once_and_no_other() -> None:
    rows = [row[0] for row in table_rows(text_of("docs/options.md"))]
    assert sorted(rows) == sorted({written(option) for option in all_options()})


def test_the_manual_lists_each_setting_once_and_no_other() -> None:
    rows = [row[0].strip("`") for row in table_rows(text_of("docs/settings.md"))]
    assert sorted(rows) == sorted(Claude.class_trait_names(config=True))


def default_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "none" if value is None or value in ("", {}) else f"`{value}`"


def test_the_manual_gives_the_default_of_each_setting() -> None:
    traits = Claude.class_traits(config=True)
    elsewhere = {"base_url", "journal"}  # they follow the environment
    rows = {row[0].strip("`"): row[1] for row in table_rows(text_of("docs/settings.md"))}
    expected = {name: default_text(trait.default()) for name, trait in traits.items() if name not in elsewhere}
    assert {name: default for name, default in rows.items() if name not in elsewhere} == expected


def test_the_manual_names_what_a_project_may_not_set() -> None:
    from claude_magic.settings.project import PROJECT_SETTINGS

    refused = text_of("docs/settings.md").rpartition("So it cannot set")[2]
    assert set(re.findall(r"`(\w+)`", refused)) == set(Claude.class_trait_names(config=True)) - PROJECT_SETTINGS


def members() -> set[str]:
    """What `docs/python.md` says that `claude` has."""
    return set(re.findall(r"^\| `claude\.(\w+)", text_of("docs/python.md"), re.MULTILINE))


def test_the_manual_lists_the_members_of_claude() -> None:
    assert dir(claude_magic.claude) == sorted(members())


def test_the_manual_lists_every_public_name() -> None:
    text = text_of("docs/python.md")
    assert [name for name in claude_magic.__all__ if f"`{name}`" not in text and name != "claude"] == []


def test_the_manual_lists_every_public_error_and_no_other() -> None:
    rows = {row[0].strip("`") for row in table_rows(text_of("docs/python.md"))}
    public = {name: getattr(claude_magic, name) for name in claude_magic.__all__}
    errors = {name for name, kind in public.items() if isinstance(kind, type) and issubclass(kind, ClaudeError)}
    assert {name for name in rows if "claude" not in name} == errors


def test_the_manual_lists_the_tables_and_columns_of_the_journal() -> None:
    connection = sqlite3.connect(":memory:")
    for script in MIGRATIONS:
        connection.executescript(script)
    written_down = {row[0].strip("`"): row[1] for row in table_rows(text_of("docs/journal.md"))}
    names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    assert set(written_down) == {name for name in names if not re.match(r"sqlite_|words_", name)}
    for table in written_down:
        columns = {row[1] for row in connection.execute(f"pragma table_info({table})")}
        named = set(re.findall(r"`(\w+)`", written_down[table]))
        assert columns <= named, table
        assert named - columns <= {"request", "prompt", "reply", "ended"}, table
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", [*MANUAL, ROOT / "README.md"], ids=lambda path: path.stem)
def test_the_cells_of_a_page_run_one_after_another(page: Path, endpoint: Server, api: ScriptedAPI) -> None:
    endpoint.strict = False  # the manual's examples need no real conversation
    Path("notes.txt").write_text("The meeting is on Tuesday.", encoding="utf-8")
    with Shell() as shell:
        endpoint.answers(reply("hello"))
        shell.run("%load_ext claude_magic")
        shell.run("from claude_magic import claude\nimport pandas\ndf = pandas.DataFrame({'a': [1, 2]})")
        shell.run("%claude hello")
        for code in cells_of(page):
            said = '{"messages": [{"role": "user", "content": "hello"}]}' if "claude.prompts" in code else "hello"
            endpoint.answers(reply(said) if code.startswith("%") else whole(said))
            ran = shell.run(code)
            assert ran.error is None, (code, ran.error)


def test_the_readme_has_five_cells() -> None:
    assert len(cells_of(ROOT / "README.md")) == 5


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


def test_the_index_leads_to_every_page() -> None:
    links = set(LINK.findall(text_of("docs/index.md")))
    assert [path.name for path in MANUAL if path.name not in links and path.name != "index.md"] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_make_target_of_a_page_exists(page: Path) -> None:
    targets = re.findall(r"(?:^|`)make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    makefile = text_of("Makefile")
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_contributing_lists_the_floors_of_the_import_law() -> None:
    law = text_of("CONTRIBUTING.md").partition("**Import law.**")[2].partition("Packages on one floor")[0]
    floors = [set(re.findall(r"`([\w/.]+)`", line)) for line in re.findall(r"^\d\. .*$", law, re.MULTILINE)]
    assert floors == [{name or "claude_magic/__init__.py" for name in floor} for floor in FLOORS]


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "docs/how-it-works.md"])
def test_every_file_that_is_named_exists(name: str) -> None:
    named = re.findall(r"`((?:claude_magic|tests|docs|notebooks)/[\w/.-]*)`", text_of(name))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_changelog_names_this_version() -> None:
    assert f"## {claude_magic.__version__}" in text_of("CHANGELOG.md")
