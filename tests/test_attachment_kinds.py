"""What an attachment is stands in its bytes: where they begin, in which encoding, which language, which way up."""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from claude_magic import CellError
from claude_magic.prompt.attachments.attach import Attachment, attach
from claude_magic.prompt.attachments.figures import png
from claude_magic.prompt.attachments.image_headers import size
from claude_magic.prompt.attachments.image_metadata import bare

BLANKS = [b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n\t"]
GPS = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0GPS-HERE"
XMP = b'<x:xmpmeta><rdf exif:GPSLatitude="52,31N" tiff:Orientation="6"/></x:xmpmeta>'


def one(content: bytes, name: str = "file.dat") -> Attachment:
    Path(name).write_bytes(content)
    (found,) = attach(name, {}, write=repr)
    return found


def sent(found: Attachment) -> bytes:
    return base64.b64decode(found.block["source"]["data"])


def photo(kind: str, orientation: int = 1, width: int = 40, height: int = 20, **options: Any) -> bytes:
    """A red picture with a blue corner at the top left, as it is stored, that EXIF places at a spot."""
    image = pytest.importorskip("PIL.Image", reason="NO PILLOW: photos are not turned in this run")
    made = image.new("RGB", (width, height), "red")
    made.paste("blue", (0, 0, width // 4, height // 4))
    exif = image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker of cameras"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 24.0, 17.5)})
    buffer = io.BytesIO()
    made.save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def opened(content: bytes) -> Any:
    return pytest.importorskip("PIL.Image").open(io.BytesIO(content))


# Where it begins


@pytest.mark.parametrize("before", BLANKS)
def test_a_pdf_after_blank_lines_is_a_pdf_from_its_first_byte(before: bytes) -> None:
    found = one(before + b"%PDF-1.7 ...", "report.txt")
    assert (found.block["source"]["media_type"], sent(found)) == ("application/pdf", b"%PDF-1.7 ...")
    assert found.note.endswith("before its beginning left out")


def test_a_pdf_after_the_head_of_a_mail_is_a_pdf() -> None:
    pdf = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n\0\1\2 ... startxref 1 %%EOF"
    assert sent(one(b"Content-Type: application/pdf\r\n\r\n" + pdf)) == pdf


def test_a_text_about_pdf_stays_text() -> None:
    text = b"A file begins with %PDF-1.7 and ends with %%EOF"
    assert one(text).text == text.decode()


@pytest.mark.parametrize("before", BLANKS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_after_blank_lines_is_an_image(before: bytes, kind: str) -> None:
    found = one(before + opened_as(kind), "picture.csv")
    assert (found.block["source"]["media_type"], sent(found)) == (f"image/{kind.lower()}", opened_as(kind))


def opened_as(kind: str) -> bytes:
    buffer = io.BytesIO()
    pytest.importorskip("PIL.Image", reason="NO PILLOW").new("RGB", (8, 4), "red").save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1\x15\x04", "pandas.read_parquet"),
        (b"BZh91AY", "compressed with bzip2"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photo. Save it as JPEG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video or a sound"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PK\x03\x04 all in ASCII", "a ZIP archive"),
        (b"\x80\x04\x95\x0e\0\0\0\0\0\0\0}\x94.", "not text I can read"),
    ],
)
def test_other_kinds_are_refused_by_name_whatever_their_ending(content: bytes, said: str) -> None:
    with pytest.raises(CellError) as caught:
        one(content, "data.csv")
    assert said in str(caught.value)


def test_a_text_that_begins_like_a_bitmap_is_text() -> None:
    assert one("BMW;Größe\n".encode("cp1252")).text == "BMW;Größe\n"


# Encodings


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Größe;Preis €\n1;2\n"),
        ("cp1252", "“naïve” – café\n"),
        ("cp1252", "name;city\nMüller;Köln\n"),
        ("cp932", "名前,年齢\n山田太郎,30\n"),
        ("cp932", "売上高：㈱テスト①\n"),
        ("gb18030", "姓名,年龄\n张三,30\n"),
        ("gb18030", "产品;价格\n苹果;5\n"),
        ("koi8_r", "имя;город\nИван;Москва\n"),
        ("cp1251", "имя;город\nИван;Москва\n"),
        ("mac_roman", "Größe;Preis\n1;2\n"),
        ("mac_roman", "Café crème, déjà vu\n"),
        ("cp949", "이름,나이\n홍길동,30\n"),
        ("euc_jp", "名前,年齢\n山田太郎,30\n"),
        ("big5", "姓名,年齡\n王小明,30\n"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy\n"),
        ("cp1253", "Καλημέρα κόσμε\n"),
    ],
)
def test_a_legacy_encoding_is_read_and_named(encoding: str, text: str) -> None:
    found = one(text.encode(encoding), "table.csv")
    assert found.text == text
    assert found.note.startswith("not UTF-8; assumed to be ")
    assert encoding.replace("_", "") in found.note.lower().translate(str.maketrans("", "", "-_ "))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read_and_named(encoding: str) -> None:
    found = one("Größe;Preis €\n1;2\n".encode(encoding))
    assert (found.text, found.note) == ("Größe;Preis €\n1;2\n", f"not UTF-8; assumed to be {encoding.upper()}")


def test_the_encoding_that_a_text_declares_is_believed() -> None:
    found = one("<?xml version='1.0' encoding='iso-8859-2'?><a>łódź</a>".encode("iso-8859-2"))
    assert "łódź" in found.text
    assert found.note == "not UTF-8; read as iso-8859-2, as it says itself"


def test_a_broken_byte_in_utf_8_does_not_garble_the_rest() -> None:
    found = one("Größe, Länge, Höhe ".encode() * 20 + b"\xc3")
    assert found.text.startswith("Größe, Länge")
    assert found.note == "read as UTF-8; 1 broken byte shown as \N{REPLACEMENT CHARACTER}"


def test_plain_utf_8_needs_no_note() -> None:
    assert one("Größe".encode()).note == ""


# Notebooks


def cells(*sources: str, **more: Any) -> list[dict[str, Any]]:
    return [{"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more} for source in sources]


@pytest.mark.parametrize("name", ["work.ipynb", "work.json", "work", "work.ipynb.bak"])
def test_a_notebook_is_one_under_any_name(name: str) -> None:
    metadata = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    found = one(json.dumps({"nbformat": 4, "cells": cells("x <- 1"), "metadata": metadata}).encode(), name)
    assert found.text == "[cell 1, code]\n```R\nx <- 1\n```"
    assert found.kind.startswith("R notebook, ")


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"name": "julia-1.10"}}, "julia"),
        ({"kernelspec": {"name": "ir"}}, "R"),
        ({"kernelspec": {"name": "xcpp17"}}, "C++"),
        ({"kernelspec": {"name": "python3"}}, "python"),
        ({"language_info": {"name": "C#"}}, "C#"),
        ({"language_info": {"name": "```\nhi"}}, ""),
        ({}, ""),
        (None, ""),
        ("odd", ""),
    ],
)
def test_a_notebook_is_labelled_with_its_language_or_with_none(metadata: Any, language: str) -> None:
    found = one(json.dumps({"nbformat": 4, "cells": cells("1"), "metadata": metadata}).encode())
    assert found.text == f"[cell 1, code]\n```{language}\n1\n```"
    assert ("does not say its language" in found.note) == (not language)


