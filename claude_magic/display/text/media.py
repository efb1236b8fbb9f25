"""What stands in place of base64 data wherever a request or a response is shown: `image/png, 1,540 × 900, 210 KB`."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping

_HEAD = 100_000  # characters of base64 in which the size of a picture is looked for
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG's markers of a frame header


def media_note(source: Mapping[str, object]) -> str:
    """What the data of a `base64` source is; `""` for any other value.

    Args:
        source: As in a content block: `type`, `media_type`, `data`.
    """
    data, kind = source.get("data"), source.get("media_type")
    if source.get("type") != "base64" or not isinstance(data, str) or not isinstance(kind, str):
        return ""
    size = pixels(_head(data)) if kind.startswith("image/") else None
    facts = [
        kind[:60],
        f"{size[0]:,} × {size[1]:,}" if size else "",
        _amount(len(data) * 3 // 4 - data[-2:].count("=")),
    ]
    return ", ".join(fact for fact in facts if fact)


def pixels(head: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF, WebP or JPEG that begins with `head`; `None` if they are not in it.

    Source: https://www.w3.org/TR/png-3/#11IHDR, https://www.w3.org/Graphics/GIF/spec-gif89a.txt,
        https://developers.google.com/speed/webp/docs/riff_container, https://www.w3.org/Graphics/JPEG/itu-t81.pdf
    """
    try:
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return struct.unpack(">II", head[16:24])
        if head[:4] == b"GIF8":
            return struct.unpack("<HH", head[6:10])
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp(head)
        return _jpeg(head) if head[:2] == b"\xff\xd8" else None
    except (struct.error, IndexError):
        return None


def _webp(head: bytes) -> tuple[int, int] | None:
    if head[12:16] == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return (width + 1, height + 1) if len(head) >= 30 else None
    if head[12:16] == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        if head[at + 1] in _FRAMES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", head[at + 2 : at + 4])[0]
    return None


def _head(data: str) -> bytes:
    try:
        return base64.b64decode(data[:_HEAD][: len(data[:_HEAD]) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _amount(size: int) -> str:
    """Bytes as text: `680 bytes`, `210 KB`, `3.4 MB`."""
    if size < 1_000:
        return f"{size} bytes"
    return f"{round(size / 1_000):,} KB" if size < 999_500 else f"{size / 1_000_000:,.1f} MB"
