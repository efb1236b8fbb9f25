"""What `-a` sends: known by its bytes, within limits, shown above the reply."""

from __future__ import annotations

import base64
import json
import os
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claude_magic import CellError
from claude_magic.cell.attachments import MOST_BYTES, Attachment, attached
from claude_magic.cell.images import media_type
from claude_magic.display.thumbnails import shown
from tests.notebook_kernel import Kernel
from tests.server import Server, reply


def png(width: int = 2, height: int = 2) -> bytes:
    """A white PNG, written by hand."""
    rows = (b"\0" + b"\xff" * width * 3) * height
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    body = b"".join(struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def one(name: str, **namespace: Any) -> Attachment:
    (found,) = attached(name, namespace, write=repr)
    return found


def data(attachment: Attachment) -> bytes:
    return base64.b64decode(attachment.block["source"]["data"])


def test_an_image_is_known_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(png())
    found = one("photo.jpg")
    assert found.block["source"]["media_type"] == "image/png"
    assert data(found) == png()


def test_a_pdf_is_a_document_with_its_title(tmp_path: Path) -> None:
    (tmp_path / "paper.bin").write_bytes(b"%PDF-1.7 ...")
    block = one("paper.bin").block
    assert (block["type"], block["title"], block["source"]["media_type"]) == (
        "document",
        "paper.bin",
        "application/pdf",
    )


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_a_document_of_text(tmp_path: Path, coding: str) -> None:
    (tmp_path / "notes.py").write_bytes("x = 'é'\n".encode(coding))
    assert one("notes.py").block == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "x = 'é'\n"},
        "title": "notes.py",
    }


def test_a_notebook_is_sent_without_its_outputs(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Hi\n", "there"]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"text": "secret output"}]},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    assert one("a.ipynb").block["source"]["data"] == "# Hi\nthere\n\n```python\n1 + 1\n```"


def test_a_pattern_gives_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.md"):
        (tmp_path / name).write_text(name)
    assert [found.title for found in attached("*.txt", {}, write=repr)] == ["a.txt", "b.txt"]


def test_an_address_is_sent_and_not_fetched() -> None:
    url = "https://example.invalid/a%20b.PNG?x=1"
    assert one(url).block == {"type": "image", "source": {"type": "url", "url": url}}
    assert one("https://example.invalid/a.pdf").block["type"] == "document"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.txt", None, "No such file"),
        ("no*.txt", None, "no file matches"),
        ("empty.txt", b"", "it is empty"),
        ("binary.dat", b"\x00\x01\x02", "neither an image"),
        ("latin.txt", "é".encode("latin-1"), "neither an image"),
        ("broken.ipynb", b"{", "not a notebook"),
        ("https://example.invalid/page", None, "only images and PDF"),
        (".", None, "not a file"),
    ],
)
def test_what_cannot_be_sent_is_one_line_that_names_it(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CellError) as error:
        attached(name, {}, write=repr)
    assert said in str(error.value)
    assert name.split("/")[-1] in str(error.value)
    assert "\n" not in str(error.value)


def test_a_special_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CellError, match="not a file"):
        attached("pipe", {}, write=repr)


def test_a_file_larger_than_a_request_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(CellError, match="at most"):
        attached("large.txt", {}, write=repr)


def test_a_variable_comes_before_a_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("file")
    assert one("note", note="variable").block["source"]["data"] == "variable"
    assert one("note").block["source"]["data"] == "file"
    assert one("./note", note="variable").block["source"]["data"] == "file"


def test_variables_are_sent_as_what_they_are(tmp_path: Path) -> None:
    assert data(one("raw", raw=png())) == png()
    assert one("table", table={"a": 1}).block["source"]["data"] == "{'a': 1}"
    assert data(one("Out[3]", Out={3: SimpleNamespace(data=png())})) == png()
    with pytest.raises(CellError, match="no such item"):
        one("Out[9]", Out={})


def test_arrays_and_figures_are_images() -> None:
    numpy = pytest.importorskip("numpy")
    pillow = pytest.importorskip("PIL.Image")
    for array in (numpy.zeros((2, 3)), numpy.zeros((2, 3, 4), "uint8"), numpy.zeros((2, 3, 3), bool)):
        found = one("array", array=array)
        assert found.block["type"] == "image"
        assert media_type(data(found)) == "image/png"
    assert one("line", line=numpy.zeros(3)).block["type"] == "document"
    assert one("image", image=pillow.new("RGB", (2, 2))).block["type"] == "image"


def test_a_matplotlib_figure_is_an_image() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    assert one("figure", figure=figure).block["type"] == "image"
    assert one("axes", axes=axes).block["type"] == "image"


def test_an_image_over_the_limit_is_scaled_and_said_so() -> None:
    pytest.importorskip("PIL")
    found = one("wide", wide=png(9_000, 2))
    assert found.note == "scaled from 9,000 x 2 to 1,568 x 1"


def test_a_bomb_is_not_decoded() -> None:
    bomb = bytearray(png())
    bomb[16:24] = struct.pack(">II", 50_000, 50_000)
    with pytest.raises(CellError, match="too many to scale"):
        one("bomb", bomb=bytes(bomb))


def test_a_torn_image_is_sent_as_it_is_without_a_thumbnail() -> None:
    assert one("torn", torn=png()[:40]).thumbnail == b""


def test_thumbnails_are_our_own_bytes_and_titles_are_text() -> None:
    page = shown([("<b>x\x1b</b>", "image/png", "scaled", png()), ("y", "text", "", b"<svg onload=x>")])
    assert page.count("data:image/png;base64,") == 1
    assert "<b>" not in page
    assert "svg" not in page


def test_attachments_stand_before_the_text_and_above_the_reply(
    kernel: Kernel, endpoint: Server, tmp_path: Path
) -> None:
    endpoint.answers(reply("ok"))
    (tmp_path / "a note.txt").write_text("Tuesday")
    (tmp_path / "p.png").write_bytes(png())
    ran = kernel.run("%%claude -a 'a note.txt' --attach p.png\nWhen?")
    assert ran.error is None, ran.error
    assert [b["type"] for b in endpoint.last.json["messages"][0]["content"]] == ["document", "image", "text"]
    assert "a note.txt" in ran.data("text/html")[0]


def test_a_request_that_is_too_large_is_not_sent(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * 31_000_000)
    ran = kernel.run("%%claude -a large.txt -a large.txt\nhi")
    assert ran.error is not None
    assert "bytes" in ran.error[1]
    assert endpoint.received == []