def test_a_notebook_of_format_3_is_read() -> None:
    sheet = [
        {"cell_type": "heading", "level": 2, "source": ["Title"]},
        {"cell_type": "code", "language": "python", "input": ["print 1\n", "print 2"], "outputs": []},
    ]
    content = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": sheet}]}
    found = one(json.dumps(content).encode(), "old.ipynb")
    assert found.text == "[cell 1, markdown]\n## Title\n\n[cell 2, code]\n```python\nprint 1\nprint 2\n```"


def test_a_cell_in_another_language_is_labelled_with_it() -> None:
    polyglot = cells("let x = 1", metadata={"vscode": {"languageId": "fsharp"}})
    content = {"nbformat": 4, "cells": polyglot, "metadata": {"language_info": {"name": "csharp"}}}
    assert one(json.dumps(content).encode()).text == "[cell 1, code]\n```fsharp\nlet x = 1\n```"


def test_json_that_only_names_a_notebook_is_text() -> None:
    assert one(b'{"nbformat": "a word"}').text == '{"nbformat": "a word"}'


# Photos


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("pillow", [True, False])
def test_a_photo_goes_without_its_place(kind: str, pillow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    content = photo(kind)
    if not pillow:
        monkeypatch.setitem(sys.modules, "PIL", None)
    found = one(content)
    monkeypatch.undo()
    assert b"Maker of cameras" in content
    assert b"Maker of cameras" not in sent(found)
    assert not opened(sent(found)).getexif()
    assert found.note == "without its EXIF and location data"
    assert opened(sent(found)).tobytes() == opened(content).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "corner"), [(3, (38, 18)), (6, (18, 1)), (8, (1, 38))])
