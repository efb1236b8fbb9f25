"""Removes metadata from image files, so that no location or name is sent.

Colour profiles, gamma and animation, which the picture needs to look the same, are kept. Data after the picture's end,
such as a second photo with its own EXIF, is removed too. This needs no Pillow, and nothing is decoded.

Source: https://www.w3.org/TR/png-3/, https://www.w3.org/Graphics/JPEG/itu-t81.pdf,
https://developers.google.com/speed/webp/docs/riff_container, https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ...wire.attachment_kinds import image_type

_UPRIGHT = 1
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_IN_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([1-8])")
_PNG_TEXTS = {b"eXIf", b"iTXt", b"tEXt", b"zTXt", b"tIME"}
_PRIVATE = re.compile(rb"Exif\0|http://ns\.adobe\.com/|Photoshop 3\.0|XML:com\.adobe|Raw profile type", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Bare:
    """An image without its metadata.

    Attributes:
        orientation: How to turn the picture, 1 to 8 as in EXIF; 1 if it is upright.
        note: What was removed, if that could name a place or a person; else `""`.
    """

    data: bytes
    orientation: int = _UPRIGHT
    note: str = ""


def bare(data: bytes) -> Bare:
    """The image in `data` without its EXIF, XMP, IPTC and comments.

    Raises:
        ValueError: It is damaged.
    """
    split = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp, "image/gif": _gif}[image_type(data)]
    image_parts: list[bytes] = []
    left_out: list[bytes] = []
    try:
        for piece, belongs in split(data):
            (image_parts if belongs else left_out).append(piece)
    except (struct.error, IndexError):
        raise ValueError("it ends too early") from None
    image = b"".join(image_parts)
    if image_type(data) == "image/webp":
        image = _webp_header(image)
    orientation = next(filter(None, map(_orientation, left_out)), _UPRIGHT)
    private = any(_PRIVATE.search(piece[:200]) or piece[:4] in (b"EXIF", b"XMP ") for piece in left_out)
    private = private or any(piece[4:8] == b"eXIf" for piece in left_out)
    return Bare(data=image, orientation=orientation, note="without its EXIF and location data" if private else "")


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A bare JPEG with EXIF that holds only its orientation."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff + jpeg[2:]


def _orientation(piece: bytes) -> int:
    """The orientation in the EXIF or XMP of `piece`; 0 if there is none."""
    if match := _IN_XMP.search(piece):
        return int(match[1])
    start = max(piece.find(b"II*\0", 0, 60), piece.find(b"MM\0*", 0, 60))
    if start < 0:
        return 0
    order = "<" if piece[start : start + 2] == b"II" else ">"
    try:
        (offset,) = struct.unpack_from(order + "I", piece, start + 4)
        (count,) = struct.unpack_from(order + "H", piece, start + offset)
        for number in range(min(count, 500)):
            tag, _, _, value = struct.unpack_from(order + "HHIH", piece, start + offset + 2 + 12 * number)
            if tag == 0x0112:
                return value if 1 <= value <= 8 else 0
    except struct.error:
        return 0
    return 0


def _jpeg(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The pieces of a JPEG, and whether each belongs to the picture."""
    yield data[:2], True
    at = 2
    while True:
        match = _MARKER.search(data, at)
        if match is None:
            yield data[at:], True  # cut short; whoever decodes it says so
            return
        if match.start() > at:
            yield data[at : match.start()], True  # the picture itself, or what decoders pass over
        marker, at = match[1][0], match.end()
        if marker == 0xD9:
            yield b"\xff\xd9", True
            yield data[at:], False
            return
        if marker in _WITHOUT_LENGTH:
            yield b"\xff" + bytes([marker]), True
            continue
        (length,) = struct.unpack_from(">H", data, at)
        segment = data[at : at + length]
        yield b"\xff" + bytes([marker]) + segment, _is_kept_of_jpeg(marker, segment[2:])
        at += length


def _is_kept_of_jpeg(marker: int, content: bytes) -> bool:
    """Whether a segment is kept: no comments or application data, except JFIF, colour profile and transform."""
    if marker == 0xE2:
        return content.startswith(b"ICC_PROFILE")
    if marker == 0xE0:
        return content.startswith(b"JFIF")
    return marker == 0xEE or not (marker == 0xFE or 0xE0 <= marker <= 0xEF)


def _png(data: bytes) -> Iterator[tuple[bytes, bool]]:
    yield data[:8], True
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunk = data[at : at + 12 + length]
        name = chunk[4:8]
        yield chunk, name not in _PNG_TEXTS or (name == b"tEXt" and chunk[8:].startswith(b"Software\0"))
        at += 12 + length
        if name == b"IEND":
            yield data[at:], False
            return


def _webp(data: bytes) -> Iterator[tuple[bytes, bool]]:
    yield data[:12], True
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ValueError("it ends too early")
    while at + 8 <= end:
        (length,) = struct.unpack_from("<I", data, at + 4)
        after = at + 8 + length + length % 2
        yield data[at:after], data[at : at + 4] not in (b"EXIF", b"XMP ")
        at = after
    yield data[at:], False


def _webp_header(data: bytes) -> bytes:
    """`data` with the header's size corrected and its flags for EXIF and XMP cleared."""
    image = bytearray(data)
    image[4:8] = (len(data) - 8).to_bytes(4, "little")
    if image[12:16] == b"VP8X":
        image[20] &= ~0x0C
    return bytes(image)


def _gif(data: bytes) -> Iterator[tuple[bytes, bool]]:
    at = 13 + _colours(data[10])
    yield data[:at], True
    while at < len(data):
        begin, kind = at, data[at]
        if kind == 0x3B:
            yield b";", True
            yield data[at + 1 :], False
            return
        if kind == 0x2C:
            at = _after_blocks(data, at + 11 + _colours(data[at + 9]))
            yield data[begin:at], True
        elif kind == 0x21:
            name = data[at + 3 : at + 14]
            at = _after_blocks(data, at + 2)
            loops = name.startswith((b"NETSCAPE", b"ANIMEXTS", b"ICCRGBG1"))
            yield data[begin:at], data[begin + 1] in (0xF9, 0x01) or (data[begin + 1] == 0xFF and loops)
        else:
            yield data[at:], True  # left to decoders
            return


def _colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    """The end of a run of blocks, or of the file if it was cut off."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))
