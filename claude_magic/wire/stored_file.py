"""A file of the Files API, as the API describes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .media_type import block_type
from .message import Block

_OUTPUTS = ("code_execution_output", "bash_code_execution_output")


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file, or only its id where the rest could not be asked for.

    Attributes:
        filename: As the server gives it; never a path.
        mime_type: `""` if unknown.
        size_bytes: `None` if unknown.
        created_at: In RFC 3339; `""` if unknown.
        expires_at: `""` for never.
        downloadable: Whether its content can be read back; `None` if unknown.
    """

    id: str
    filename: str = ""
    mime_type: str = ""
    size_bytes: int | None = None
    created_at: str = ""
    expires_at: str = ""
    downloadable: bool | None = None

    @classmethod
    def of_json(cls, body: Any) -> StoredFile | None:
        """The file that a JSON object of the API describes; `None` if it describes none."""
        if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
            return None
        size, downloadable = body.get("size_bytes"), body.get("downloadable")
        return cls(
            id=body["id"],
            size_bytes=size if isinstance(size, int) and not isinstance(size, bool) else None,
            downloadable=downloadable if isinstance(downloadable, bool) else None,
            **{name: str(body.get(name) or "") for name in ("filename", "mime_type", "created_at", "expires_at")},
        )

    def block(self, kind: str = "", title: str = "") -> Block:
        """The content block that refers to it.

        Args:
            kind: `""` for the one that its media type allows.
            title: Of a document; `""` for none.
        """
        kind = kind or block_type(self.mime_type)
        if kind == "container_upload":
            return {"type": kind, "file_id": self.id}
        named = {"title": title} if title and kind == "document" else {}
        return {"type": kind, "source": {"type": "file", "file_id": self.id}, **named}


def file_path(file_id: str, part: str = "") -> str:
    """The path of a file at the API, whatever its id holds; `part` may be `/content`."""
    return f"/v1/files/{quote(file_id, safe='')}{part}"


def written_ids(content: list[Block]) -> list[str]:
    """The ids of the files that code execution wrote, by the blocks of a message, in order."""
    found = [each.get("file_id") for block in content for each in _outputs(block)]
    return list(dict.fromkeys(each for each in found if isinstance(each, str) and each))


def _outputs(block: Block) -> Iterator[Mapping[str, Any]]:
    result = block.get("content")
    several = result.get("content") if isinstance(result, Mapping) else None
    for each in several if isinstance(several, list) else ():
        if isinstance(each, Mapping) and each.get("type") in _OUTPUTS:
            yield each
