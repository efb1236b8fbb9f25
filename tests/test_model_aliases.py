"""`haiku`, `sonnet` and `opus` for a model: the newest of that family; what is sent and kept holds the real id."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.api import known_models
from claude_magic.session import model_list
from claude_magic.settings import Claude
from tests.notebook_shell import Shell
from tests.scripted_api import ScriptedAPI
from tests.scripted_api.models import model
from tests.server import Server, reply

CLAUDE = "from claude_magic import claude\n"


@pytest.fixture(autouse=True)
def no_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_list, "_failures", {})


def messages(server: Server) -> list[dict[str, Any]]:
    """The bodies of the requests for a message."""
    return [each.json for each in server.received if each.method == "POST"]


def test_a_family_is_its_newest_model_that_the_endpoint_lists(shell: Shell, api: ScriptedAPI) -> None:
    api.models.all = [
        model("claude-opus-5-5", created_at="2026-09-22T00:00:00Z"),
        model("claude-opus-6", created_at="2026-11-20T00:00:00Z"),
        model("claude-opus-7", created_at="2026-11-25T00:00:00Z", lifecycle="retired"),
    ]
    api.server.answers(reply("Hi", model="claude-opus-6"))
    ran = shell.run("%%claude -m opus\nhi")
    assert [each["model"] for each in messages(api.server)] == ["claude-opus-6"]
    assert "claude-opus-6 · " in ran.data("text/html")[0]
    assert "asked for" not in ran.data("text/html")[0]


def test_the_list_is_asked_for_once_a_day(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(reply("Hi"))
    shell.run("%%claude -m opus\nhi")
    shell.run("%%claude -m haiku\nhi")
    shell.run(f"{CLAUDE}claude.map(['a', 'b', 'c'], model='sonnet')")
    assert [call for call in api.calls if call.startswith("GET")] == ["GET /v1/models?limit=1000"]
    sent = [each["model"] for each in messages(api.server)]
    assert sent == ["claude-opus-5-5", "claude-haiku-5-5", *["claude-sonnet-5-5"] * 3]


def test_a_model_by_its_id_needs_no_list(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(reply("Hi"))
    shell.run("%%claude -m claude-opus-4-8\nhi")
    assert api.calls == ["POST /v1/messages"]


def test_where_the_endpoint_lists_none_the_dated_data_decides_and_that_is_said(shell: Shell, api: ScriptedAPI) -> None:
    api.parts = api.parts[1:]
    api.server.answers(reply("Hi", model="claude-haiku-5-5"))
    ran = shell.run("%%claude -m haiku\nhi")
    assert messages(api.server)[0]["model"] == "claude-haiku-5-5"
    assert f"haiku is claude-haiku-5-5, the newest as of {known_models.as_of()}" in ran.data("text/html")[0]


def test_the_setting_may_be_a_family_and_the_status_names_its_model(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(reply("Hi"))
    ran = shell.run("%config Claude.model = 'sonnet'\n%claude")
    assert "sonnet, which is claude-sonnet-5-5" in ran.stdout
    shell.run("%%claude\nhi")
    assert messages(api.server)[0]["model"] == "claude-sonnet-5-5"


def test_exports_and_the_journal_hold_the_id(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(reply("Hi"))
    shell.run("%%claude -m opus\nhi")
    ran = shell.run(
        f"{CLAUDE}print(claude.last.code('curl'))\nprint(claude.journal.exchange(claude.last.entry).request.body['model'])"
    )
    assert ran.error is None
    assert "claude-opus-5-5" in ran.text.splitlines()[-1]
    assert '"opus"' not in ran.text
    assert '"model": "claude-opus-5-5"' in shell.run("%%claude -m opus --show curl\nhi").text


def test_a_recorded_answer_is_found_after_a_newer_model_came(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(reply("An older answer."))
    shell.run("%%claude -m opus\nhi")
    settings = shell.run(f"{CLAUDE}claude.settings.replay = 'only'")
    assert settings.error is None
    model_list.cache_path(Claude()).unlink(missing_ok=True)
    ran = shell.run("%%claude -m opus\nhi")
    assert ran.error is None
    assert "An older answer." in ran.data("text/plain")[0]


def test_several_families_are_compared(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(reply("Hi"))
    shell.run("%%claude --compare model=haiku,opus\nhi")
    assert {each["model"] for each in messages(api.server)} == {"claude-haiku-5-5", "claude-opus-5-5"}


def test_tab_completes_families_and_ids(shell: Shell) -> None:
    assert {"opus", "haiku", "sonnet", "claude-opus-5-5"} <= set(shell.complete("%%claude -m ")["matches"])
    assert shell.complete("%%claude -m hai")["matches"] == ["haiku"]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("claude-opus-5-5", "opus"),
        ("claude-3-5-haiku-20241022", "haiku"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet"),
        ("claude-instant", ""),
        ("llama3", ""),
    ],
)
def test_the_family_of_a_model(name: str, family: str) -> None:
    assert known_models.family(name) == family


def test_versions_decide_where_a_release_date_is_missing() -> None:
    known = {"claude-opus-4-8": "2027-01-01", "claude-opus-5-5": "", "claude-opus-10": "", "claude-haiku-99": ""}
    assert known_models.members("opus", known) == ["claude-opus-10", "claude-opus-5-5", "claude-opus-4-8"]
