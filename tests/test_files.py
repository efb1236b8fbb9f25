"""`claude.files`: table, upload, download, deletion, against a Files API that keeps state; bytes as the official SDK's."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import anthropic
import pytest
import yaml

from claude_magic import claude
from claude_magic.errors import APIError, CellError
from claude_magic.wire.media_type import block_type, media_type
from claude_magic.wire.stored_file import StoredFile
from tests.notebook_shell import Shell, forget
from tests.scripted_api import KEY, ScriptedAPI, error, json_answer
from tests.server import Received

PDF = b"%PDF-1.7\n\x00\x01 ..."
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"
ZIP = b"PK\x03\x04\x00\x00"
MACRON = "ā"


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    yield
    forget()


def test_an_upload_returns_the_file_as_the_api_describes_it(api: ScriptedAPI, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(PDF)
    file = claude.files.upload("notes.pdf")
    assert (file.id, file.filename, file.mime_type) == ("file_001", "notes.pdf", "application/pdf")
    assert (file.size_bytes, file.downloadable, file.expires_at) == (len(PDF), False, "")
    assert file.metadata["created_at"] == file.created_at == "2026-11-28T12:00:00Z"
    assert api.calls == ["POST /v1/files"]
    assert api.files.stored["file_001"].content == PDF


def test_an_upload_may_expire(api: ScriptedAPI, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    assert claude.files.upload("a.txt", expires=timedelta(hours=2)).expires_at == "2026-11-28T14:00:00Z"
    assert [part.name for part in api.files.parts] == ["expires_in_seconds", "file"]
    assert claude.files.upload(Path("a.txt"), expires=3600).expires_at == "2026-11-28T13:00:00Z"
    with pytest.raises(APIError, match="must be between 3600 and 7776000"):
        claude.files.upload("a.txt", expires=1)


def test_bytes_are_uploaded_with_a_name_or_with_none(api: ScriptedAPI) -> None:
    claude.files.upload(PDF, name="x")
    assert (api.files.parts[0].filename, api.files.parts[0].media_type) == ("x", "application/pdf")
    claude.files.upload(PDF)
    assert api.files.parts[0].filename is None


@pytest.mark.parametrize(
    ("name", "content", "kind", "block"),
    [
        ("LICENSE", b"MIT License\n", "text/plain", "document"),
        ("Dockerfile", b"FROM scratch\n", "text/plain", "document"),
        ("a.csv", b"a,b\n1,2\n", "text/plain", "document"),
        ("a.md", b"# a\n", "text/plain", "document"),
        ("a.py", "print('é')\n".encode(), "text/plain", "document"),
        ("a.json", b"{}", "text/plain", "document"),
        ("a.svg", b"<svg/>", "text/plain", "document"),
        ("a.xyz", "Größe;1\n".encode("cp1252"), "text/plain", "document"),
        ("utf16.txt", "text".encode("utf-16"), "text/plain", "document"),
        ("a.txt", PNG, "image/png", "image"),
        ("x", PDF, "application/pdf", "document"),
        ("y.txt", b"\xef\xbb\xbf\x00" + PDF, "application/pdf", "document"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\x00", "image/jpeg", "image"),
        ("a.heic", HEIC, "image/heic", "container_upload"),
        ("renamed.png", HEIC, "image/heic", "container_upload"),
        ("a.bmp", b"BM\x00\x00\x00\x00", "image/bmp", "container_upload"),
        (
            "a.xlsx",
            ZIP,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "container_upload",
        ),
        ("data", b"\x00\x01\x02", "application/octet-stream", "container_upload"),
        ("odd.txt", b"\x00\x01\x02", "application/octet-stream", "container_upload"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00", "application/gzip", "container_upload"),
    ],
)
def test_the_type_of_an_upload_is_that_of_its_content(
    name: str, content: bytes, kind: str, block: str, api: ScriptedAPI, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    claude.files.upload(name)
    assert (api.files.parts[0].filename, api.files.parts[0].media_type) == (name, kind)
    assert block_type(kind) == block


def test_elsewhere_the_name_of_a_text_decides_as_the_official_sdk_has_it(api: ScriptedAPI, tmp_path: Path) -> None:
    bodies = []

    def keep(received: Received) -> Any:
        bodies.append(received.body)
        return json_answer({"id": "skill_1"})

    api.server.respond = keep
    for name, content in (("SKILL.md", b"# Skill\n"), ("a.py", b"print()\n"), ("LICENSE", b"MIT\n"), ("x.md", PDF)):
        (tmp_path / name).write_bytes(content)
        claude.request("POST", "/v1/skills", files={"files[]": Path(name)}, yes=True)
    types = [re.findall(rb"Content-Type: ([^\r]+)", body) for body in bodies]
    assert types == [[b"text/markdown"], [b"text/x-python"], [b"text/plain"], [b"application/pdf"]]


def test_a_list_of_any_length_is_followed_page_by_page(api: ScriptedAPI) -> None:
    for number in range(350):
        api.files.add(f"{number}.txt", b"x")
    files = iter(claude.files)
    assert next(files).filename == "349.txt"
    assert len(api.calls) == 1
    assert sum(1 for _ in files) == 349
    assert len(api.calls) == 4


def test_text_is_known_as_such_where_its_beginning_ends_within_a_character() -> None:
    head = (b"x" * 65_535 + "é".encode())[:65_536]
    assert media_type(head, "a.bin") == "text/plain"


@pytest.mark.parametrize("kind", ["text/csv", "text/markdown", "image/svg+xml", "", "TEXT/HTML; charset=utf-8"])
def test_a_document_is_pdf_or_plain_text_only(kind: str) -> None:
    assert block_type(kind) == "container_upload"


def test_a_parameter_or_a_capital_changes_no_type() -> None:
    assert block_type("Text/Plain; charset=utf-8") == "document"
    assert block_type("IMAGE/PNG") == "image"


@pytest.mark.parametrize("what", ["missing.pdf", ".", 5, None])
def test_what_is_no_file_is_refused_and_nothing_is_sent(what: Any, api: ScriptedAPI) -> None:
    with pytest.raises(CellError):
        claude.files.upload(what)
    assert api.calls == []


@pytest.mark.parametrize("padding", [0, 262_144 - 20, 300_000])
def test_a_file_with_a_key_in_it_is_not_uploaded(padding: int, api: ScriptedAPI, tmp_path: Path) -> None:
    for key in (KEY, "sk-ant-" + "api03-" + "a1B2" * 20):
        (tmp_path / ".env").write_text("x" * padding + f"ANTHROPIC_API_KEY={key}\n")
        with pytest.raises(CellError, match="looks like an API key, so nothing was sent"):
            claude.files.upload(".env")
    assert api.calls == []


def test_a_file_that_is_too_large_is_refused_in_the_words_of_the_api(api: ScriptedAPI, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    api.server.respond = lambda _: error(413, "request_too_large", "File exceeds the maximum of 500 MB")
    with pytest.raises(APIError, match="File exceeds the maximum of 500 MB"):
        claude.files.upload("a.txt")
    api.server.respond = api.answer
    api.files.quota = 0
    with pytest.raises(APIError, match="Storage quota exceeded"):
        claude.files.upload("a.txt")


def test_a_table_shows_the_newest_files_and_iteration_all(api: ScriptedAPI) -> None:
    for number in range(250):
        api.files.add(f"{number}.txt", b"x" * number)
    shown = claude.files._repr_mimebundle_()
    assert "file_250" in shown["text/plain"]
    assert "file_150" not in shown["text/plain"]
    assert "the newest 100; list(claude.files) has all" in shown["text/html"]
    assert len(api.calls) == 1
    assert [file.id for file in claude.files] == [f"file_{number:03d}" for number in range(250, 0, -1)]
    assert len(api.calls) == 4
    assert claude.files[-1].filename == "0.txt"


def test_an_empty_list_says_so_and_hostile_names_are_escaped(api: ScriptedAPI) -> None:
    assert repr(claude.files) == "no files"
    api.files.add("<script>alert(1)</script>\x1b]52;c;x\x07\u202e.txt", b"x")
    shown = claude.files._repr_mimebundle_()
    assert "<script>" not in shown["text/html"]
    assert shown["text/plain"].replace("\n", "").isprintable()


def test_files_before_the_api_had_next_page_are_listed_too(api: ScriptedAPI) -> None:
    old = {
        "data": [api.files.add("a", b"a").metadata],
        "has_more": False,
        "first_id": "file_001",
        "last_id": "file_001",
    }
    api.server.respond = lambda _: json_answer(old)
    assert [file.filename for file in claude.files] == ["a"]


@pytest.mark.parametrize("name", ["../organizations/me", "file 1", "", "file_1/content", 3.5])
def test_what_is_no_id_is_refused(name: Any, api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match="not the id of a file"):
        claude.files[name]
    assert api.calls == []


def test_an_id_asks_nothing_until_something_is_wanted(api: ScriptedAPI) -> None:
    stored = api.files.add("a.txt", b"text")
    file = claude.files[stored.id]
    assert repr(file) == "claude.files['file_001']"
    assert api.calls == []
    assert (file.filename, file.size_bytes) == ("a.txt", 4)
    assert api.calls == ["GET /v1/files/file_001"]
    assert "a.txt" in file._repr_mimebundle_()["text/plain"]
    with pytest.raises(APIError, match="File not found: file_404"):
        claude.files["file_404"].metadata  # noqa: B018  asks for it


def test_a_download_gets_its_own_name_in_the_current_folder(api: ScriptedAPI, tmp_path: Path) -> None:
    stored = api.files.add("plot.png", PNG, "image/png", downloadable=True)
    path = claude.files[stored.id].download()
    assert (path.resolve(), path.read_bytes()) == (tmp_path / "plot.png", PNG)


def test_a_download_without_a_name_in_its_headers_gets_that_of_the_metadata(api: ScriptedAPI, tmp_path: Path) -> None:
    stored = api.files.add("plot.png", PNG, "image/png", downloadable=True)

    def without_disposition(received: Received) -> Any:
        answer = api.answer(received)
        assert answer is not None
        headers = tuple(pair for pair in answer.headers if pair[0] != "content-disposition")
        return type(answer)(status=answer.status, headers=headers, pieces=answer.pieces)

    api.server.respond = without_disposition
    (tmp_path / "out").mkdir()
    assert claude.files[stored.id].download("out") == Path("out/plot.png")
    assert claude.files[stored.id].download(tmp_path / "out" / "other.png").read_bytes() == PNG


@pytest.mark.parametrize("name", ["../../evil", "/etc/x", "..\\x", "", ".", "..", "a/../../b", f"{MACRON}/x\x00"])
@pytest.mark.parametrize("where", ["metadata", "headers"])
def test_a_download_stays_in_its_folder_whatever_its_name(
    where: str, name: str, api: ScriptedAPI, tmp_path: Path
) -> None:
    stored = api.files.add("x", b"bytes", downloadable=True)

    def hostile(received: Received) -> Any:
        if not received.path.endswith("/content"):
            return json_answer({**stored.metadata, "filename": name if where == "metadata" else "x"})
        stored.filename = "" if where == "metadata" else name.replace("\x00", "").replace(MACRON, "")
        return api.answer(received)

    api.server.respond = hostile
    folder = tmp_path / "downloads"
    folder.mkdir()
    path = claude.files[stored.id].download(folder)
    assert [each.name for each in folder.iterdir()] == [path.name]
    assert path.read_bytes() == b"bytes"
    assert path.name not in ("", ".", "..")


def test_a_download_replaces_no_file_unless_told_to(api: ScriptedAPI, tmp_path: Path) -> None:
    stored = api.files.add("a.bin", b"new", downloadable=True)
    (tmp_path / "a.bin").write_bytes(b"old")
    for target in (None, "a.bin", tmp_path):
        with pytest.raises(CellError, match=r"exists.*overwrite=True"):
            claude.files[stored.id].download(target)
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    claude.files[stored.id].download(overwrite=True)
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_an_upload_cannot_be_downloaded_as_the_api_says(api: ScriptedAPI, tmp_path: Path) -> None:
    stored = api.files.add("a.txt", b"x")
    with pytest.raises(APIError, match=f"File '{stored.id}' is not downloadable"):
        claude.files[stored.id].download()
    assert list(tmp_path.glob("*.txt")) == []


def test_a_file_that_has_expired_is_known_and_its_content_is_gone(api: ScriptedAPI) -> None:
    stored = api.files.add("a.txt", b"x", downloadable=True, expires_in=3600)
    api.clock.advance(hours=2)
    file = claude.files[stored.id]
    assert file.expires_at == "2026-11-28T13:00:00Z"
    with pytest.raises(APIError, match="has expired"):
        file.download()


def test_deletion_from_python_needs_a_yes(api: ScriptedAPI) -> None:
    stored = api.files.add("a.txt", b"x")
    with pytest.raises(CellError, match="Nothing was sent"):
        claude.files[stored.id].delete()
    assert stored.id in api.files.stored
    claude.files[stored.id].delete(yes=True)
    assert api.files.stored == {}


def test_calls_are_in_the_journal_and_no_key_is(api: ScriptedAPI, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(PDF)
    file = claude.files.upload("notes.pdf")
    file.delete(yes=True)
    assert [row["prompt"] for row in claude.journal.last()] == ["DELETE /v1/files/file_001", "POST /v1/files"]
    uploaded = claude.journal.exchange(1)
    assert uploaded.request.body is not None
    assert uploaded.request.body["multipart"][0]["filename"] == "notes.pdf"
    claude.journal.writer.flush()
    everything = b"".join(path.read_bytes() for path in claude.journal.path.parent.iterdir())
    assert KEY.encode() not in everything


# As the official SDK


def _substance(received: Received) -> tuple[Any, ...]:
    boundary = received.headers.get("content-type", "").partition("boundary=")[2].encode()
    body = received.body.replace(boundary, b"BOUNDARY") if boundary else received.body
    names = ("anthropic-version", "anthropic-beta", "content-type")
    headers = {name: received.headers[name] for name in names if name in received.headers}
    if boundary:
        headers["content-type"] = headers["content-type"].replace(boundary.decode(), "BOUNDARY")
        assert re.fullmatch(rb"[0-9a-f]{32}", boundary)
    if received.method == "GET":
        headers.pop("content-type", None)  # of no body
    accept = received.headers.get("accept", "") if received.path.endswith("/content") else ""
    return received.method, received.path, headers, body, accept


def test_every_call_is_byte_for_byte_that_of_the_official_sdk(api: ScriptedAPI, tmp_path: Path) -> None:
    client = anthropic.Anthropic(base_url=api.server.url, api_key=KEY, max_retries=0)
    claude.settings.api_version = "2026-10-21"  # as the SDK has it
    names = ("notes.pdf", 'é"x\n.pdf', "日本.pdf")
    for name in names:
        (tmp_path / name).write_bytes(PDF)
    made = api.files.add("plot.png", PNG, "image/png", downloadable=True)
    for name in names:
        api.server.respond = lambda _: json_answer(made.metadata)  # whatever it is called
        client.files.upload(file=tmp_path / name)
        claude.files.upload(tmp_path / name)
        client.files.upload(file=tmp_path / name, expires_in_seconds=3600)
        claude.files.upload(tmp_path / name, expires=3600)
    client.files.upload(file=("a.csv", b"a,b\n", "text/plain"))
    claude.files.upload(b"a,b\n", name="a.csv")
    api.server.respond = api.answer
    client.files.list(limit=100)
    repr(claude.files)
    client.files.retrieve_metadata(made.id)
    claude.files[made.id].metadata  # noqa: B018  asks for it
    client.files.download(made.id).read()
    claude.files[made.id].download(tmp_path / "plot.png")
    client.files.delete(made.id)
    api.files.stored[made.id] = made
    claude.files[made.id].delete(yes=True)
    sent = [_substance(received) for received in api.server.received]
    assert len(sent) == 22
    for theirs, ours in zip(sent[::2], sent[1::2], strict=True):
        assert ours == theirs


# As it was recorded


def _recorded(recorded: Path) -> list[dict[str, Any]]:
    """Request and response of each call of the Files API that was recorded."""
    found = []
    for path in sorted((recorded / "exchanges").rglob("*.y*ml")):
        if "file" not in path.name:
            continue
        cassette = yaml.safe_load(path.read_text(encoding="utf-8"))
        interactions = cassette.get("interactions") or cassette.get("http_interactions")
        found += [each for each in interactions if "/v1/files" in each["request"]["uri"]]
    return found


def test_recorded_exchanges_of_the_real_api_are_read(recorded: Path, api: ScriptedAPI, tmp_path: Path) -> None:
    exchanges = _recorded(recorded)
    assert len(exchanges) >= 7
    kinds = set()
    for each in exchanges:
        request, response = each["request"], each["response"]
        status = response["status"]["code"] if isinstance(response["status"], dict) else response["status"]
        body = response["body"]["string"]
        text = body if isinstance(body, bytes) else str(body).encode()
        answer = json_answer(yaml.safe_load(text), status)
        api.server.respond = lambda _, answer=answer: answer  # type: ignore[misc]
        kinds.add((request["method"], status))
        if request["method"] == "POST":
            (tmp_path / "apples.pdf").write_bytes(PDF)
            file = claude.files.upload("apples.pdf")
            assert (file.mime_type, file.downloadable) == ("application/pdf", False)
            assert file.id.startswith("file_011C")
        elif request["method"] == "DELETE":
            claude.files["file_x"].delete(yes=True)
        elif status == 400:
            with pytest.raises(APIError, match=r"File 'file_\w+' is not downloadable"):
                claude.files["file_x"].download(tmp_path / "never")
        else:
            assert all(StoredFile.of_json(file.metadata) for file in claude.files)
            assert "apples.pdf" in repr(claude.files)
    assert kinds == {("POST", 200), ("GET", 200), ("GET", 400), ("DELETE", 200)}


def test_tab_after_files_offers_what_is_meant_for_it(shell: Shell) -> None:
    names = [name for name in dir(claude.files) if not name.startswith("_")]
    assert names == ["upload"]
    assert [name for name in dir(claude.files["file_1"]) if not name.startswith("_")] == [
        "created_at",
        "delete",
        "download",
        "downloadable",
        "expires_at",
        "filename",
        "id",
        "metadata",
        "mime_type",
        "size_bytes",
    ]


def test_deletion_waits_for_the_same_confirmation_as_a_tool_call(shell: Shell, api: ScriptedAPI) -> None:
    for name in ("a.txt", "b.txt"):
        api.files.add(name, b"x")
    shell.run("from claude_magic import claude")
    ran = shell.run("claude.files['file_001'].delete()", asks=True)
    assert ran.error is None
    assert "DELETE /v1/files/file_001" in "".join(ran.data("text/html"))
    assert api.calls == []
    assert shell.run("%claude --refuse").error is None
    assert len(api.files.stored) == 2
    shell.run("claude.files['file_002'].delete()", asks=True)
    assert shell.run("%claude --approve").error is None
    assert list(api.files.stored) == ["file_001"]
