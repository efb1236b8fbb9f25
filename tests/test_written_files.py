"""Files that code execution wrote: listed under the reply, with buttons that download them, or commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from claude_magic import claude
from claude_magic.wire.stored_file import StoredFile, written_ids
from tests.notebook_shell import Shell, forget
from tests.scripted_api import ScriptedAPI, error, json_answer
from tests.server import Answer, Received, message

PNG = b"\x89PNG\r\n\x1a\n\x00\x00"


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    yield
    forget()


def ran(*ids: Any, kind: str = "bash_code_execution", text: str = "Done.") -> Answer:
    """A reply in which code execution wrote files."""
    outputs = [{"type": f"{kind}_output", "file_id": each} for each in ids]
    result = {"type": f"{kind}_result", "stdout": "", "stderr": "", "return_code": 0, "content": outputs}
    content = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": kind, "input": {"command": "make plot"}},
        {"type": f"{kind}_tool_result", "tool_use_id": "srvtoolu_1", "content": result},
        {"type": "text", "text": text},
    ]
    return json_answer(message(content=content, stop_reason="end_turn"))


CELL = "%%claude --no-stream --code-execution\nPlot it."


def widgets(kind: type) -> list[Any]:
    return [each for each in ipywidgets.widgets.widget._instances.values() if isinstance(each, kind)]


def buttons() -> list[Any]:
    return [each for each in widgets(ipywidgets.Button) if each.description == "Download"]


def said() -> str:
    """What stands beside the buttons."""
    rows = [each for each in widgets(ipywidgets.HBox) if "cm-row" in each._dom_classes]
    return " ".join(row.children[-1].value for row in rows)


@pytest.mark.parametrize("kind", ["bash_code_execution", "code_execution"])
def test_a_reply_knows_the_files_that_it_wrote(kind: str, api: ScriptedAPI) -> None:
    stored = api.files.add("plot.png", PNG, "image/png", downloadable=True)
    api.server.answers(ran(stored.id, stored.id, kind=kind))
    exchange = claude("Plot it.", no_stream=True)
    assert [(each.id, each.filename, each.size_bytes) for each in exchange.written] == [("file_001", "plot.png", 10)]
    assert api.calls == ["POST /v1/messages", "GET /v1/files/file_001"]
    assert claude.last is exchange
    assert claude.files[exchange.written[0].id].download().read_bytes() == PNG


def test_they_are_listed_under_the_reply_with_a_button_that_downloads(
    shell: Shell, api: ScriptedAPI, tmp_path: Path
) -> None:
    stored = api.files.add("plot.png", PNG, "image/png", downloadable=True)
    api.server.answers(ran(stored.id))
    cell = shell.run(CELL)
    assert cell.error is None
    listed = [html for html in cell.data("text/html") if "Files that code execution wrote" in html]
    assert len(listed) == 1
    assert "plot.png" in listed[0]
    assert "10 bytes · image/png · file_001" in listed[0]
    assert "claude.files[&#x27;file_001&#x27;].download()" in listed[0]
    assert "claude.files['file_001'].download()" in cell.data("text/plain")[-1]
    (button,) = buttons()
    before = claude.last
    button.click()
    assert (tmp_path / "plot.png").read_bytes() == PNG
    assert "saved as plot.png" in said()
    button.click()
    assert (tmp_path / "plot (1).png").read_bytes() == PNG
    assert "saved as plot (1).png" in said()
    assert claude.last is before


def test_a_button_tells_why_nothing_was_downloaded(shell: Shell, api: ScriptedAPI, tmp_path: Path) -> None:
    stored = api.files.add("plot.png", PNG, "image/png", downloadable=True)
    api.server.answers(ran(stored.id))
    shell.run(CELL)
    stored.downloadable = False
    (button,) = buttons()
    button.click()
    assert "File &#x27;file_001&#x27; is not downloadable" in said()
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.parametrize("name", ["../../evil.png", "/etc/x", "..\\x", "", "<b>x</b>\x1b]0;t\x07"])
def test_a_hostile_name_is_escaped_and_stays_in_the_folder(
    name: str, shell: Shell, api: ScriptedAPI, tmp_path: Path
) -> None:
    stored = api.files.add("x", PNG, "image/png", downloadable=True)

    def hostile(received: Received) -> Answer | None:
        if received.path == f"/v1/files/{stored.id}":
            return json_answer({**stored.metadata, "filename": name})
        return api.answer(received)

    stored.filename = ""
    api.server.respond = hostile
    api.server.answers(ran(stored.id))
    cell = shell.run(CELL)
    assert "<b>x" not in "".join(cell.data("text/html"))
    assert "\x1b" not in "".join(cell.data("text/plain"))
    before = {path for path in tmp_path.iterdir() if path.is_file()}
    (button,) = buttons()
    button.click()
    (written,) = {path for path in tmp_path.iterdir() if path.is_file()} - before
    assert written.read_bytes() == PNG


def test_files_that_cannot_be_asked_about_are_listed_by_their_ids(shell: Shell, api: ScriptedAPI) -> None:
    def without_files(received: Received) -> Answer | None:
        return None if received.path == "/v1/messages" else error(404, "not_found_error", "no files here")

    api.server.respond = without_files
    api.server.answers(ran("file_1", "file_2", "<i>odd</i>", 5, None))
    cell = shell.run(CELL)
    assert cell.error is None
    listed = cell.data("text/plain")[-1]
    assert "file_1 · size unknown" in listed
    assert "file_2" in listed
    assert "<i>" not in "".join(cell.data("text/html"))


def test_of_very_many_files_only_some_are_asked_about_and_shown(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(ran(*(f"file_{number}" for number in range(80))))
    cell = shell.run(CELL)
    assert api.calls.count("POST /v1/messages") == 1
    assert len(api.calls) == 21
    assert "… 30 more" in cell.data("text/plain")[-1]


def test_an_id_leads_nowhere_else(shell: Shell, api: ScriptedAPI) -> None:
    odd = ["../organizations/me", "a/../../models", "..%2f..%2fmodels", "file_1/content", "file_1?page=2", "file_1#x"]
    api.server.answers(ran(*odd))
    cell = shell.run(CELL)
    assert cell.error is None
    asked = [each.removeprefix("GET /v1/files/") for each in api.calls[1:]]
    assert not [each for each in asked if "/" in each or "?" in each or "#" in each]
    assert "file_1?page=2" in cell.data("text/plain")[-1]


def test_replies_side_by_side_list_theirs(shell: Shell, api: ScriptedAPI) -> None:
    stored = [api.files.add(name, PNG, "image/png", downloadable=True) for name in ("a.png", "b.png")]
    api.server.answers(*(ran(each.id) for each in stored))
    cell = shell.run(CELL.replace("--no-stream", "--no-stream --times 2"))
    assert cell.error is None
    listed = cell.data("text/plain")[-1]
    assert "a.png" in listed
    assert "b.png" in listed
    assert len(buttons()) == 2


def test_a_reply_without_files_lists_none(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(ran())
    cell = shell.run(CELL)
    assert "Files that code execution wrote" not in "".join(cell.data("text/html"))
    assert api.calls == ["POST /v1/messages"]


def test_a_replayed_reply_asks_nothing(shell: Shell, api: ScriptedAPI) -> None:
    stored = api.files.add("plot.png", PNG, "image/png", downloadable=True)
    api.server.answers(ran(stored.id))
    shell.run("from claude_magic import claude; claude.settings.replay = 'on'")
    shell.run(CELL, cell_id="a")
    before = len(api.calls)
    cell = shell.run(CELL, cell_id="a")
    assert len(api.calls) == before
    assert "plot.png" in cell.data("text/plain")[-1]
    shell.run("claude.settings.replay = 'only'")
    assert "plot.png" in shell.run(CELL, cell_id="a").data("text/plain")[-1]
    assert len(api.calls) == before


def test_an_exchange_of_the_journal_lists_them_too(shell: Shell, api: ScriptedAPI) -> None:
    api.server.answers(ran("file_404"))
    shell.run(CELL)
    cell = shell.run("from claude_magic import claude\nclaude.journal.exchange(1)")
    assert "claude.files['file_404'].download()" in cell.data("text/plain")[-1]


def test_only_outputs_of_code_execution_are_files() -> None:
    block = {
        "type": "bash_code_execution_tool_result",
        "content": {"content": [{"type": "other", "file_id": "file_1"}]},
    }
    assert written_ids([block, {"type": "text", "content": "x"}, {"type": "x", "content": [1]}]) == []
    assert StoredFile.of_json({"id": 5}) is None
