"""Base64 data is described where a request is shown, and stands whole only in programs."""

from __future__ import annotations

import base64
import functools
import io
import json
import struct
from typing import Any

import pytest

from claude_magic.display.text.excerpt import pretty
from claude_magic.display.text.media import media_note, pixels
from tests.notebook_shell import Shell
from tests.server import JSON, Answer, Server, reply

Image = pytest.importorskip("PIL.Image")


@functools.cache
def _noise() -> Any:
    """A picture whose file is large however it is packed; one part of it in noise is enough."""
    image = Image.new("RGB", (1540, 900))
    image.paste(Image.effect_noise((400, 300), 50).convert("RGB"))
    return image


@functools.cache
def _picture(form: str, **how: object) -> bytes:
    written = io.BytesIO()
    _noise().save(written, form, **how)
    return written.getvalue()


@pytest.mark.parametrize(
    ("form", "how"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_a_picture_says_its_size(form: str, how: dict[str, object]) -> None:
    data = _picture(form, **how)
    kind = f"image/{form.lower()}"
    note = media_note({"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()})
    assert note.startswith(f"{kind}, 1,540 × 900, ")
    assert note.endswith(f"{len(data) / 1_000_000:.1f} MB" if len(data) > 999_500 else f"{round(len(data) / 1000)} KB")


def test_an_extended_webp_says_its_size() -> None:
    head = b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + b"\x03\x06\0" + b"\x83\x03\0"
    assert pixels(head) == (1540, 900)


@pytest.mark.parametrize("form", ["PNG", "GIF", "JPEG", "WEBP"])
def test_a_picture_that_is_cut_anywhere_is_no_error(form: str) -> None:
    data = _picture(form)
    for size in range(64):
        assert pixels(data[:size]) in (None, (1540, 900))


@pytest.mark.parametrize("data", ["", "!", "not base64 at all", "QUJD=", "\ud800"])
def test_data_that_is_no_picture_is_described_without_a_size(data: str) -> None:
    assert media_note({"type": "base64", "media_type": "image/png", "data": data}).startswith("image/png, ")


def test_other_values_are_left_alone() -> None:
    value = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert media_note(value) == ""
    assert json.loads(pretty(value)) == value


def test_a_document_says_its_bytes() -> None:
    data = base64.b64encode(b"%PDF" + b"x" * 996).decode()
    assert media_note({"type": "base64", "media_type": "application/pdf", "data": data}) == "application/pdf, 1 KB"
    assert media_note({"type": "base64", "media_type": "application/pdf", "data": "QUJD"}) == "application/pdf, 3 bytes"


def test_a_preview_begins_with_bytes_tokens_and_price_and_elides_base64(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=JSON, pieces=[b'{"input_tokens": 1234}'], framing="length"))
    shell.run("import PIL.Image; picture = PIL.Image.effect_noise((1540, 900), 50)")
    ran = shell.run("%%claude -a picture --preview -m claude-opus-5-5\nWhat is it?")
    lines = ran.stdout.split("\n")
    assert lines[0].startswith("Not sent. ")
    assert "1,234 tokens in, at most $" in lines[0]
    assert lines[1] == ""
    assert lines[2].startswith("POST ")
    assert '"data": "(image/png, 1,540 × 900, ' in ran.stdout
    assert len(ran.stdout) < 2_000


def test_the_panel_elides_it_and_a_program_holds_it(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("noise"))
    shell.run("import PIL.Image; picture = PIL.Image.effect_noise((40, 30), 50)")
    ran = shell.run("%%claude -a picture\nWhat is it?")
    twin = next(html for html in ran.data("text/html") if "cm-static" in html)
    sent = endpoint.last.json["messages"][0]["content"][0]["source"]["data"]
    assert '"(image/png, 40 × 30, ' in twin
    assert (
        sent
        in shell.user_ns["get_ipython"]().run_cell("from claude_magic import claude\nstr(claude.last.code())").result
    )
