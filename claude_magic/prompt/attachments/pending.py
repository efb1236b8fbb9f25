"""Attachments that are sent by the id of an uploaded file, before that id, or what it is the id of, is known."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import CellError
from ...wire.media_type import TEXT, block_type, is_utf8, media_type
from ...wire.short_text import ShortRepr
from ...wire.stored_file import StoredFile
from . import files
from .limits import amount

KINDS = ("image", "document", "container_upload")
_KIND = re.compile(rf"({'|'.join(KINDS)}):(.+)", re.DOTALL)
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", TEXT: ".txt"}
_NOT_UTF8 = "not UTF-8, and uploaded as it is; without --upload it would be converted"


@dataclass(frozen=True, kw_only=True, repr=False)
class PendingFile(ShortRepr):
    """A file to upload, or one that was uploaded and whose kind is unknown.

    Attributes:
        file_id: Of a file that was uploaded; `""` for one to upload.
        path: Of a file to upload; `""` if its content is `data`.
        filename: The name it is uploaded with.
        kind: The content block that was asked for; `""` for the one that its media type allows.
        title: Of its block, if that is a document.
    """

    file_id: str = ""
    path: str = ""
    data: bytes = b""
    filename: str = ""
    media_type: str = ""
    kind: str = ""
    title: str = ""

    def block(self, file: StoredFile) -> dict[str, Any]:
        """The content block, once the file is known."""
        return file.block(self.kind, self.title)

    @property
    def unsent_block(self) -> dict[str, Any]:
        """What stands in its place until then."""
        file = StoredFile(id=self.file_id, mime_type=self.media_type)
        return file.block(self.kind or ("document" if self.file_id else ""), self.title)


def split_kind(name: str) -> tuple[str, str]:
    """The kind of block in front of a name, as in `container_upload:data.csv`, and the name; `""` for none."""
    match = _KIND.fullmatch(name)
    return (match[1], match[2]) if match else ("", name)


def pending_path(path: Path, title: str, where: str, kind: str) -> tuple[PendingFile, str, str]:
    """A file to upload, its kind and size in words, and what to know of it; its content is read when it is sent.

    Raises:
        CellError: It is empty, cannot be read, or cannot be sent as that kind of block.
    """
    head, size = files.head(path, where)
    found = media_type(head, path.name)
    note = _NOT_UTF8 if found == TEXT and not is_utf8(head) else ""
    file = PendingFile(path=str(path), filename=path.name, media_type=found, kind=kind, title=title)
    return _checked(file, where), f"{_label(file)}, {amount(size)}, by its id", note


def pending_source(source: dict[str, str], title: str, where: str, kind: str) -> PendingFile | None:
    """The content of a block as a file to upload; `None` if it holds none, such as an address."""
    if source["type"] == "text":
        data, media = source["data"].encode("utf-8", "replace"), TEXT
    elif source["type"] == "base64":
        data, media = base64.b64decode(source["data"]), source["media_type"]
    else:
        return None
    ending = _ENDINGS.get(media, ".pdf")
    name = re.sub(r'[<>:"|?*\\/\x00-\x1f]', "_", title)[:200]
    name = name if name.lower().endswith(ending) else f"{name}{ending}"
    return _checked(PendingFile(data=data, filename=name, media_type=media, kind=kind, title=title), where)


def _checked(file: PendingFile, where: str) -> PendingFile:
    if file.kind in ("image", "document") and block_type(file.media_type) != file.kind:
        takes = "PNG, JPEG, GIF or WebP" if file.kind == "image" else "PDF or plain text"
        raise CellError(
            f"{where}: it is {file.media_type}, and an uploaded {file.kind} is {takes}. Leave {file.kind}: out."
        )
    return file


def _label(file: PendingFile) -> str:
    kind = file.kind or block_type(file.media_type)
    return f"{file.media_type} for code execution" if kind == "container_upload" else file.media_type
