"""`-a X --upload` and `-a file_...`: sent once, referred to by id, uploaded again when it is gone."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from claude_magic import claude
from claude_magic.api.multipart import multipart
from claude_magic.display.transfer_bar import TransferBar
from claude_magic.errors import APIError, CellError, NotRecorded
from claude_magic.wire import Exchange, Headers, Request, Response
from claude_magic.wire.answer import Answer as Answered
from claude_magic.wire.transfer import Transfer
from tests.notebook_shell import Shell, forget
from tests.scripted_api import KEY, ScriptedAPI, error
from tests.server import Answer, Received, failure, reply, whole
from tests.tool_streams import asks

PDF = b"%PDF-1.7\n\x00\x01 ..."
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"
CELL = "%%claude -a report.pdf --upload\nWhat is it?"


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    yield
    forget()


@pytest.fixture
def pdf(tmp_path: Path, api: ScriptedAPI) -> Path:
    """A file that a cell may attach, and an API that answers."""
    api.server.answers(reply("A report."))
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    return path


def blocks(api: ScriptedAPI) -> list[dict[str, Any]]:
    """The attachments of the last message that was sent."""
    bodies = [each.json for each in api.server.received if each.path == "/v1/messages"]
    content: list[dict[str, Any]] = bodies[-1]["messages"][-1]["content"]
    return content[:-1]


def document(file_id: str, title: str = "report.pdf") -> dict[str, Any]:
    return {"type": "document", "source": {"type": "file", "file_id": file_id}, "title": title}


def notes() -> str:
    assert claude.last is not None
    return " | ".join(claude.last.notes)


def test_a_file_is_uploaded_once_and_sent_by_its_id(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    ran = shell.run(CELL)
    assert ran.error is None
    assert api.calls == ["POST /v1/files", "POST /v1/messages"]
    assert blocks(api) == [document("file_001")]
    assert PDF not in api.server.last.body
    assert "report.pdf was uploaded: file_001" in notes()
    assert shell.run(CELL).error is None
    assert api.calls[2:] == ["GET /v1/files/file_001", "POST /v1/messages"]
    assert blocks(api) == [document("file_001")]
    assert "report.pdf was uploaded before: file_001" in notes()


def test_another_kernel_knows_it_too(api: ScriptedAPI, pdf: Path) -> None:
    claude("What is it?", attach=["report.pdf"], upload=True)
    forget()
    claude("And now?", attach=["report.pdf"], upload=True)
    assert api.calls.count("POST /v1/files") == 1
    assert blocks(api) == [document("file_001")]


def test_the_content_decides_and_not_the_name(api: ScriptedAPI, pdf: Path, tmp_path: Path) -> None:
    claude("?", attach=["report.pdf"], upload=True)
    (tmp_path / "copy.pdf").write_bytes(PDF)
    claude("?", attach=["copy.pdf"], upload=True)
    assert blocks(api) == [document("file_001", "copy.pdf")]
    pdf.write_bytes(PDF + b"changed")
    claude("?", attach=["report.pdf"], upload=True)
    assert blocks(api) == [document("file_002")]
    assert api.calls.count("POST /v1/files") == 2


def test_a_file_that_was_uploaded_by_hand_is_known(api: ScriptedAPI, pdf: Path) -> None:
    file = claude.files.upload("report.pdf")
    claude("?", attach=["report.pdf"], upload=True)
    assert blocks(api) == [document(file.id)]
    assert api.calls.count("POST /v1/files") == 1


@pytest.mark.parametrize("how", ["deleted", "expired", "expired by the server's clock", "gone after its expiry"])
def test_a_file_that_is_gone_is_uploaded_again(how: str, api: ScriptedAPI, pdf: Path) -> None:
    claude("?", attach=["report.pdf"], upload=True)
    stored = api.files.stored["file_001"]
    if how == "deleted":
        claude.files["file_001"].delete(yes=True)
    elif how == "expired":
        stored.expires = api.clock.now.replace(year=2020)
        api.clock.now = stored.expires
    elif how == "expired by the server's clock":
        stored.expires = api.clock.now.replace(day=22)  # the scripted server says that it is the 22nd
        api.clock.now = stored.expires
    else:
        stored.expires = api.clock.now
        api.clock.advance(days=31)
    claude("?", attach=["report.pdf"], upload=True)
    assert api.calls.count("POST /v1/files") == 2
    assert blocks(api) == [document("file_002")]
    assert "was uploaded: file_002" in notes()
    claude("?", attach=["report.pdf"], upload=True)
    assert api.calls.count("POST /v1/files") == 2


def test_a_file_is_known_for_its_own_key_and_workspace_only(
    api: ScriptedAPI, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude("?", attach=["report.pdf"], upload=True)
    workspace = {"anthropic-workspace-id": "wrkspc_1"}
    claude("?", attach=["report.pdf"], upload=True, header=workspace)
    posted = [each for each in api.server.received if each.path == "/v1/files"]
    assert [each.headers.get("anthropic-workspace-id") for each in posted] == [None, "wrkspc_1"]
    claude("?", attach=["report.pdf"], upload=True, header=workspace)
    assert api.calls.count("POST /v1/files") == 2
    other = ScriptedAPI(api.server, key="other-key-5f1c2a9d4e")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "other-key-5f1c2a9d4e")
    claude("?", attach=["report.pdf"], upload=True)
    assert list(other.files.stored) == ["file_001"]


def test_no_key_and_nothing_that_leads_to_it_fast_is_in_the_journal(api: ScriptedAPI, pdf: Path) -> None:
    import hashlib

    claude("?", attach=["report.pdf"], upload=True)
    claude.journal.writer.flush()
    everything = b"".join(path.read_bytes() for path in claude.journal.path.parent.iterdir())
    assert KEY.encode() not in everything
    for name in ("md5", "sha1", "sha256", "sha512"):
        assert hashlib.new(name, KEY.encode()).hexdigest()[:16].encode() not in everything


def test_without_a_journal_it_is_known_in_this_kernel(api: ScriptedAPI, pdf: Path) -> None:
    claude.settings.journal = ""
    for _ in range(2):
        claude("?", attach=["report.pdf"], upload=True)
    assert api.calls.count("POST /v1/files") == 1
    claude.files["file_001"].delete(yes=True)
    claude("?", attach=["report.pdf"], upload=True)
    assert blocks(api) == [document("file_002")]


def test_what_the_journal_forgets_is_forgotten(api: ScriptedAPI, pdf: Path) -> None:
    claude("?", attach=["report.pdf"], upload=True)
    claude.journal.forget(before="2100-01-01")
    claude("?", attach=["report.pdf"], upload=True)
    assert api.calls.count("POST /v1/files") == 2


def test_several_files_values_and_addresses_at_once(shell: Shell, api: ScriptedAPI, pdf: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    (tmp_path / "b.csv").write_text("c,d\n")
    (tmp_path / "c.png").write_bytes(PNG)
    shell.run("rows = [1, 2, 3]; data = b'%PDF-1.4 data'")
    cell = "%%claude -a '?.csv' -a rows -a data -a c.png -a https://a.example/x.pdf --upload\nWhat?"
    assert shell.run(cell).error is None
    sent = blocks(api)
    assert [each["type"] for each in sent] == ["document", "document", "document", "document", "image", "document"]
    assert [each["source"]["type"] for each in sent] == ["file"] * 5 + ["url"]
    stored = [(each.filename, each.mime_type) for each in api.files.stored.values()]
    assert stored == [
        ("a.csv", "text/plain"),
        ("b.csv", "text/plain"),
        ("rows.txt", "text/plain"),
        ("data.pdf", "application/pdf"),
        ("c.png", "image/png"),
    ]


def test_what_no_document_takes_goes_to_code_execution_and_it_is_said_if_there_is_none(
    shell: Shell, api: ScriptedAPI, pdf: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.heic").write_bytes(HEIC)
    assert shell.run("%%claude -a a.heic --upload\nWhat?").error is None
    assert blocks(api) == [{"type": "container_upload", "file_id": "file_001"}]
    assert "only code execution reads a container_upload" in notes()
    (tmp_path / "a.csv").write_text("a,b\n")
    cell = "%%claude -a container_upload:a.csv --upload --code-execution\nSum it."
    assert shell.run(cell).error is None
    assert blocks(api) == [{"type": "container_upload", "file_id": "file_002"}]
    assert "only code execution" not in notes()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-a image:report.pdf --upload", "an uploaded image is PNG, JPEG, GIF or WebP"),
        ("-a empty.txt --upload", "it is empty"),
        ("-a missing.pdf --upload", "no file in"),
        ("-a . --upload", "it is a folder"),
        ("--upload", "there is nothing to upload"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    line: str, said: str, shell: Shell, api: ScriptedAPI, pdf: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    ran = shell.run(f"%%claude {line}\nWhat?")
    assert ran.error is not None
    assert said in ran.error[1]
    assert api.calls == []


def test_an_upload_that_fails_asks_nothing_of_a_model(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    api.server.respond = lambda _: error(413, "request_too_large", "File exceeds the maximum of 500 MB")
    ran = shell.run(CELL)
    assert ran.error is not None
    assert "File exceeds the maximum of 500 MB" in ran.error[1]
    assert api.calls == ["POST /v1/files"]
    api.server.respond = api.answer
    assert shell.run(CELL).error is None
    assert blocks(api) == [document("file_001")]


def test_a_file_with_a_key_in_it_is_not_uploaded(shell: Shell, api: ScriptedAPI, pdf: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"KEY={KEY}\n")
    ran = shell.run("%%claude -a .env --upload\nWhat?")
    assert ran.error is not None
    assert "looks like an API key, so nothing was sent" in ran.error[1]
    assert api.calls == []


def test_replies_side_by_side_share_one_upload(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    assert shell.run("%%claude -a report.pdf --upload --times 3\nWhat?").error is None
    assert api.calls.count("POST /v1/files") == 1
    sent = [each.json["messages"][0]["content"][0] for each in api.server.received if each.path == "/v1/messages"]
    assert sent == [document("file_001")] * 3
    assert "report.pdf was uploaded: file_001" in notes()


def test_a_message_batch_refers_to_the_id_and_uploads_once(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    assert shell.run("%%claude --batch -a report.pdf --upload --times 2 -o batch\nWhat?").error is None
    assert shell.run("batch.wait()").error is None
    (made,) = api.batches.batches.values()
    contents = [each["params"]["messages"][0]["content"] for each in made.requests]
    assert [content[0] for content in contents] == [document("file_001")] * 2
    assert api.calls.count("POST /v1/files") == 1


def test_a_conversation_goes_on_with_the_id(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    shell.run("%%claude -c -a report.pdf --upload\nWhat?", cell_id="a")
    assert shell.run("%%claude -c\nAnd?", cell_id="b").error is None
    messages = api.server.last.json["messages"]
    assert messages[0]["content"][0] == document("file_001")
    assert len(messages) == 3
    assert api.calls.count("POST /v1/files") == 1


@pytest.mark.parametrize("action", ["--show python", "--preview", "--count"])
def test_what_sends_nothing_uploads_nothing(action: str, shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    ran = shell.run(f"%%claude -a report.pdf --upload {action}\nWhat?")
    assert ran.error is None
    if action != "--count":
        assert '"file_id": "(the id of report.pdf, once it is uploaded)"' in ran.text
    if action == "--show python":
        assert "attached: report.pdf" in ran.text
        assert "not uploaded yet: the cell uploads it when it runs, and its id is not known before" in ran.text
        assert api.calls == []
    else:
        assert "not counted: report.pdf, not uploaded yet." in ran.text
        assert set(api.calls) == {"POST /v1/messages/count_tokens"}
        assert not any(b"file_id" in each.body for each in api.server.received)
    if action == "--preview":
        assert "price unknown" in ran.text
    api.server.received.clear()
    claude.files.upload("report.pdf")
    ran = shell.run(f"%%claude -a report.pdf --upload {action}\nWhat?")
    assert ran.error is None
    assert api.calls.count("POST /v1/files") == 1
    if action == "--show python":
        assert "file_001" in ran.text
    else:
        counted = [each.json for each in api.server.received if each.path.endswith("count_tokens")]
        assert "file_001" in json.dumps(counted)


def test_the_local_model_has_no_files(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    shell.run("%config Claude.provider = 'local'")
    ran = shell.run(CELL)
    assert ran.error is not None
    assert "the local model has no Files API" in ran.error[1]
    assert api.calls == []


def test_a_turn_with_tools_uploads_once_and_goes_on_with_the_id(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    shell.run(
        "from claude_magic import claude\n@claude.tool(approve=False)\ndef add(a: int, b: int) -> int:\n    return a + b"
    )
    api.server.answers(asks(("add", {"a": 1, "b": 2})), reply("3"))
    assert shell.run("%%claude --tools add -a report.pdf --upload\nAdd.").error is None
    messages = [each.json["messages"] for each in api.server.received if each.path == "/v1/messages"]
    assert [each[0]["content"][0] for each in messages] == [document("file_001")] * 2
    assert len(messages[1]) == 3
    assert api.calls.count("POST /v1/files") == 1


# On the way


def test_a_file_is_read_in_blocks_each_time_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    content = bytes(range(256)) * 4_000
    path.write_bytes(content)
    body = multipart({"expires_in_seconds": 3600}, [("file", path)])
    counted: list[int] = []
    body = replace(body, sent=counted.append)
    for _ in range(2):
        pieces = list(body)
        assert max(map(len, pieces)) <= 262_144
        assert content in b"".join(pieces)
    assert counted[-1] == len(body) == sum(map(len, pieces))
    assert counted == sorted(counted[: len(counted) // 2]) * 2
    path.write_bytes(content[:-1])
    with pytest.raises(CellError, match="became shorter"):
        list(body)


def test_a_server_that_refuses_before_it_has_read_all_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = b'{"type":"error","error":{"type":"request_too_large","message":"at most 500 MB, please"}}'
    head = b"HTTP/1.1 413 X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(head % len(words) + words)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1_000_000):  # what was on its way
                    pass

        threading.Thread(target=refuse, daemon=True).start()
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        (tmp_path / "large.bin").write_bytes(b"\x00" * 20_000_000)
        with pytest.raises(APIError, match="at most 500 MB, please"):
            claude.files.upload("large.bin")


def test_a_bar_shows_how_much_is_sent() -> None:
    transfer = Transfer("a.pdf", 4_000_000)
    transfer.count(1_000_000)
    assert transfer.text == "uploading a.pdf █████░░░░░░░░░░░░░░░ 1.0 MB of 4.0 MB"
    transfer.count(4_000_300)
    assert "████████████████████ 4.0 MB of 4.0 MB" in transfer.text
    assert "░" * 20 in Transfer("empty").text


def test_the_bar_of_an_upload_and_of_a_download_is_gone_at_its_end(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tqdm.auto.tqdm", tqdm)  # that of a terminal
    transfer = Transfer("a.pdf", 4_000_000)
    with TransferBar(transfer) as bar:
        transfer.count(1_000_000)
        bar.show(Exchange(request=Request(method="POST", url="")))
    assert "a.pdf:  25%" in capfd.readouterr().err
    request = Request(method="GET", url="")
    arrived = Exchange(
        request=request,
        response=Response(headers=Headers([("content-length", "2000000")])),
        answer=Answered(kind="binary", size=1_500_000),
    )
    with TransferBar(Transfer("b.pdf")) as bar:
        bar.show(Exchange(request=request))
        bar.show(arrived)
    assert "b.pdf:  75%" in capfd.readouterr().err


# By id


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        ("image/png", "image"),
        ("application/pdf", "document"),
        ("text/plain", "document"),
        ("text/csv", "container_upload"),
        ("application/zip", "container_upload"),
    ],
)
def test_an_id_becomes_the_block_that_its_type_allows(
    kind: str, block: str, shell: Shell, api: ScriptedAPI, pdf: Path
) -> None:
    stored = api.files.add("x", b"x", kind)
    assert shell.run(f"%%claude -a {stored.id}\nWhat?").error is None
    (sent,) = blocks(api)
    assert sent["type"] == block
    assert sent.get("source", sent)["file_id"] == stored.id
    assert api.calls == [f"GET /v1/files/{stored.id}", "POST /v1/messages"]


def test_a_kind_that_is_said_is_not_looked_up(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    long = "file_011CNha8iCJcU1wXNR6q4V8w"
    for kind in ("image", "document", "container_upload"):
        assert shell.run(f"%%claude -a {kind}:{long} -a {kind}:file_001\nWhat?").error is None
        assert [each["type"] for each in blocks(api)] == [kind, kind]
    assert set(api.calls) == {"POST /v1/messages"}


def test_an_id_that_is_not_there_is_told_in_the_words_of_the_api(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    ran = shell.run("%%claude -a file_404\nWhat?")
    assert ran.error is not None
    assert "File not found: file_404" in ran.error[1]
    assert api.calls == ["GET /v1/files/file_404"]


def test_a_gateway_that_cannot_look_it_up_gets_a_document_and_that_is_said(
    shell: Shell, api: ScriptedAPI, pdf: Path
) -> None:
    def without_files(received: Received) -> Answer | None:
        return None if received.path == "/v1/messages" else failure(403, "permission_error", "no files here")

    api.server.respond = without_files
    assert shell.run("%%claude -a file_001\nWhat?").error is None
    assert blocks(api) == [{"type": "document", "source": {"type": "file", "file_id": "file_001"}}]
    assert "file_001 is sent as a document, as its kind could not be looked up" in notes()


def test_a_variable_and_a_file_of_that_name_come_first(
    shell: Shell, api: ScriptedAPI, pdf: Path, tmp_path: Path
) -> None:
    (tmp_path / "file_002").write_text("text")
    shell.run("file_001 = 'value'")
    assert shell.run("%%claude -a file_001 -a file_002\nWhat?").error is None
    assert [each["source"]["type"] for each in blocks(api)] == ["text", "text"]
    ran = shell.run("%%claude -a file_name\nWhat?")
    assert ran.error is not None
    assert "no file in" in ran.error[1]


# Replay


def test_a_recording_is_replayed_where_nothing_was_uploaded(
    shell: Shell, api: ScriptedAPI, pdf: Path, tmp_path: Path
) -> None:
    assert shell.run(CELL, cell_id="a").error is None
    assert shell.run("from claude_magic import claude; claude.record('x.recording.txt')").error is None
    assert shell.run(CELL.replace("What is it", "Really"), cell_id="b").error is None
    shell.run("claude.record(None); %config Claude.journal = 'elsewhere.db'")
    shell.run("claude.replay('x.recording.txt')")
    before = len(api.calls)
    for text, cell in (("What is it", "a"), ("Really", "b")):
        ran = shell.run(CELL.replace("What is it", text), cell_id=cell)
        assert ran.error is None, ran.error
        assert "A report." in ran.data("text/plain")[0]
    assert len(api.calls) == before


def test_an_upload_before_the_recording_is_in_it_as_soon_as_its_id_is_used(api: ScriptedAPI, pdf: Path) -> None:
    claude("First?", attach=["report.pdf"], upload=True)
    forget()  # another kernel
    claude.record("x.recording.txt")
    claude("Second?", attach=["report.pdf"], upload=True)
    claude.record(None)
    claude.settings.journal = "elsewhere.db"
    claude.replay("x.recording.txt")
    before = len(api.calls)
    assert claude("Second?", attach=["report.pdf"], upload=True).text == "A report."
    with pytest.raises(NotRecorded):
        claude("Third?", attach=["report.pdf"], upload=True)
    assert len(api.calls) == before


def test_a_recording_needs_no_key(api: ScriptedAPI, pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claude.record("x.recording.txt")
    claude("First?", attach=["report.pdf"], upload=True)
    claude.record(None)
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name)
    claude.settings.journal = "elsewhere.db"
    claude.replay("x.recording.txt")
    assert claude("First?", attach=["report.pdf"], upload=True).text == "A report."


def test_the_journal_alone_answers_where_nothing_is_sent(api: ScriptedAPI, pdf: Path) -> None:
    claude("What?", attach=["report.pdf"], upload=True)
    claude.settings.replay = "only"
    before = len(api.calls)
    assert claude("What?", attach=["report.pdf"], upload=True).text == "A report."
    pdf.write_bytes(PDF + b"changed")
    with pytest.raises(CellError, match="recorded"):
        claude("What?", attach=["report.pdf"], upload=True)
    assert len(api.calls) == before


def test_stop_while_a_file_is_sent_asks_nothing(shell: Shell, api: ScriptedAPI, pdf: Path) -> None:
    def stopped(received: Received) -> Answer:
        shell.interrupt()
        return Answer(framing="raw", pieces=[60.0])

    api.server.respond = stopped
    ran = shell.run(CELL)
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert api.calls == ["POST /v1/files"]


def test_an_api_error_of_the_lookup_is_no_reason_to_upload_twice(api: ScriptedAPI, pdf: Path) -> None:
    claude("?", attach=["report.pdf"], upload=True)

    def down(received: Received) -> Answer | None:
        if received.method == "GET":
            return error(401, "authentication_error", "no", ("x-should-retry", "false"))
        return whole("Fine.") if received.path == "/v1/messages" else api.answer(received)

    api.server.respond = down
    assert claude("?", attach=["report.pdf"], upload=True, no_stream=True).text == "Fine."
    assert api.calls.count("POST /v1/files") == 1
    with pytest.raises(APIError):
        claude.files["file_001"].metadata  # noqa: B018  asks for it
