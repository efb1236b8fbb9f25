"""`--show` of any endpoint: each program, run, sends what the cell would send."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from claude_magic import claude
from claude_magic.export import LANGUAGES, program
from claude_magic.session.endpoint_call import endpoint_call
from claude_magic.session.endpoint_send import preview_request
from claude_magic.wire import Request
from tests.export_programs import run_node, run_python, run_shell
from tests.notebook_shell import Shell, forget
from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI, json_answer
from tests.scripted_api.files import parts_of
from tests.scripted_api.wire import Asked
from tests.server import Answer, Received


@dataclass(frozen=True)
class Case:
    """A call, and whether the SDKs have a method for it."""

    method: str
    path: str
    how: dict[str, Any] = field(default_factory=dict)
    sdk: str = ""


CASES = {
    "list": Case("GET", "/v1/models?limit=5&lifecycle[]=active&lifecycle[]=deprecated", sdk="client.models.list("),
    "one": Case("GET", "/v1/models/claude-opus-5-5", sdk="client.models.retrieve("),
    "count": Case(
        "POST",
        "/v1/messages/count_tokens",
        {"body": {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": 'It\'s "é" ${x}'}]}},
        sdk="client.messages.count_tokens(",
    ),
    "delete": Case("DELETE", "/v1/files/file_011", sdk="client.files.delete("),
    "two ids": Case(
        "POST",
        "/v1/organizations/workspaces/wrkspc_01/members/user_01",
        {"body": {"workspace_role": "workspace_admin"}},
        sdk="client.organization.workspaces.members.update(",
    ),
    "beta": Case("GET", "/v1/agents?limit=3", sdk="client.beta.agents.list("),
    "other beta": Case(
        "GET", "/v1/agents", {"headers": {"anthropic-beta": "mine-2026-01-01"}}, sdk="client.beta.agents.list("
    ),
    "report": Case("GET", "/v1/organizations/cost_report?starting_at=2026-11-01T00:00:00Z&group_by[]=description"),
    "field that no SDK knows": Case(
        "POST", "/v1/organizations/invites", {"body": {"email": "a@example.com", "role": "user", "x": 1}}
    ),
    "unknown": Case("PUT", "/v1/things/a%20b", {"body": {"x": [1, None]}}),
    "upload": Case(
        "POST",
        "/v1/files",
        {"files": {"file": "report.txt"}, "body": {"expires_in_seconds": 3600}},
        sdk="client.files.upload(",
    ),
    "download": Case("GET", "/v1/files/file_011/content", sdk="client.files.download("),
}


@pytest.fixture
def request_of(api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    Path("report.txt").write_text("hello", encoding="utf-8")

    def made(case: Case) -> Request:
        call = endpoint_call(case.method, case.path, base_url=api.server.url, **case.how)
        return preview_request(claude.settings.effective()[0], call)

    yield made
    forget()


def facts(received: Received) -> dict[str, Any]:
    """What has to be the same."""
    headers = received.headers
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    body: Any = received.body
    if "boundary=" in headers.get("content-type", ""):
        asked = Asked(method="POST", path="", query=[], headers=headers, body=received.body)
        body = sorted((part.name, part.filename, part.content) for part in parts_of(asked))
    elif body:
        body = received.json
    parts = urlsplit(received.path)
    return {
        "method": received.method,
        "path": parts.path,
        "query": sorted(parse_qsl(parts.query)),
        "beta": headers.get("anthropic-beta"),
        "version": headers.get("anthropic-version"),
        "key": key,
        "body": body,
    }


def run(language: str, texts: list[str], folder: Path, node: Path | None) -> str:
    """Run the programs, one after another; what they printed."""
    environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_ADMIN_KEY": ADMIN_KEY}
    if language == "curl":
        return "".join(run_shell("sh", text, folder, environment) for text in texts)
    if language == "typescript":
        assert node is not None
        (node / "report.txt").write_text("hello", encoding="utf-8")
        return run_node(texts, node, environment)
    return run_python(texts, folder, environment)


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node finds the official SDK."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NO NODE OR NO NPM: the TypeScript programs are not run")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "@anthropic-ai/sdk@^1.12"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    if made.returncode:
        pytest.skip(f"NPM CANNOT INSTALL @anthropic-ai/sdk: the TypeScript programs are not run: {made.stderr[-300:]}")
    return folder


@pytest.mark.process
@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "http"])
def test_the_programs_send_what_the_call_sends(
    language: str, api: ScriptedAPI, request_of: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    node = request.getfixturevalue("node_folder") if language == "typescript" else None
    answer = json_answer({"data": [], "id": "x", "input_tokens": 1})
    binary = Answer(headers=(("content-type", "text/plain"),), pieces=[b"bytes"], framing="length")
    api.server.respond = lambda asked: binary if asked.path.endswith("/content") else answer  # type: ignore[method-assign]
    ours, texts = [], []
    for case in CASES.values():
        texts.append(program(request_of(case), language))
        assert KEY not in texts[-1]
        assert ADMIN_KEY not in texts[-1]
        how = {name: value for name, value in case.how.items() if name != "body"}
        claude.request(case.method, case.path, yes=True, json=case.how.get("body"), **how)
        ours.append(facts(api.server.last))
    before = len(api.server.received)
    printed = run(language, texts, tmp_path, node)
    theirs = [facts(each) for each in api.server.received[before:]]
    assert len(theirs) == len(ours), printed
    for name, text, their, our in zip(CASES, texts, theirs, ours, strict=True):
        assert their == our, (name, text)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.sdk])
def test_the_sdks_own_method_is_called_where_there_is_one(name: str, request_of: Any) -> None:
    assert CASES[name].sdk in program(request_of(CASES[name]), "python")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.sdk])
@pytest.mark.parametrize("language", ["python", "typescript", "openai"])
def test_else_the_generic_one(name: str, language: str, request_of: Any) -> None:
    assert f"client.{CASES[name].method.lower()}(" in program(request_of(CASES[name]), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cell_prints_the_program_and_sends_nothing(language: str, api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run(f"%claude --delete /v1/files/file_011 --show {language}")
    assert ran.error is None
    assert "file_011" in ran.text
    assert KEY not in ran.text
    assert api.calls == []


def test_a_program_without_any_key_names_the_right_variable(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    shell.run("%config Claude.provider = 'anthropic'")
    assert "$ANTHROPIC_ADMIN_KEY" in shell.run("%claude --get /v1/organizations/me --show curl").text
    assert "$ANTHROPIC_API_KEY" in shell.run("%claude --get /v1/models --show curl").text
