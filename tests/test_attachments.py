"""What `-a` sends: known by its bytes, within the API's limits, read without waiting, never fetched."""

from __future__ import annotations

import base64
import codecs
import io
import json
import os
import socket
import struct
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claude_magic import CellError
from claude_magic.prompt.attachments.attach import MOST_BYTES, Attachment, attach, check_size
from claude_magic.prompt.attachments.figures import png as by_hand
from claude_magic.prompt.attachments.image_headers import size
from tests.notebook_kernel import Kernel
from tests.server import Server, reply


def optional(name: str) -> Any:
    return pytest.importorskip(name, reason=f"NO {name}: what is attached through it is not checked in this run")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attaching opens no socket; the tests with a kernel need theirs."""
    if "kernel" in request.fixturenames:
        return

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("attaching used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def _no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)


def written(value: Any) -> str:
    return f"written: {value!r}"


def all_of(name: str, **namespace: Any) -> list[Attachment]:
    return attach(name, namespace, write=written)


def one(name: str, **namespace: Any) -> Attachment:
    (found,) = all_of(name, **namespace)
    return found


def refusal(name: str, **namespace: Any) -> str:
    with pytest.raises(CellError) as caught:
        all_of(name, **namespace)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def data(attachment: Attachment) -> bytes:
    return base64.b64decode(attachment.block["source"]["data"])


def text(attachment: Attachment) -> str:
    return str(attachment.block["source"]["data"])


def media_type(attachment: Attachment) -> str:
    return str(attachment.block["source"]["media_type"])


def png(width: int = 2, height: int = 2) -> bytes:
    return by_hand(width, height, 3, b"\xff" * width * height * 3)


def picture(kind: str, width: int = 40, height: int = 20, **options: Any) -> bytes:
    image = optional("PIL.Image")
    buffer = io.BytesIO()
    image.new("RGB", (width, height), "red").save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int, height: int) -> Any:
    return optional("PIL.Image").frombytes("RGB", (width, height), os.urandom(width * height * 3))


def opened(content: bytes) -> Any:
    return optional("PIL.Image").open(io.BytesIO(content))


# Kinds, by content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_goes_as_it_is_under_the_type_of_its_bytes(tmp_path: Path, kind: str) -> None:
    (tmp_path / "wrong.txt").write_bytes(picture(kind))
    found = one("wrong.txt")
    assert found.block == {
        "type": "image",
        "source": {
            "type": "base64",
            "media_type": f"image/{kind.lower()}",
            "data": base64.b64encode(picture(kind)).decode(),
        },
    }
    assert found.note == ""


def test_a_jpeg_that_is_named_png_is_a_jpeg(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(picture("JPEG"))
    found = one("photo.png")
    assert (media_type(found), found.kind) == ("image/jpeg", f"JPEG image, 40 x 20, {len(picture('JPEG'))} bytes")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + b"x" * 5_000}),
        ("GIF", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": False}),
        ("WEBP", {"exif": b"Exif\0\0x"}),
    ],
)
def test_sides_are_read_from_every_kind_of_header(kind: str, options: dict[str, Any]) -> None:
    assert size(picture(kind, 321, 123, **options)) == (321, 123)


def test_a_pdf_is_a_document_with_the_name_of_its_file_as_title(tmp_path: Path) -> None:
    (tmp_path / "paper.bin").write_bytes(b"%PDF-1.7 ...")
    found = one("paper.bin")
    source = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"%PDF-1.7 ...").decode()}
    assert found.block == {"type": "document", "source": source, "title": "paper.bin"}
    assert (found.kind, found.text) == ("PDF, 12 bytes", "")


def test_an_encrypted_pdf_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(b"%PDF-1.7 trailer << /Encrypt 12 0 R >>")
    assert "encrypted" in one("locked.pdf").note


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_a_document_of_text(tmp_path: Path, coding: str) -> None:
    (tmp_path / "notes.py").write_bytes("x = 'é'\r\n".encode(coding))
    found = one("notes.py")
    source = {"type": "text", "media_type": "text/plain", "data": "x = 'é'\r\n"}
    assert found.block == {"type": "document", "source": source, "title": "notes.py"}
    assert found.text == "x = 'é'\r\n"


def test_big_endian_utf_16_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(codecs.BOM_UTF16_BE + "é".encode("utf-16-be"))
    assert text(one("a.txt")) == "é"


@pytest.mark.parametrize("name", ["table.csv", "table.tsv", "page.html", "a.svg", "a.json", "Makefile.am"])
def test_every_kind_of_text_is_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a,b\n1,2\n")
    assert (text(one(name)), one(name).kind) == ("a,b\n1,2\n", "text, 2 lines, 8 bytes")


def test_a_notebook_is_sent_without_its_outputs(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Hi\n", "there"]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"text": "an output"}]},
        {"cell_type": "code", "source": [], "outputs": []},
        {"cell_type": "code", "source": '"""\n```\n"""', "outputs": []},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": {"language": "R"}}}))
    found = one("a.ipynb")
    assert text(found) == (
        '[cell 1, markdown]\n# Hi\nthere\n\n[cell 2, code]\n```R\n1 + 1\n```\n\n[cell 4, code]\n````R\n"""\n```\n"""\n````'
    )
    assert found.note == "without its outputs"


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"cells": 1}', '{"cells": [1]}', '{"cells": [{"source": 1}]}', "[" * 9_000]
)
def test_a_broken_notebook_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.ipynb").write_text(content)
    assert refusal("a.ipynb").startswith("--attach a.ipynb: not a notebook of format 3 or 4.")


# What cannot be sent


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b" \n\t", "there is no text in it"),
        (codecs.BOM_UTF8, "there is no text in it"),
        (b"a\0b", "there is a NUL at character 1"),
        (bytes(range(1, 256)), "byte 127 is not UTF-8"),
        (codecs.BOM_UTF16_LE + b"a", "is not UTF-16"),
        (b"PK\x03\x04\xff", "a ZIP archive or an Office file"),
        (b"II*\0\xff", "a TIFF image"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", "a BMP image"),
        (b"\x1f\x8b\xff", "compressed with gzip"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.dat").write_bytes(content)
    assert refusal("a.dat").startswith("--attach a.dat: ")
    assert said in refusal("a.dat")


def test_a_missing_file_is_named_with_what_is_near(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-")
    assert refusal("raport.pdf") == (
        f"--attach raport.pdf: no file in {tmp_path}, and no variable. Did you mean report.pdf?"
    )
    assert refusal("tabel", table=1).endswith("Did you mean table?")


def test_a_pattern_without_a_match_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    assert refusal("*.txt").startswith("--attach *.txt: no file in")


def test_a_folder_is_refused_with_a_pattern_to_try(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert refusal("data") == "--attach data: it is a folder. Attach its files with a pattern, such as data/*.txt."
    assert "it is a folder" in refusal(".")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "not a file but a device, a pipe or a socket" in refusal("pipe.txt")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random"])
def test_a_device_is_refused_and_not_read(device: str) -> None:
    if not Path(device).exists():
        pytest.skip(f"NO {device} here: reading it is not checked in this run")
    assert "not a file but a device" in refusal(device)


def test_a_giant_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "giant.png").open("wb") as file:
        file.truncate(50_000_000_000)
    assert refusal("giant.png") == (
        "--attach giant.png: it has 50,000.0 MB, more than can be sent. Attach less, or add --upload."
    )


def test_text_larger_than_a_request_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "a request 32.0 MB at most" in refusal("large.txt")


def test_a_pdf_that_is_too_large_in_base64_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-" + b"x" * 25_000_000)
    assert "the PDF has 25.0 MB, in base64 33.3 MB" in refusal("a.pdf")


def test_a_file_that_fails_while_it_is_read_is_named() -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("NO /proc/self/mem here: a failing read is not checked in this run")
    assert refusal("/proc/self/mem").startswith("--attach /proc/self/mem: it cannot be read: Input/output error.")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt").chmod(0)
    if os.access(tmp_path / "a.txt", os.R_OK):
        pytest.skip("RUN AS ROOT: a file without permission is not checked in this run")
    assert "it cannot be read: Permission denied" in refusal("a.txt")


# Paths


def test_a_link_leads_to_its_file_and_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("real")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert (text(one("link.txt")), one("link.txt").title) == ("real", "link.txt")


def test_a_link_that_leads_nowhere_or_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("missing")
    (tmp_path / "b.txt").symlink_to("b.txt")
    assert "a broken link" in refusal("a.txt")
    assert "it cannot be read" in refusal("b.txt")


def test_a_pattern_gives_its_files_in_order_and_no_folder(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.md", ".hidden.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.txt").mkdir()
    assert [found.title for found in all_of("*.txt")] == ["a.txt", "b.txt"]
    assert [found.title for found in all_of(".*.txt")] == [".hidden.txt"]


def test_a_pattern_goes_into_folders_and_tells_equal_names_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text(folder)
    (tmp_path / "y" / "other.py").write_text("y")
    assert [found.title for found in all_of("**/*.py")] == ["x/__init__.py", "y/__init__.py", "other.py"]


def test_a_pattern_that_matches_too_much_is_refused(tmp_path: Path) -> None:
    for number in range(601):
        (tmp_path / f"{number}.txt").touch()
    assert "more than 600 files match" in refusal("*.txt")


def test_a_file_whose_name_is_a_pattern_comes_first(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("this")
    (tmp_path / "a1.txt").write_text("that")
    assert text(one("a[1].txt")) == "this"


@pytest.mark.parametrize("name", ["two words.txt", "größe-文書-😀.txt", ".hidden", "-a.txt", "'quoted\".txt"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    found = one(name)
    assert (found.title, found.source, text(found)) == (name, name, "x")


def test_a_name_that_cannot_be_shown_is_made_one_that_can(tmp_path: Path) -> None:
    (tmp_path / "a\n\x1b\u202eb.txt").write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("y")
    assert sorted(found.title for found in all_of("*.txt")) == ["a\ufffd\ufffd\ufffdb.txt", "\ufffd.txt"]
    json.dumps([found.block for found in all_of("*.txt")], ensure_ascii=False).encode()


@pytest.mark.parametrize("name", ["a\0b", "a\0*", "x" * 5_000, "", " ", "~nobody-here/x", "[", "**", "/"])
def test_any_nonsense_is_one_line(name: str) -> None:
    assert len(refusal(name)) < 1_500


def test_home_and_another_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "home" / "a.txt").write_text("home")
    assert text(one("~/a.txt")) == "home"
    (found,) = attach("a.txt", {}, write=written, folder=tmp_path / "home")
    assert (text(found), found.source) == ("home", "a.txt")


# Addresses


def test_an_address_is_sent_and_not_fetched() -> None:
    url = "https://example.invalid/a%20b.PNG?x=1"
    found = one(url)
    assert found.block == {"type": "image", "source": {"type": "url", "url": url}}
    assert (found.title, found.kind) == ("a b.PNG", f"image at {url}")


def test_the_address_of_a_pdf_is_a_document() -> None:
    url = "http://example.invalid/p/paper.pdf"
    assert one(url).block == {"type": "document", "source": {"type": "url", "url": url}, "title": "paper.pdf"}


def test_an_address_without_an_ending_needs_a_word() -> None:
    url = "https://example.invalid/page?id=7.png"
    assert "Write image:https://... or document:https://..." in refusal(url)
    assert one(f"image:{url}").block == {"type": "image", "source": {"type": "url", "url": url}}
    assert one(f"document:{url}").block["type"] == "document"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.invalid/a.png", "addresses with ftp:// cannot be sent"),
        ("file:///etc/passwd.png", "addresses with file:// cannot be sent"),
        ("s3://bucket/a.png", "addresses with s3:// cannot be sent"),
        ("https:///a.png", "names no host"),
        ("https://[/a.png", "names no host"),
        ("https://example.invalid/a b.png", "not an address as it is sent"),
        ("https://example.invalid/a\nb.png", "not an address as it is sent"),
    ],
)
def test_an_address_that_cannot_be_sent_is_refused(url: str, said: str) -> None:
    assert said in refusal(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    said = refusal("https://me:hunter2@example.invalid/a.png")
    assert "holds a password" in said
    assert "hunter2" not in said


def test_an_uploaded_file_is_sent_by_its_id() -> None:
    source = {"type": "file", "file_id": "file_011CNha8iCJcU1wXNR6q4V8w"}
    assert one("file_011CNha8iCJcU1wXNR6q4V8w").block == {"type": "document", "source": source}
    assert one("image:file_011CNha8iCJcU1wXNR6q4V8w").block == {"type": "image", "source": source}


# Variables


def test_without_a_dot_a_variable_comes_before_a_file(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("file")
    assert text(one("note", note="variable")) == "variable"
    assert text(one("note")) == "file"
    assert text(one("./note", note="variable")) == "file"


def test_with_a_dot_a_file_comes_before_a_variable(tmp_path: Path) -> None:
    held = SimpleNamespace(txt="variable")
    assert text(one("note.txt", note=held)) == "variable"
    (tmp_path / "note.txt").write_text("file")
    assert text(one("note.txt", note=held)) == "file"


def test_items_and_outputs_are_reached_and_nothing_is_called() -> None:
    assert text(one("Out[3]", Out={3: "three"})) == "three"
    assert text(one("_", _="last")) == "last"
    assert text(one("__", __="last but one")) == "last but one"
    assert text(one('d["a"][-1]', d={"a": ["x", "y"]})) == "y"
    assert "nothing is called" in refusal("s.upper", s="x")
    assert refusal("Out[9]", Out={3: "x"}).startswith("--attach: Out[9] does not exist: the dict has no [9]")
    assert refusal("s.pdf", s="x").startswith("--attach: no such file, and s.pdf does not exist")
    assert "nothing is called" in refusal("open('x')", open=open)


def test_text_is_sent_as_it_is_and_other_values_as_they_are_written() -> None:
    assert text(one("s", s="# as is\n")) == "# as is\n"
    assert text(one("table", table={"a": 1})) == "written: {'a': 1}"
    assert one("table", table={"a": 1}).block["title"] == "table"
    assert "there is no text in it" in refusal("s", s="")


def test_half_a_surrogate_in_a_text_can_be_sent() -> None:
    assert text(one("s", s="a\ud800b")).encode() == "a\ufffdb".encode()


def test_bytes_are_what_they_hold() -> None:
    assert data(one("raw", raw=png())) == png()
    assert data(one("raw", raw=bytearray(png()))) == png()
    assert data(one("raw", raw=memoryview(b"%PDF-1"))) == b"%PDF-1"
    assert text(one("raw", raw="é".encode())) == "é"
    assert refusal("raw", raw=b"\xff\0\0").startswith("--attach raw: not an image, not a PDF, and not text")


def test_a_path_in_a_variable_is_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("file")
    found = one("p", p=tmp_path / "a.txt")
    assert (text(found), found.title) == ("file", "a.txt")
    assert "no such file" in refusal("p", p=tmp_path / "b.txt")


def test_a_table_is_written_by_who_writes_values() -> None:
    frame = optional("pandas").DataFrame({"a": [1, 2]})
    assert text(one("df", df=frame)) == f"written: {frame!r}"
    assert text(one('df["a"]', df=frame)) == f"written: {frame['a']!r}"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "HSV"])
def test_a_pillow_image_of_any_mode_is_a_png(mode: str) -> None:
    made = optional("PIL.Image").new(mode, (40, 20))
    found = one("image", image=made)
    assert (media_type(found), opened(data(found)).size, made.mode) == ("image/png", (40, 20), mode)


def test_a_pillow_image_without_a_white_is_refused() -> None:
    assert "image of mode F has no fixed white" in refusal("image", image=optional("PIL.Image").new("F", (40, 20)))


def test_a_large_pillow_image_is_a_jpeg() -> None:
    found = one("image", image=optional("PIL.Image").new("RGB", (2_500, 2_000)))
    assert (media_type(found), found.note) == ("image/jpeg", "")


def test_a_torn_pillow_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture("JPEG", 400, 400)[:-900])
    with optional("PIL.Image").open(tmp_path / "a.jpg") as torn:
        assert refusal("torn", torn=torn).startswith("--attach torn: it cannot be drawn: OSError: ")


@pytest.mark.process
def test_matplotlib_figures_and_what_stands_in_them_are_images() -> None:
    optional("matplotlib").use("agg")
    from matplotlib.figure import Figure

    figure = Figure()
    grid = figure.subplots(2, 2)
    line = grid[0, 0].plot([1, 2])
    bars = grid[0, 1].bar([1], [2])
    for value in (figure, grid[0, 0], grid, line, line[0], bars, figure.subfigures(1, 2)[0].subplots()):
        found = one("value", value=value)
        assert (media_type(found), opened(data(found)).size) == ("image/png", (640, 480))
        assert found.thumbnail


@pytest.mark.process
def test_a_figure_that_fails_is_one_line() -> None:
    optional("matplotlib").use("agg")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0.5, 0.5, r"$\nonsense{$")
    assert refusal("figure", figure=figure).startswith("--attach figure: it cannot be drawn: ")


def test_a_plotly_figure_needs_kaleido(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = optional("plotly.graph_objects").Figure()
    monkeypatch.setitem(sys.modules, "kaleido", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert refusal("figure", figure=figure) == (
        "--attach figure: kaleido, which makes an image of a plotly figure, is missing: pip install kaleido"
    )


@pytest.mark.parametrize(
    ("shape", "dtype", "fill", "mode", "pixel"),
    [
        ((40, 50), "uint8", 200, "L", 200),
        ((40, 50, 1), "uint8", 200, "L", 200),
        ((40, 50, 3), "uint8", 200, "RGB", (200, 200, 200)),
        ((40, 50, 4), "uint8", 200, "RGBA", (200, 200, 200, 200)),
        ((40, 50), "float64", 0.5, "L", 128),
        ((40, 50, 3), "float32", 1.0, "RGB", (255, 255, 255)),
        ((40, 50, 3), "int64", 255, "RGB", (255, 255, 255)),
        ((40, 50), "bool", True, "L", 255),
    ],
)
def test_an_array_of_brightness_is_a_png(shape: Any, dtype: str, fill: Any, mode: str, pixel: Any) -> None:
    numpy = optional("numpy")
    image = opened(data(one("array", array=numpy.full(shape, fill, dtype))))
    assert (image.size, image.mode, image.getpixel((49, 39))) == ((50, 40), mode, pixel)


def test_an_array_in_any_order_of_memory_is_the_same_image() -> None:
    numpy = optional("numpy")
    array = numpy.arange(64 * 48 * 3).reshape(64, 48, 3).astype("uint8")
    assert data(one("a", a=numpy.asfortranarray(array))) == data(one("a", a=array))
    assert opened(data(one("a", a=array[::2, ::-1][:, :32]))).size == (32, 32)


@pytest.mark.parametrize("shape", [(3,), (5, 5), (31, 40), (40, 40, 2), (40, 40, 40), (2, 40, 40, 3), (0, 0), ()])
def test_an_array_that_is_no_image_is_written(shape: Any) -> None:
    numpy = optional("numpy")
    assert text(one("array", array=numpy.zeros(shape, "uint8"))).startswith("written: ")


@pytest.mark.parametrize("fill", [-0.5, 1.5, float("nan")])
def test_numbers_that_are_no_brightness_are_written_or_refused(fill: float) -> None:
    numpy = optional("numpy")
    assert text(one("array", array=numpy.full((40, 40), fill))).startswith("written: ")
    assert "Scale it to 0..1" in refusal("array", array=numpy.full((40, 40, 3), fill))


@pytest.mark.usefixtures("_no_pillow")
def test_an_array_needs_no_pillow() -> None:
    array = optional("numpy").zeros((40, 50), "uint8")
    assert data(one("array", array=array)) == by_hand(50, 40, 1, bytes(2_000))


def test_a_list_of_pictures_is_as_many_attachments() -> None:
    first, second = (optional("PIL.Image").new("L", (40, 40), grey) for grey in (0, 255))
    found = all_of("both", both=[first, second, first])
    assert [attachment.title for attachment in found] == ["both[0]", "both[1]"]
    assert text(one("mixed", mixed=[first, 1])).startswith("written: ")


def test_what_ipython_shows_as_an_image_is_that_image(tmp_path: Path) -> None:
    display = optional("IPython.display")
    (tmp_path / "a.png").write_bytes(png())
    assert data(one("_", _=display.Image(data=png()))) == png()
    assert data(one("_", _=display.Image(filename="a.png"))) == png()
    url = "https://example.invalid/a"
    assert one("_", _=display.Image(url=url)).block["source"] == {"type": "url", "url": url}
    assert text(one("_", _=display.HTML("<b>"))) == "<b>"


@pytest.mark.parametrize("shown", [png(), (png(), {"width": 2}), base64.b64encode(png()).decode()])
def test_what_draws_itself_is_an_image(shown: Any) -> None:
    class Drawn:
        def _repr_png_(self) -> Any:
            return shown

    assert data(one("drawn", drawn=Drawn())) == png()
    assert text(one("drawn", drawn=Drawn)).startswith("written: ")


@pytest.mark.parametrize("shown", [None, b"junk", "junk", ()])
def test_what_draws_nothing_is_written(shown: Any) -> None:
    class Drawn:
        def _repr_png_(self) -> Any:
            return shown

    assert text(one("drawn", drawn=Drawn())).startswith("written: ")


def test_what_fails_to_draw_itself_is_one_line() -> None:
    class Broken:
        def _repr_png_(self) -> bytes:
            raise ValueError("two\nlines")

    assert "it cannot be drawn: ValueError: two lines." in refusal("broken", broken=Broken())


# Limits of images


def test_an_image_over_the_limit_of_pixels_is_scaled_and_that_is_said() -> None:
    found = one("wide", wide=picture("PNG", 9_000, 200))
    assert found.note == "scaled from 9000 x 200 to 2000 x 44"
    assert opened(data(found)).size == (2_000, 44)


def test_an_image_at_the_limit_goes_as_it_is() -> None:
    content = picture("PNG", 8_000, 10)
    assert data(one("wide", wide=content)) == content


def test_a_jpeg_stays_a_jpeg_and_upright_when_it_is_scaled() -> None:
    image = optional("PIL.Image")
    exif = image.Exif()
    exif[0x0112] = 6  # lies on its side
    found = one("photo", photo=picture("JPEG", 8_100, 400, exif=exif))
    assert media_type(found) == "image/jpeg"
    assert opened(data(found)).size == (99, 2_000)


def test_beside_many_others_an_image_is_scaled_sooner(tmp_path: Path) -> None:
    for number in range(21):
        (tmp_path / f"{number:02}.png").write_bytes(picture("PNG", 2_500, 10))
    assert {found.note for found in all_of("*.png")} == {"scaled from 2500 x 10 to 2000 x 8"}
    assert {found.note for found in all_of("0*.png")} == {""}
    (found,) = attach("00.png", {}, write=written, many=True)
    assert found.note == "scaled from 2500 x 10 to 2000 x 8"


@pytest.mark.slow
def test_an_image_of_too_many_bytes_is_encoded_anew() -> None:
    buffer = io.BytesIO()
    noise(1_500, 1_500).save(buffer, "PNG")
    found = one("noise", noise=buffer.getvalue())
    assert found.note.startswith("re-encoded from 6.8 MB to ")
    assert len(text(found)) <= 5 * 1024 * 1024
    assert opened(data(found)).size == (1_500, 1_500)


def test_what_shines_through_stays_so_when_it_is_scaled() -> None:
    buffer = io.BytesIO()
    optional("PIL.Image").new("RGBA", (9_000, 90), (255, 0, 0, 0)).save(buffer, "PNG")
    assert opened(data(one("a", a=buffer.getvalue()))).getpixel((0, 0))[3] == 0


def test_grey_in_sixteen_bits_keeps_its_brightness_when_it_is_scaled() -> None:
    buffer = io.BytesIO()
    optional("PIL.Image").new("I;16", (9_000, 90), 32_768).save(buffer, "PNG")
    assert opened(data(one("a", a=buffer.getvalue()))).getpixel((5, 5)) == 128


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animated_image_it_is_said_that_the_first_frame_counts(kind: str) -> None:
    image = optional("PIL.Image")
    frames = [image.new("RGB", (40, 20), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=50, loop=0)
    assert one("a", a=buffer.getvalue()).note == "animated: only the first frame is looked at"


@pytest.mark.usefixtures("_no_pillow")
def test_without_pillow_an_image_that_is_too_large_names_the_command() -> None:
    said = refusal("wide", wide=png(9_000, 2))
    assert said.startswith("--attach wide: the image has 9,000 x 2 pixels and ")
    assert said.endswith("pip install pillow")


@pytest.mark.usefixtures("_no_pillow")
def test_without_pillow_other_images_go_as_they_are() -> None:
    found = one("small", small=png())
    assert (data(found), found.thumbnail) == (png(), png())


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises more than it holds."""
    made = bytearray(png())
    made[16:24] = struct.pack(">II", width, height)
    made[29:33] = struct.pack(">I", zlib.crc32(bytes(made[12:29])))
    return bytes(made)