def test_a_photo_is_turned_upright(kind: str, orientation: int, corner: tuple[int, int]) -> None:
    found = one(photo(kind, orientation, **({"lossless": True} if kind == "WEBP" else {})))
    red, _, blue = opened(sent(found)).convert("RGB").getpixel(corner)
    assert blue > red
    assert found.note == "turned upright, without its EXIF and location data"
    assert not opened(sent(found)).getexif()


def test_a_photo_is_upright_when_it_is_scaled_and_in_its_thumbnail() -> None:
    found = one(photo("JPEG", 6, 9_000, 100))
    assert size(sent(found)) == (22, 2_000)
    assert "scaled from 100 x 9000 to 22 x 2000" in found.note
    assert opened(found.thumbnail).height > opened(found.thumbnail).width


def test_without_pillow_a_photo_on_its_side_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    content = photo("JPEG", 6)
    monkeypatch.setitem(sys.modules, "PIL", None)
    found = one(content)
    monkeypatch.undo()
    assert "not turned upright: Pillow, which turns it, is missing" in found.note
    assert dict(opened(sent(found)).getexif()) == {0x0112: 6}


def test_what_xmp_says_of_the_place_goes_and_of_the_way_up_counts() -> None:
    marker = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    plain = photo_without_exif()
    content = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(marker) + 2) + marker + plain[2:]
    found = one(content)
    assert b"GPS" not in sent(found)
    assert opened(sent(found)).size == (20, 40)


def photo_without_exif() -> bytes:
    buffer = io.BytesIO()
    pytest.importorskip("PIL.Image", reason="NO PILLOW").new("RGB", (40, 20), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_second_photo_behind_the_first_goes() -> None:
    content = photo_without_exif()
    assert sent(one(content + b"\xff\xd8\xff\xe1\0\x30" + GPS)) == content


def test_a_comment_and_iptc_of_a_jpeg_go_and_its_profile_stays() -> None:
    plain = photo_without_exif()
    profile = b"\xff\xe2\0\x12ICC_PROFILE\0\1\1xx"
    others = b"\xff\xfe\0\x09Berlin!" + b"\xff\xed\0\x10Photoshop 3.0\0"
    assert bare(plain[:2] + others + profile + plain[2:]).data == plain[:2] + profile + plain[2:]


def test_the_texts_of_a_png_go() -> None:
    content = png(40, 40, 3, bytes(4_800))
    body = b"tEXtComment\0Berlin"
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    assert sent(one(content[:33] + chunk + content[33:])) == content


def test_a_comment_in_a_gif_goes_and_its_frames_stay() -> None:
    image = pytest.importorskip("PIL.Image", reason="NO PILLOW")
    frames = [image.new("RGB", (40, 20), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0, comment=b"Berlin")
    made = sent(one(buffer.getvalue()))
    assert b"Berlin" not in made
    assert (opened(made).n_frames, opened(made).info["loop"]) == (2, 0)


def test_a_picture_of_pillow_is_upright_too() -> None:
    (found,) = attach("shot", {"shot": opened(photo("JPEG", 6))}, write=repr)
    assert size(sent(found)) == (20, 40)
    assert b"Maker" not in sent(found)
