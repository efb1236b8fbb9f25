"""Python without IPython: `from claude_magic import claude` is all that is needed, and all that is there is documented."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter

from claude_magic import claude
from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.test_mapping import Echo
from tests.tool_streams import asks

ROOT = Path(__file__).parents[1]
NO_IPYTHON = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("IPython", "ipywidgets", "ipykernel", "comm", "pandas"):
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Refuse())
from claude_magic import claude
"""


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Echo]:
    """An API that answers each question with itself, in upper case."""
    server = Echo()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-8d1f6a0e2b")
    yield server
    server.close()


def run(program: str) -> list[str]:
    """The lines that a script prints in a Python where IPython cannot be imported."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", NO_IPYTHON + program], env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.process
def test_a_script_without_ipython_asks_maps_and_reads_its_journal(echo: Echo) -> None:
    lines = run("""
print(claude("hi").text)
print(list(claude.map(["one", "two"], "say {{prompt}}")))
print(claude.usage.total.exchanges, len(claude.journal.last()), claude.last.code("curl").startswith("curl"))
print(claude("once more", conversation="main").text, len(claude.conversation("main")))
print(any(name.split(".")[0] in ("IPython", "ipywidgets") for name in sys.modules))
""")
    assert lines == ["HI", "['SAY ONE', 'SAY TWO']", "3 3 True", "ONCE MORE 1", "False"]


@pytest.mark.process
def test_a_script_without_ipython_lets_functions_be_called(endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.url)
    endpoint.answers(asks(("add", {"a": 1, "b": 2})), reply("It is 3."))
    lines = run("""
@claude.tool(approve=False)
def add(a: int, b: int) -> int:
    "Adds."
    return a + b

print(claude("1 + 2?", tools=[add]).text, [call.content for call in claude.last.earlier[0].calls])
""")
    assert lines == ["It is 3. [({'type': 'text', 'text': '3'},)]"]


@pytest.mark.process
def test_a_script_without_ipython_is_told_what_needs_a_notebook(echo: Echo) -> None:
    lines = run(
        """
for act in (claude.workbench, lambda: claude("hi", panel=True), lambda: claude("hi", out="x")):
    try:
        act()
    except claude_magic.ClaudeError as error:
        print(error)
""".replace("claude_magic.", "__import__('claude_magic').")
    )
    assert len(lines) == 3
    assert all("notebook" in line for line in lines)


def test_each_listed_name_has_a_docstring() -> None:
    from claude_magic.magics.claude import ClaudeHandle

    assert [name for name in dir(claude) if name != "waiting" and not getattr(ClaudeHandle, name).__doc__] == []


def test_tab_offers_only_listed_names() -> None:
    with Shell() as shell:
        shell.run("from claude_magic import claude")
        completer = shell.user_ns["get_ipython"]().Completer
        with provisionalcompleter():
            offered = {each.text.lstrip(".").removeprefix("claude.") for each in completer.completions("claude.", 7)}
    assert offered == set(dir(claude))


def test_the_workbench_needs_no_load_ext(endpoint: Server) -> None:
    with Shell() as shell:
        ran = shell.run("from claude_magic import claude\nclaude.workbench('hi')")
        assert ran.error is None
        assert shell.value("'claude' in get_ipython().magics_manager.magics['cell']") is True
