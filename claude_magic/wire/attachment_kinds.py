"""The kinds of attachments: how each is recognized, which content block it is sent as, its maximum number of tokens.

One entry is enough for a new kind: `--attach` recognizes its files and addresses and sends them as they are, the
token bound and the token breakdown count it, and the journal keeps its data once. What only one kind needs, such as
scaling an image, is in `prompt.attachments.media`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class AttachmentKind:
    """A kind of content block that holds something attached.

    Attributes:
        label: The name of the block in the token breakdown.
        file_label: The name of a file of this kind in messages.
        formats: By media type, a pattern of the first bytes; empty if this package sends none in base64.
        endings: The endings of URLs of this kind.
        max_tokens: An upper bound of its input tokens; `None` if that depends on its source.
        has_title: Whether the block has a `title`.
    """

    label: str
    file_label: str = ""
    formats: Mapping[str, re.Pattern[bytes]] = field(default_factory=dict)
    endings: tuple[str, ...] = ()
    max_tokens: int | None = None
    has_title: bool = False


KINDS = {  # by the type of the content block
    "image": AttachmentKind(
        label="image",
        file_label="image",
        formats={
            "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
            "image/jpeg": re.compile(rb"\xff\xd8\xff"),
            "image/gif": re.compile(rb"GIF8[79]a"),
            "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
        },
        endings=(".png", ".jpg", ".jpeg", ".gif", ".webp"),
        max_tokens=5_000,  # the API scales images down: the largest documented one has about 4,784 tokens
    ),
    "document": AttachmentKind(
        label="document",
        file_label="PDF",
        formats={"application/pdf": re.compile(rb"%PDF-")},
        endings=(".pdf",),
        has_title=True,
    ),
    "search_result": AttachmentKind(label="search result"),
    "container_upload": AttachmentKind(label="container upload"),
}


def kind_of(block: Mapping[str, object]) -> AttachmentKind | None:
    """The kind of a content block; `None` if it holds no attachment."""
    name = block.get("type")
    return KINDS.get(name) if isinstance(name, str) else None


def recognize(data: bytes) -> tuple[str, str]:
    """The block type and the media type of `data`, by its first bytes; two empty strings if it is of no kind."""
    for name, kind in KINDS.items():
        for media_type, first_bytes in kind.formats.items():
            if first_bytes.match(data):
                return name, media_type
    return "", ""


def image_type(data: bytes) -> str:
    """The media type of `data` if it is an image that the API takes, else `""`."""
    name, media_type = recognize(data)
    return media_type if name == "image" else ""
