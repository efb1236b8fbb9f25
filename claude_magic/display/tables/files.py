"""The files of the Files API as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ...wire.short_text import size_text
from ...wire.stored_file import StoredFile
from ..text.excerpt import plain_line
from .table import Cell, Kind, table

_HEAD = ("id", "name", "type", "size", "created", "expires", "downloadable")
_KINDS: dict[str, Kind] = {"id": "code", "name": "wrap", "size": "number"}


def file_table(files: Sequence[StoredFile], below: str = "") -> dict[str, str]:
    """The mime bundle of a list of files, in their order.

    Args:
        below: A sentence under the table.
    """
    if not files:
        return {"text/html": "<div>no files</div>", "text/plain": "no files"}
    shown = table("", _HEAD, [_cells(file) for file in files], kinds=_KINDS, below=below)
    return {**shown, "text/plain": f"{shown['text/plain']}\n{below}".rstrip()}


def _cells(file: StoredFile) -> list[Cell]:
    return [
        plain_line(file.id, 100),
        plain_line(file.filename, 80) or None,
        plain_line(file.mime_type, 60) or None,
        None if file.size_bytes is None else size_text(file.size_bytes),
        _moment(file.created_at) or None,
        _moment(file.expires_at) or "never",
        {True: "yes", False: "no", None: None}[file.downloadable],
    ]


def _moment(text: str) -> str:
    """A moment in RFC 3339, to the minute, in UTC as the API gives it."""
    return plain_line(text[:16].replace("T", " "), 20)
