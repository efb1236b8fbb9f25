"""Converts bytes and texts to content blocks; the bytes decide the kind, not a file's name."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace

from ...errors import CellError
from ...wire import Block, fix_surrogates
from ...wire.attachment_kinds import KINDS, image_type, recognize
from . import encodings, images, notebooks
from .image_headers import size
from .limits import MOST_BYTES, amount

LONGEST_TITLE = 255
_BLANKS = b"\xef\xbb\xbf \t\r\n\f\v\0"  # a byte order mark and blank lines; some programs write them first
_REFUSED = {
    b"PK\x03\x04": "a ZIP archive or an Office file. Export it as PDF or CSV, or attach what is in it",
    b"\xd0\xcf\x11\xe0": "an old Office file. Export it as PDF or CSV",
    b"II*\0": "a TIFF image. Open it with PIL.Image.open, and attach the variable",
    b"MM\0*": "a TIFF image. Open it with PIL.Image.open, and attach the variable",
    b"\x1f\x8b": "compressed with gzip. Attach what is in it",
    b"BZh": "compressed with bzip2. Attach what is in it",
    b"\xfd7zXZ": "compressed with xz. Attach what is in it",
    b"\x28\xb5\x2f\xfd": "compressed with zstd. Attach what is in it",
    b"7z\xbc\xaf": "a 7z archive. Attach what is in it",
    b"Rar!": "a RAR archive. Attach what is in it",
    b"PAR1": "a Parquet file. Read it with pandas.read_parquet, and attach the variable",
    b"ARROW1": "an Arrow file. Read it with pandas.read_feather, and attach the variable",
    b"\x89HDF": "an HDF5 file. Read it, and attach the variable",
    b"\x93NUMPY": "an array of numpy. Read it with numpy.load, and attach the variable",
    b"SQLite format 3\0": "an SQLite database. Attach what a query gives",
    b"\x7fELF": "a program. Attach its source",
    b"ID3": "a sound. Attach what is said in it, as text",
}
_AT_FOUR = {  # at offset 4 in files of the MPEG-4 family
    b"ftyphei": "a HEIC photo. Save it as JPEG",
    b"ftypmif": "a HEIC photo. Save it as JPEG",
    b"ftypavi": "an AVIF image. Save it as PNG or JPEG",
    b"ftyp": "a video or a sound. Attach single pictures of it, or what is said in it",
}
_ENCRYPTED = re.compile(rb"/Encrypt\s+\d+\s+\d+\s+R")


@dataclass(frozen=True, kw_only=True)
class Media:
    """A content block, with what is shown about it.

    Attributes:
        block: The API's JSON.
        kind: Kind and size in words.
        note: What was changed; `""` if nothing.
        thumbnail: A small image; `b""` if there is none.
    """

    block: Block
    kind: str
    note: str = ""
    thumbnail: bytes = b""


def of_bytes(data: bytes, title: str, where: str, *, many: bool = False) -> Media:
    """The content block for `data`.

    Args:
        title: Its name, shown to the model; if it ends in `.ipynb`, `data` must be a notebook.
        where: The beginning of error messages.
        many: Whether the request has more images than `images.MANY`.

    Raises:
        CellError: It is empty, damaged, too large, or of a kind that cannot be sent.
    """
    if not data:
        raise CellError(f"{where}: it is empty. There is nothing to attach.")
    data, note = _from_its_beginning(data)
    kind, media_type = recognize(data)
    if kind == "image":  # it may be scaled, so it may be larger than a request
        return _with_note(_image(data, where, many), note)
    if len(data) > MOST_BYTES:
        raise CellError(f"{where}: it has {amount(len(data))}, a request {amount(MOST_BYTES)} at most. Attach less.")
    if kind:
        return _with_note(_as_it_is(data, kind, media_type, title, where), note)
    _refuse_other_kinds(data, where)
    return _text(data, title, where)


def _from_its_beginning(data: bytes) -> tuple[bytes, str]:
    """`data` from the first byte of an image or PDF in it on, and a note on what was removed before that."""
    rest = data[:1_100].lstrip(_BLANKS)
    before = min(len(data), 1_100) - len(rest)
    if not recognize(rest)[0]:
        before = data.find(b"%PDF-", 0, 1_024)  # where PDF readers look for it
        if before < 0 or b"%%EOF" not in data[-2_000:] or not _is_binary(data[before : before + 2_000]):
            return data, ""
    note = f"{before:,} byte{'s' * (before != 1)} before its beginning left out" if before else ""
    return data[before:], note


def _is_binary(data: bytes) -> bool:
    """Whether `data` is binary; a text that only mentions a PDF is not."""
    return any(byte < 9 or 13 < byte < 27 for byte in data) or _ascii_share(data) < 0.9


def _ascii_share(data: bytes) -> float:
    return sum(byte < 0x80 for byte in data) / max(1, len(data))


def _with_note(media: Media, note: str) -> Media:
    return replace(media, note=", ".join(filter(None, (media.note, note))))


def _text(data: bytes, title: str, where: str) -> Media:
    try:
        text, note = encodings.decode(data)
    except ValueError as error:
        raise CellError(
            f"{where}: not an image, not a PDF, and not text I can read: {error}. Save it as UTF-8 or PDF."
        ) from None
    if notebooks.is_notebook(text) or title.lower().endswith(".ipynb"):
        cells = notebooks.sources(text, where)
        kind = f"{cells.language} notebook" if cells.language else "notebook"
        return _with_note(of_text(cells.text, title, where, kind=kind, note=cells.note), note)
    return of_text(text, title, where, note=note)


def of_text(text: str, title: str, where: str, *, kind: str = "text", note: str = "") -> Media:
    """A text as a document with a title."""
    if not text.strip():
        raise CellError(f"{where}: there is no text in it. There is nothing to attach.")
    source = {"type": "text", "media_type": "text/plain", "data": fix_surrogates(text)}
    return Media(block=_block("document", source, title), kind=f"{kind}, {_words(text)}", note=note)


def _image(data: bytes, where: str, many: bool) -> Media:
    fitted, note = images.fit(data, where, many=many)
    kind = image_type(fitted)
    width, height = size(fitted) or (0, 0)
    source = {"type": "base64", "media_type": kind, "data": base64.b64encode(fitted).decode("ascii")}
    return Media(
        block=_block("image", source, ""),
        kind=f"{kind.removeprefix('image/').upper()} image, {width} x {height}, {amount(len(fitted))}",
        note=note,
        thumbnail=images.thumbnail(fitted, where),
    )


def _as_it_is(data: bytes, kind: str, media_type: str, title: str, where: str) -> Media:
    """The block for data that is sent unchanged, such as a PDF (whose pages are not counted: most are compressed)."""
    label = KINDS[kind].file_label
    text = base64.b64encode(data).decode("ascii")
    if len(text) > MOST_BYTES:
        raise CellError(
            f"{where}: the {label} has {amount(len(data))}, in base64 {amount(len(text))}, "
            f"and a request {amount(MOST_BYTES)} at most. Split it."
        )
    is_encrypted = media_type == "application/pdf" and _ENCRYPTED.search(data)
    note = "encrypted, which the API may refuse" if is_encrypted else ""
    source = {"type": "base64", "media_type": media_type, "data": text}
    return Media(block=_block(kind, source, title), kind=f"{label}, {amount(len(data))}", note=note)


def _block(kind: str, source: dict[str, str], title: str) -> Block:
    titled = {"title": title[:LONGEST_TITLE]} if KINDS[kind].has_title else {}
    return {"type": kind, "source": source, **titled}


def _words(text: str) -> str:
    lines = text.count("\n") + (not text.endswith("\n"))
    return f"{lines:,} line{'s' * (lines != 1)}, {amount(len(text.encode('utf-8', 'replace')))}"


def _refuse_other_kinds(data: bytes, where: str) -> None:
    """Refuses known formats that are neither text nor accepted by the API.

    Raises:
        CellError: `data` has such a format.
    """
    kind = next((kind for magic, kind in _REFUSED.items() if data.startswith(magic)), "")
    kind = kind or next((kind for magic, kind in _AT_FOUR.items() if data[4:].startswith(magic)), "")
    if data.startswith(b"BM") and b"\0\0" in data[2:14]:
        kind = "a BMP image. Open it with PIL.Image.open, and attach the variable"
    if kind:
        raise CellError(f"{where}: it is {kind}.")
