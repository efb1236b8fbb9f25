"""The media type of a file by its content, and the content block that may refer to it once it is uploaded.

A document block takes PDF and plain text only, so everything that is text is `text/plain`: CSV, Markdown, code, and
files without an ending. Source: https://platform.claude.com/docs/en/build-with-claude/files
"""

from __future__ import annotations

import mimetypes

from .attachment_kinds import KINDS, recognize

HEAD = 65_536  # bytes of a file that are looked at
TEXT, PDF, OTHER = "text/plain", "application/pdf", "application/octet-stream"
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16
_BINARY = frozenset((*range(7), 11, *range(14, 27), *range(28, 32), 127))  # control characters that no text holds
_ASCII_SHARE = 0.7  # of a text in an unknown encoding
_BRANDS = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"avif": "image/avif"}
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def media_type(head: bytes, name: str = "", *, text_by_name: bool = False) -> str:
    """The media type of a file.

    Args:
        head: Its first `HEAD` bytes, or all of it if it is shorter.
        name: Its name, which decides only between binary formats.
        text_by_name: Whether it also decides which kind of text it is, as the official SDK has it.
    """
    found = recognize(head)[1] or _BRANDS.get(head[8:12] if head[4:8] == b"ftyp" else b"", "")
    if found:
        return found
    guess, compression = mimetypes.guess_type(name)
    if is_text(head):
        return guess if text_by_name and guess and not compression else TEXT
    if b"%PDF-" in head[:1_024]:
        return PDF
    if compression:
        return _COMPRESSED.get(compression, OTHER)
    return OTHER if guess is None or guess.startswith("text/") else guess


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is text, in UTF-8 or in another encoding; an empty one is."""
    if head.startswith(_BYTE_ORDER_MARKS):
        return True
    if not _BINARY.isdisjoint(head):
        return False
    if is_utf8(head):
        return True
    return sum(byte < 0x80 for byte in head) >= _ASCII_SHARE * len(head)


def is_utf8(head: bytes) -> bool:
    """Whether it is UTF-8, but for a character that is cut at its end."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) >= HEAD and error.start > len(head) - 4 and error.reason == "unexpected end of data"
    return True


def block_type(kind: str) -> str:
    """The content block that refers to an uploaded file of a media type, such as `document`."""
    bare = kind.partition(";")[0].strip().lower()
    if bare == TEXT:
        return "document"
    return next((name for name, each in KINDS.items() if bare in each.formats), "container_upload")
