"""A new option, export language or kind of attachment is one entry in one table."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ipywidgets import HTML

from claude_magic import CellError
from claude_magic.api.token_breakdown import breakdown
from claude_magic.batch.compare import combinations
from claude_magic.cost.token_bounds import token_bound
from claude_magic.display.panel.programs import program_widgets
from claude_magic.display.panel.tabs import tabs
from claude_magic.export import LANGUAGES, Language, program
from claude_magic.export.call import Call
from claude_magic.journal.attachments import extract_attachments, restore_attachments
from claude_magic.prompt.attachments.attach import attach
from claude_magic.prompt.options import table
from claude_magic.prompt.options.help import help_text
from claude_magic.prompt.options.keywords import grading_keywords, options_of, options_of_many
from claude_magic.prompt.options.option import Option, Scope
from claude_magic.prompt.options.options import Options
from claude_magic.prompt.options.parser import parse_line, without_actions
from claude_magic.prompt.snippets import Snippets
from claude_magic.session.pasted_curl import refuse_options
from claude_magic.tools.results import blocks as tool_blocks
from claude_magic.wire import Request
from claude_magic.wire.attachment_kinds import KINDS, AttachmentKind
from tests.notebook_shell import Shell
from tests.server import Server, reply

EVERYWHERE = Scope.MAP | Scope.GRADE | Scope.COMPARE | Scope.CURL | Scope.SNIPPET


def register(monkeypatch: pytest.MonkeyPatch, scope: Scope) -> None:
    """Add `--mood X`, which sets the field `lang`, for one test."""
    mood = Option(
        names=("--mood",), aliases=("--temper",), words=("X",), field="lang", scope=scope, choices=("glad",), help="is:"
    )
    monkeypatch.setattr(table, "_TABLE", [*table.all_options(), mood])


def test_a_new_option_is_read_shown_and_completed(monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    register(monkeypatch, Scope.NONE)
    assert parse_line("--mood glad hi") == (Options(lang="glad"), "hi")
    assert parse_line("--temper glad hi") == (Options(lang="glad"), "hi")
    assert options_of({"mood": "glad"}) == options_of({"temper": "glad"}) == Options(lang="glad")
    shown = [line for line in help_text("all").splitlines() if "--mood" in line]
    assert [line.split() for line in shown] == [["--mood", "X", "is:", "glad"]]
    assert "--temper" not in help_text("all").split()
    assert complete(shell, "%%claude --moo") == ["--mood"]
    assert complete(shell, "%%claude --mood ") == ["glad"]


def test_an_option_applies_only_in_its_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, Scope.NONE)
    with pytest.raises(CellError, match="'mood' is an option of claude"):
        options_of_many({"mood": "glad"})
    with pytest.raises(CellError, match="where NAME is one of model, "):
        parse_line("--compare mood=glad,sad hi")
    with pytest.raises(CellError, match="--mood would change it"):
        refuse_options(Options(lang="glad"))
    assert without_actions("--mood glad -t 6", "") == "-t 6"
    assert grading_keywords({"mood": "glad", "model": "m"}) == {"model": "m"}


def test_an_option_applies_in_all_of_its_scope(monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    register(monkeypatch, EVERYWHERE)
    assert options_of_many({"mood": "glad"}).lang == "glad"
    compared, _ = parse_line("--compare mood=glad,sad hi")
    assert [each.options.lang for each in combinations(compared, {}, Snippets())] == ["glad", "sad"]
    refuse_options(Options(lang="glad"))
    assert without_actions("--mood glad -t 6", "") == "--mood glad -t 6"
    assert grading_keywords({"mood": "glad"}) == {"mood": "glad"}
    assert "mood=" in complete(shell, "%%claude --compare mo")
    assert ", mood." in help_text("all")


@pytest.mark.parametrize("line", ["--finish", "--go-on"])
def test_the_earlier_name_of_finish_means_the_same(line: str, shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Once upon", stop_reason="max_tokens"), reply(" a time."))
    shell.run("%%claude\nTell a tale.")
    ran = shell.run(f"%%claude {line} -o tale")
    assert ran.error is None
    assert shell.value("tale") == "Once upon a time."
    assert options_of({"go_on": True}) == options_of({"finish": True}) == Options(finish=True)


def test_only_new_names_are_shown() -> None:
    assert "--finish" in help_text("all")
    assert "--go-on" not in help_text("all")
    assert "--go-on" not in table.names()


def test_each_option_outside_the_scope_of_curl_is_refused_by_its_name() -> None:
    values: dict[str, Any] = {"thinking": True, "model": "m", "system": "", "stream": False, "schema": "City"}
    values |= {"max_tokens": 5, "attach": ("a",), "tools": ("f",), "server_tools": ("web-fetch",), "finish": True}
    flags = ["--thinking", "-m", "-s", "--no-stream", "--schema", "-t", "-a", "--tools", "--web-fetch", "--finish"]
    for (name, value), flag in zip(values.items(), flags, strict=True):
        with pytest.raises(CellError, match=f"command says: {flag} would change it"):
            refuse_options(Options(**{name: value}, raw=True, count=True, out="x"))


def test_a_new_language_is_in_every_place(monkeypatch: pytest.MonkeyPatch, shell: Shell, endpoint: Server) -> None:
    writer = ModuleType("claude_magic.export.basic")

    def basic(call: Call) -> str:
        return f'10 PRINT "{call.body["messages"][0]["content"]}"'

    writer.program = basic  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "claude_magic.export.basic", writer)
    monkeypatch.setitem(LANGUAGES, "basic", Language(title="BASIC", module="basic"))
    endpoint.answers(reply("ok"))
    shell.run("from claude_magic import claude\nlast = claude('hi')")
    assert shell.value("last.code('basic')") == '10 PRINT "hi"'
    assert '10 PRINT "hi"' in shell.run("%%claude --show basic\nhi").text
    last = shell.user_ns["last"]
    assert program(last.request, "basic") == '10 PRINT "hi"'
    page = HTML()
    assert ("BASIC", "basic") in program_widgets(last, page.layout, page.style)[1].options
    assert '"basic"' in tabs(last)["Code"]
    assert "basic" in help_text("all")
    assert complete(shell, "%%claude --show ba") == ["basic"]
    assert "basic" in languages_of_workbench(shell)


def test_every_language_has_a_title_and_a_writer(endpoint: Server, shell: Shell) -> None:
    endpoint.answers(reply("ok"))
    shell.run("from claude_magic import claude\nlast = claude('a question')")
    last = shell.user_ns["last"]
    assert all(language.title for language in LANGUAGES.values())
    assert all("a question" in program(last.request, name) for name in LANGUAGES)


def complete(shell: Shell, line: str) -> list[str]:
    from claude_magic.magics.ipython.completion import _completions

    return _completions(line, shell.user_ns)[1]


def languages_of_workbench(shell: Shell) -> list[str]:
    from claude_magic.magics.claude import claude
    from claude_magic.magics.workbench.workbench import workbench

    bench = workbench(claude, shell.user_ns, "")
    return list(bench._language.options)


def test_every_field_of_the_options_has_an_option() -> None:
    fields = {field for option in table.all_options() for field in (option.target, option.also) if field}
    assert {field.name for field in dataclasses.fields(Options)} - fields == {"notes"}


SOUND = b"ID3\x04" + bytes(range(256)) * 40


def test_a_new_kind_of_attachment_is_in_every_place(
    monkeypatch: pytest.MonkeyPatch, shell: Shell, endpoint: Server
) -> None:
    sound = AttachmentKind(
        label="recording",
        file_label="MP3",
        formats={"audio/mpeg": re.compile(rb"ID3")},
        endings=(".mp3",),
        max_tokens=7_000,
        has_title=True,
    )
    monkeypatch.setitem(KINDS, "audio", sound)
    Path("talk.bin").write_bytes(SOUND)
    data = base64.b64encode(SOUND).decode()
    block = {"type": "audio", "source": {"type": "base64", "media_type": "audio/mpeg", "data": data}}
    endpoint.answers(reply("ok"))
    ran = shell.run("%%claude -a talk.bin -a https://example.com/a.mp3\nWhat is said?")
    assert endpoint.last.json["messages"][0]["content"][:2] == [
        {**block, "title": "talk.bin"},
        {"type": "audio", "source": {"type": "url", "url": "https://example.com/a.mp3"}, "title": "a.mp3"},
    ]
    assert "MP3, 10 kB" in "".join(ran.data("text/html"))
    body = endpoint.last.json
    assert 14_000 < (token_bound(body) or 0) < 15_000
    found = breakdown(Request(method="POST", url="http://x/v1/messages", headers={}, body=body), lambda _: 100)
    assert "2 recordings" in [portion.name for portion in found]
    kept, attachments = extract_attachments(json.dumps(body).encode())
    assert data not in kept
    assert [each.data for each in attachments] == [SOUND]
    assert restore_attachments(kept, {attachments[0].digest: SOUND}) == body
    assert "audio:https://... (MP3)" in refusal("https://example.com/a")
    assert [each["type"] for each in tool_blocks(SOUND, "f", write=str, hide=str, most=100)] == ["audio"]


def test_data_of_no_kind_is_refused() -> None:
    with pytest.raises(CellError, match="it is a sound"):
        attach("sound", {"sound": SOUND}, write=str)


def refusal(name: str) -> str:
    with pytest.raises(CellError) as caught:
        attach(name, {}, write=str)
    return str(caught.value)
