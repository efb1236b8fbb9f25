"""Bytes and texts as content blocks; what they are stands in the bytes, not in a name."""

from __future__ import annotations

import base64
import codecs
import re
from dataclasses import dataclass
from typing import NoReturn

from ..errors import CellError
from ..wire import Block, sound
from . import images, notebooks
from .image_headers import media_type, size
from .limits import MOST_BYTES, amount

LONGEST_TITLE = 255
_MARKS = {  # the longer ones first: one begins with another
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_REFUSED = {
    b"PK\x03\x04": "a ZIP archive or an Office file. Export it as PDF or CSV, or attach what is in it",
    b"\xd0\xcf\x11\xe0": "an old Office file. Export it as PDF or CSV",
    b"II*\0": "a TIFF image. Open it with PIL.Image.open, and attach the variable",
    b"MM\0*": "a TIFF image. Open it with PIL.Image.open, and attach the variable",
    b"BM": "a BMP image. Open it with PIL.Image.open, and attach the variable",
    b"\x1f\x8b": "compressed with gzip. Attach what is in it",
}
_ENCRYPTED = re.compile(rb"/Encrypt\s+\d+\s+\d+\s+R")


@dataclass(frozen=True, kw_only=True)
class Media:
    """What can be sent.

    Attributes:
        block: The API's JSON.
        kind: What it is, in words, with its size.
        note: What was done to it; `""` if nothing.
        thumbnail: A small image; `b""` if there is none.
    """

    block: Block
    kind: str
    note: str = ""
    thumbnail: bytes = b""


def of_bytes(data: bytes, title: str, where: str, *, many: bool = False) -> Media:
    """What `data` is, for a message.

    Args:
        title: Its name, for the model; one that ends in `.ipynb` is a notebook's.
        where: What an error begins with.
        many: Whether it goes with more images than `images.MANY`.

    Raises:
        CellError: It is empty, damaged, too large or of no kind that can be sent.
    """
    if not data:
        raise CellError(f"{where}: it is empty. There is nothing to attach.")
    if media_type(data):
        return _image(data, where, many)
    if len(data) > MOST_BYTES:
        raise CellError(f"{where}: it has {amount(len(data))}, a request {amount(MOST_BYTES)} at most. Attach less.")
    if data.startswith(b"%PDF-"):
        return _pdf(data, title, where)
    text = _decoded(data, where)
    if title.lower().endswith(".ipynb"):
        return of_text(notebooks.sources(text, where), title, where, kind="notebook", note="without its outputs")
    return of_text(text, title, where)


def of_text(text: str, title: str, where: str, *, kind: str = "text", note: str = "") -> Media:
    """A text as a document with a title."""
    if not text.strip():
        raise CellError(f"{where}: there is no text in it. There is nothing to attach.")
    source = {"type": "text", "media_type": "text/plain", "data": sound(text)}
    return Media(block=_document(source, title), kind=f"{kind}, {_words(text)}", note=note)


def _image(data: bytes, where: str, many: bool) -> Media:
    fitted, note = images.fitted(data, where, many=many)
    kind = media_type(fitted)
    width, height = size(fitted) or (0, 0)
    source = {"type": "base64", "media_type": kind, "data": base64.b64encode(fitted).decode("ascii")}
    return Media(
        block={"type": "image", "source": source},
        kind=f"{kind.removeprefix('image/').upper()} image, {width} x {height}, {amount(len(fitted))}",
        note=note,
        thumbnail=images.thumbnail(fitted, where),
    )


def _pdf(data: bytes, title: str, where: str) -> Media:
    """Pages are not counted: most PDFs keep them compressed, and the API counts."""
    text = base64.b64encode(data).decode("ascii")
    if len(text) > MOST_BYTES:
        raise CellError(
            f"{where}: the PDF has {amount(len(data))}, in base64 {amount(len(text))}, "
            f"and a request {amount(MOST_BYTES)} at most. Split it."
        )
    note = "encrypted, which the API may refuse" if _ENCRYPTED.search(data) else ""
    source = {"type": "base64", "media_type": "application/pdf", "data": text}
    return Media(block=_document(source, title), kind=f"PDF, {amount(len(data))}", note=note)


def _document(source: dict[str, str], title: str) -> Block:
    return {"type": "document", "source": source, "title": title[:LONGEST_TITLE]}


def _words(text: str) -> str:
    lines = text.count("\n") + (not text.endswith("\n"))
    return f"{lines:,} line{'s' * (lines != 1)}, {amount(len(text.encode('utf-8', 'replace')))}"


def _decoded(data: bytes, where: str) -> str:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        _refuse(data, where, f"byte {error.start:,} is not {error.encoding.upper()}")
    if "\0" in text:
        _refuse(data, where, f"there is a NUL at character {text.index(chr(0)):,}")
    return text


def _refuse(data: bytes, where: str, why: str) -> NoReturn:
    for magic, kind in _REFUSED.items():
        if data.startswith(magic):
            raise CellError(f"{where}: it is {kind}.")
    raise CellError(f"{where}: not an image, not a PDF, and not text I can read: {why}. Save it as UTF-8 or PDF.")