def test_a_header_that_promises_a_giant_image_is_not_believed() -> None:
    assert "50,000 x 50,000 pixels" in refusal("bomb", bomb=bomb(50_000, 50_000))
    assert "too many pixels to scale here" in refusal("bomb", bomb=bomb(50_000, 50_000))


def test_an_image_of_many_pixels_that_the_api_takes_is_not_decoded_for_a_thumbnail() -> None:
    found = one("bomb", bomb=bomb(8_000, 8_000))
    assert (found.thumbnail, found.note) == (b"", "")


def test_a_bomb_of_compressed_text_in_an_image_does_no_harm() -> None:
    body = b"x\0\0" + zlib.compress(bytes(50_000_000))
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    content = png()
    assert data(one("a", a=content[:33] + chunk + content[33:])) == content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_torn_image_is_refused(kind: str, share: float) -> None:
    buffer = io.BytesIO()
    noise(60, 60).save(buffer, kind)
    torn = buffer.getvalue()[: max(13, int(len(buffer.getvalue()) * share))]
    assert refusal("torn", torn=torn).startswith("--attach torn: the image is damaged")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_torn_image_is_refused_without_pillow(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    noise(60, 60).save(buffer, kind)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "the image is damaged" in refusal("torn", torn=buffer.getvalue()[:-200])


def test_an_image_that_is_broken_inside_is_refused() -> None:
    optional("PIL")
    buffer = io.BytesIO()
    noise(60, 60).save(buffer, "PNG")
    broken = bytearray(buffer.getvalue())
    broken[200:400] = bytes(200)
    assert "the image is damaged" in refusal("broken", broken=bytes(broken))


@pytest.mark.parametrize("begins", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_a_header_of_any_rubbish_is_one_line(begins: bytes) -> None:
    for rest in (b"", b"\0" * 40, b"\xff" * 40, bytes(range(256)), b"\xff\xd9" * 20):
        assert refusal("rubbish", rubbish=begins + rest).startswith("--attach rubbish: the image ")


def test_thumbnails_are_small() -> None:
    image = noise(1_200, 900)
    thumbnail = one("image", image=image).thumbnail
    assert len(thumbnail) <= 10_000
    assert max(opened(thumbnail).size) == 160


def test_a_users_image_is_left_as_it_was() -> None:
    image = optional("PIL.Image").new("P", (9_000, 9))
    one("image", image=image)
    assert (image.mode, image.size) == ("P", (9_000, 9))


def test_pillow_is_left_as_it_was() -> None:
    image = optional("PIL.Image")
    before = image.MAX_IMAGE_PIXELS
    one("wide", wide=picture("PNG", 9_000, 9))
    assert before == image.MAX_IMAGE_PIXELS


# Limits of a request


def test_a_request_may_have_so_many_bytes_and_not_one_more() -> None:
    check_size(bytes(MOST_BYTES))
    with pytest.raises(CellError, match=r"the request has 40\.0 MB, and the API takes 32\.0 MB at most\."):
        check_size(bytes(40_000_000))


@pytest.mark.process
def test_nothing_heavy_is_imported_for_text(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "a.txt").write_text("x")
    program = (
        "import sys; from claude_magic.prompt.attachments.attach import attach; attach('a.txt', {}, write=repr); "
        "print([n for n in ('PIL', 'numpy', 'pandas', 'matplotlib', 'plotly', 'requests') if n in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert ran.stdout.strip() == "[]"


# In a notebook


@pytest.fixture
def asked(kernel: Kernel, endpoint: Server) -> Kernel:
    endpoint.answers(reply("ok"))
    return kernel


def test_attachments_stand_before_the_text_and_above_the_reply(asked: Kernel, endpoint: Server, tmp_path: Path) -> None:
    (tmp_path / "a note.txt").write_text("Tuesday")
    (tmp_path / "p.png").write_bytes(png())
    ran = asked.run("%%claude -a 'a note.txt' --attach p.png\nWhen?")
    assert ran.error is None, ran.error
    assert [b["type"] for b in endpoint.last.json["messages"][0]["content"]] == ["document", "image", "text"]
    assert "a note.txt" in ran.data("text/html")[0]
    assert "data:image/png;base64," in ran.data("text/html")[0]


@pytest.mark.slow
def test_a_request_that_is_too_large_is_not_sent(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * 31_000_000)
    ran = kernel.run("%%claude -a large.txt -a large.txt\nhi")
    assert ran.error is not None
    assert "the API takes 32.0 MB at most" in ran.error[1]
    assert endpoint.received == []
