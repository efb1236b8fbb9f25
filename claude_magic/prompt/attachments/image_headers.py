"""Reads the headers of images that the API accepts, without decoding them."""

from __future__ import annotations

import struct

from ...wire.attachment_kinds import image_type

_FRAMES_OF_JPEG = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_GIF_FRAME, _GIF_EXTENSION = b",!"  # what a block begins with
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels from the header; `None` if it is broken."""
    kind = image_type(data)
    try:
        if kind == "image/png":
            width, height = struct.unpack(">II", data[16:24])
        elif kind == "image/gif":
            width, height = struct.unpack("<HH", data[6:10])
        else:
            width, height = _size_of_jpeg(data) if kind == "image/jpeg" else _size_of_webp(data)
    except (struct.error, ValueError):
        return None
    return (width, height) if width and height else None


def is_complete(data: bytes) -> bool:
    """Whether the file has its end; always true for a GIF, whose end decoders do not require."""
    kind = image_type(data)
    if kind == "image/png":
        return b"IEND\xaeB`\x82" in data
    if kind == "image/webp":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return kind == "image/gif" or data.rfind(b"\xff\xd9") > 0


def is_animated(data: bytes) -> bool:
    """Whether it holds several frames, as its header declares or a GIF shows."""
    kind = image_type(data)
    if kind == "image/webp":
        return data[12:16] == b"VP8X" and bool(data[20] & 2)
    if kind == "image/png":
        return b"acTL" in data[: data.find(b"IDAT")]
    return kind == "image/gif" and _has_two_frames(data)


def _has_two_frames(data: bytes) -> bool:
    """Whether a GIF has more than one frame; only one that repeats declares it.

    Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
    """
    frames, at = 0, 13 + _color_table(data[10:11])
    while at < len(data) and data[at] in (_GIF_FRAME, _GIF_EXTENSION):
        if data[at] == _GIF_FRAME:
            frames += 1
            at += 11 + _color_table(data[at + 9 : at + 10])
        else:
            at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        if frames > 1:
            return True
    return False


def _color_table(flags: bytes) -> int:
    """The bytes of the table of colours that follows these flags of a GIF."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES_OF_JPEG:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        if marker == 0xFF:
            at += 1
        else:
            at += 2 if marker in _WITHOUT_LENGTH else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError("no frame")


def _size_of_webp(data: bytes) -> tuple[int, int]:
    """Source: https://developers.google.com/speed/webp/docs/riff_container"""
    if data[12:16] == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack("<I", data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[23:26] != b"\x9d\x01\x2a":
        raise ValueError("no key frame")
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF
