"""`/v1/files`: upload, list, metadata, download, deletion, expiry, and the API's words for what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.scripted_api.wire import Asked, cursor_page, error, json_answer
from tests.server import HEADERS, Answer

_KEPT_DAYS = 30  # metadata stays so long after the expiry
_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x00-\x1f]')
_OLD_SHAPE = "files-api-2025-04-14"


@dataclass
class StoredFile:
    id: str
    filename: str
    mime_type: str
    content: bytes
    created: datetime
    expires: datetime | None = None
    downloadable: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "type": "file",
            "id": self.id,
            "filename": self.filename,
            "mime_type": self.mime_type,
            "size_bytes": len(self.content),
            "created_at": _text(self.created),
            "downloadable": self.downloadable,
            "expires_at": None if self.expires is None else _text(self.expires),
        }


@dataclass(frozen=True, kw_only=True)
class ReceivedPart:
    """One part of a multipart body, as it arrived.

    Attributes:
        filename: `None` if the part has none.
    """

    name: str
    filename: str | None
    media_type: str
    content: bytes
    head: bytes


class Files:
    """The files of a workspace.

    Attributes:
        stored: By id, in the order they were stored.
        quota: Bytes that all may take.
        parts: The parts of the last upload.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.stored: dict[str, StoredFile] = {}
        self.quota = 10**12
        self.parts: list[ReceivedPart] = []
        self._now = now
        self._count = 0

    def add(
        self,
        filename: str,
        content: bytes,
        mime_type: str = "text/plain",
        *,
        downloadable: bool = False,
        expires_in: int | None = None,
    ) -> StoredFile:
        """Store a file, as code execution does (`downloadable`) or an upload."""
        self._count += 1
        name = f"file_{self._count:03d}"
        expires = None if expires_in is None else self._now() + timedelta(seconds=expires_in)
        self.stored[name] = StoredFile(name, filename, mime_type, content, self._now(), expires, downloadable)
        return self.stored[name]

    def answer(self, asked: Asked) -> Answer | None:
        self._drop_old()
        if asked.match("POST", "/v1/files"):
            return self._upload(asked)
        if asked.match("GET", "/v1/files"):
            return self._list(asked)
        if found := asked.match("GET", "/v1/files/{}/content"):
            return self._download(found[1])
        if found := asked.match("GET", "/v1/files/{}"):
            file = self.stored.get(found[1])
            return _missing(found[1]) if file is None else json_answer(file.metadata)
        if found := asked.match("DELETE", "/v1/files/{}"):
            file = self.stored.pop(found[1], None)
            return _missing(found[1]) if file is None else json_answer({"id": file.id, "type": "file_deleted"})
        return None

    def _upload(self, asked: Asked) -> Answer:
        self.parts = parts_of(asked)
        file = next((part for part in self.parts if part.name == "file"), None)
        if file is None:
            return error(400, "invalid_request_error", "file: Field required")
        seconds = next((int(part.content) for part in self.parts if part.name == "expires_in_seconds"), None)
        if seconds is not None and not 3_600 <= seconds <= 7_776_000:
            return error(400, "invalid_request_error", "expires_in_seconds: must be between 3600 and 7776000")
        name = re.split(r"/", file.filename or "")[-1] or "unnamed.bin"
        if _FORBIDDEN.search(name) or len(name) > 255:
            return error(400, "invalid_request_error", "file: invalid filename")
        if sum(len(each.content) for each in self.stored.values()) + len(file.content) > self.quota:
            return error(400, "invalid_request_error", "Storage quota exceeded", code="storage_quota_exceeded")
        return json_answer(self.add(name, file.content, file.media_type, expires_in=seconds).metadata)

    def _list(self, asked: Asked) -> Answer:
        newest = [each.metadata for each in reversed(self.stored.values())]
        if ids := asked.values("ids[]"):
            if asked.value("page") or asked.value("limit"):
                return error(400, "invalid_request_error", "ids: mutually exclusive with page and limit")
            return json_answer({"data": [each for each in newest if each["id"] in ids], "next_page": None})
        if _OLD_SHAPE in asked.headers.get("anthropic-beta", ""):
            from tests.scripted_api.wire import after_id_page

            return after_id_page(newest, asked)
        return cursor_page(newest, asked)

    def _download(self, name: str) -> Answer:
        file = self.stored.get(name)
        if file is None:
            return _missing(name)
        if file.expires is not None and file.expires <= self._now():
            return error(404, "not_found_error", f"File {name} has expired", code="file_expired")
        if not file.downloadable:
            return error(
                400, "invalid_request_error", f"File '{name}' is not downloadable", code="file_not_downloadable"
            )
        headers = (
            ("content-type", file.mime_type),
            ("content-disposition", f'attachment; filename="{file.filename}"'),
            *HEADERS,
        )
        return Answer(headers=headers, pieces=[file.content])

    def _drop_old(self) -> None:
        limit = self._now() - timedelta(days=_KEPT_DAYS)
        for name, file in list(self.stored.items()):
            if file.expires is not None and file.expires < limit:
                del self.stored[name]


def parts_of(asked: Asked) -> list[ReceivedPart]:
    """The parts of a multipart body, by RFC 7578, byte for byte."""
    boundary = asked.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    pieces = asked.body.split(b"--" + boundary)
    assert (pieces[0], pieces[-1]) == (b"", b"--\r\n"), "not a multipart body"
    return [_part(piece.removeprefix(b"\r\n").removesuffix(b"\r\n")) for piece in pieces[1:-1]]


def _part(piece: bytes) -> ReceivedPart:
    head, _, content = piece.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    disposition = lines[0].partition(": ")[2]
    named = dict(re.findall(r'(name|filename)="([^"]*)"', disposition))
    media = next((line.partition(": ")[2] for line in lines if line.lower().startswith("content-type")), "")
    return ReceivedPart(
        name=named["name"], filename=named.get("filename"), media_type=media, content=content, head=head
    )


def _missing(name: str) -> Answer:
    return error(404, "not_found_error", f"File not found: {name}")


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
