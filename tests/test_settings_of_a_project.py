"""A project's defaults, profiles, snippets, and the preview."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_magic import CellError, SettingsError
from claude_magic.prompt.snippets import Snippets
from claude_magic.settings import Claude
from tests.conftest import KEY
from tests.notebook_kernel import Kernel, Ran
from tests.server import JSON, Answer, Server, failure, reply

PROJECT = """
[tool.claude-magic]
model = "claude-haiku-5-5"
max_tokens = 11

[tool.claude-magic.profiles.terse]
system = "Be terse."
max_tokens = 5
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(PROJECT)
    return path


def line(ran: Ran) -> str:
    assert ran.error is not None
    assert len(ran.error[2]) == 1
    return ran.error[2][0]


def test_a_project_has_defaults_below_config(project: Path, kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("%config Claude.max_tokens = 22")
    kernel.run("%%claude\nhi")
    assert (endpoint.last.json["model"], endpoint.last.json["max_tokens"]) == ("claude-haiku-5-5", 22)


def test_a_profile_outweighs_both_and_an_option_all(project: Path, kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("%config Claude.max_tokens = 22")
    kernel.run("%%claude --profile terse\nhi")
    assert (endpoint.last.json["system"], endpoint.last.json["max_tokens"]) == ("Be terse.", 5)
    kernel.run("%%claude --profile terse -t 6\nhi")
    assert endpoint.last.json["max_tokens"] == 6


def test_status_says_where_each_value_comes_from(project: Path, kernel: Kernel, endpoint: Server) -> None:
    kernel.run("%config Claude.max_tokens = 22")
    card = kernel.run("%claude").stdout
    assert f"claude-haiku-5-5   (from {project})" in card
    assert "22   (from %config)" in card


def test_a_file_above_the_notebook_counts(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert Claude().effective()[0].max_tokens == 11


@pytest.mark.parametrize("name", ["base_url", "allow_http", "provider", "local_model"])
def test_a_project_cannot_say_where_the_key_goes(project: Path, name: str) -> None:
    project.write_text(f'[tool.claude-magic]\n{name} = "http://evil.example"\n')
    with pytest.raises(SettingsError, match="must not decide where your key is sent"):
        Claude().effective()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.claude-magic]\nmax_tokens = 0", "Claude.max_tokens = 0 is refused"),
        ("[tool.claude-magic]\nmodle = 'x'", "'modle' is not a project setting"),
        ("[tool.claude-magic", "cannot be read"),
        ("[tool]\nclaude-magic = 3", "is not a table"),
        ("[tool.claude-magic]\nprofiles = 3", "must hold one table"),
    ],
)
def test_a_wrong_file_is_one_line(project: Path, text: str, said: str) -> None:
    project.write_text(text)
    with pytest.raises(SettingsError) as error:
        Claude().effective()
    assert said in str(error.value)
    assert "\n" not in str(error.value).replace("\\n", "")


def test_an_unknown_profile_names_the_known_ones(project: Path) -> None:
    with pytest.raises(SettingsError, match=r"no profile 'x'\. Known: terse"):
        Claude().effective("x")


def test_a_snippet_keeps_options_and_text(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("%%claude --save brief -t 9 -s 'Be brief.'\nYou are a pirate.")
    kernel.run("%%claude --with brief -t 3\nSay hi.")
    body = endpoint.last.json
    assert (body["system"], body["max_tokens"]) == ("Be brief.", 3)
    assert body["messages"][0]["content"] == "You are a pirate.\n\nSay hi."


def test_a_snippet_alone_is_a_cell(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("%%claude --save greet\nSay hi.")
    kernel.run("%%claude --with greet")
    assert endpoint.last.json["messages"][0]["content"] == "Say hi."


def test_snippets_are_listed_shown_and_removed(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("from claude_magic import claude")
    kernel.run("%%claude --save greet -t 5\nSay hi.")
    assert "greet" in kernel.run("claude.snippets").data("text/plain")[0]
    assert kernel.run("claude.snippets['greet']").data("text/plain")[0] == "%%claude -t 5\nSay hi."
    kernel.run("claude.snippets.remove('greet')")
    assert "no snippet 'greet'" in line(kernel.run("%%claude --with greet\nhi"))


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x" * 80, "nul\0"])
def test_a_snippet_s_name_stays_in_its_folder(name: str) -> None:
    with pytest.raises(CellError, match="not a name for a snippet"):
        Snippets().keep(name, "", "text")


def test_a_preview_shows_the_request_and_sends_nothing(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=JSON, pieces=[b'{"input_tokens": 1234}'], framing="length"))
    ran = kernel.run("%%claude --preview -t 100 -m claude-opus-5-5\nhello")
    assert ran.error is None
    assert [r.path for r in endpoint.received] == ["/v1/messages/count_tokens"]
    assert "max_tokens" not in endpoint.last.json
    for fact in (
        '"content": "hello"',
        "x-api-key: $ANTHROPIC_API_KEY",
        "Not sent.",
        "1,234 tokens in",
        "at most $0.0069",
    ):
        assert fact in ran.stdout
    assert KEY not in ran.stdout


def test_a_preview_without_counting_says_so(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "no such path"))
    ran = kernel.run("%%claude --preview -m my-own-model\nhello")
    assert "tokens not counted" in ran.stdout
    assert "price unknown" in ran.stdout


def test_a_preview_does_not_change_the_conversation(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=JSON, pieces=[b'{"input_tokens": 1}'], framing="length"))
    kernel.run("from claude_magic import claude")
    kernel.run("%%claude -c --preview\nhello")
    assert kernel.value("len(claude.conversation())") == 0
