"""Calls of endpoints as values of a notebook: shown as what they are, in the journal too, and lists that end."""

from __future__ import annotations

import json

from tests.notebook_shell import Shell
from tests.scripted_api import ScriptedAPI
from tests.scripted_api.wire import json_answer
from tests.server import Server


def test_a_request_at_the_end_of_a_cell_shows_its_answer(api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run("from claude_magic import claude\nclaude.request('GET', '/v1/models/claude-opus-5-5')")
    assert ran.error is None
    assert "Claude Opus 5 5" in ran.data("text/html")[0]
    shown = ran.data("text/plain")[0]
    assert "GET /v1/models/claude-opus-5-5 · HTTP 200" in shown
    assert "stop reason" not in shown


def test_the_journal_calls_no_answer_incomplete(api: ScriptedAPI, shell: Shell) -> None:
    shell.run("from claude_magic import claude\n%claude --get /v1/models")
    shown = shell.value("repr(claude.journal.last())")
    assert "GET /v1/models" in shown
    assert "incomplete" not in shown
    assert "? in" not in shown


def test_a_list_whose_cursors_come_again_ends(endpoint: Server, shell: Shell) -> None:
    def page(cursor: str) -> dict[str, object]:
        file = {"id": f"file_{cursor}", "type": "file", "filename": "x", "mime_type": "text/plain", "size_bytes": 1}
        return {"data": [{**file, "created_at": "2026-11-28T12:00:00Z"}], "has_more": True, "next_page": cursor}

    shell.run("from claude_magic import claude")
    endpoint.answers(*[json_answer(page(cursor)) for cursor in "abab"])
    assert shell.value("len(claude.request('GET', '/v1/files', all=True).json['data'])") == 3
    endpoint.answers(*[json_answer(page(cursor)) for cursor in "abab"])
    assert shell.value("len(list(claude.files))") == 3


def test_a_slash_at_the_end_of_a_path_passes_no_budget(endpoint: Server, shell: Shell) -> None:
    shell.run("%config Claude.budget_usd = 0.000001")
    endpoint.answers(json_answer({"input_tokens": 9}))
    body = json.dumps({"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]})
    ran = shell.run(f"%%claude --post /v1/messages/\n{body}")
    assert ran.error is not None
    assert ran.error[0] == "OverBudget"
    ran = shell.run('%%claude --yes --post /v1/messages/batches/\n{"requests": []}')
    assert ran.error is not None
    assert ran.error[0] == "OverBudget"
    assert {received.path for received in endpoint.received} <= {"/v1/messages/count_tokens"}  # free
