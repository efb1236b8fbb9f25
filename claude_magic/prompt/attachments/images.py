"""Fits images into the API's limits: upright, without metadata, scaled only if the API would refuse them.

An image over a limit is scaled to a size accepted beside any number of others. Pillow is needed only for turning,
scaling and thumbnails; sizes are read from the header before anything is decoded.
Source: https://platform.claude.com/docs/en/build-with-claude/vision
"""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import CellError
from ...wire.attachment_kinds import image_type
from .image_headers import is_animated, is_complete, size
from .image_metadata import Bare, bare, with_orientation
from .limits import amount

if TYPE_CHECKING:
    from PIL.Image import Image

MANY = 20  # images in a request; with more of them the sides may be shorter only
LONGEST_SIDE = 8_000  # pixels
LONGEST_OF_MANY = 2_000
MOST_BYTES = 5 * 1024 * 1024 * 3 // 4  # 5 MiB once in base64: Bedrock's and Google's limit, half of the API's own
_MOST_PIXELS = 178_956_970  # to decode: where Pillow stops, too
_MOST_PIXELS_SHOWN = 16_000_000  # to decode for no more than a thumbnail
_SMALL = 160  # longest side of a thumbnail
_SMALL_BYTES = 10_000
_LARGE = 4_000_000  # pixels from which a JPEG is made of a picture that has no format yet


def fit(data: bytes, where: str, *, many: bool = False) -> tuple[bytes, str]:
    """The image as the API accepts it, and a note on what was changed; `""` if nothing.

    Args:
        many: Whether the request has more than `MANY` images.

    Raises:
        CellError: It is damaged, or too large and cannot be scaled.
    """
    image_data, sides = _bare(data, where)
    turns = image_data.orientation != 1
    if turns and not _has_pillow():
        image_data = _on_its_side(image_data)
        turns = False
    animated = "animated: only the first frame is looked at" if is_animated(data) else ""
    limit = LONGEST_OF_MANY if many else LONGEST_SIDE
    if not turns and max(sides) <= limit and len(image_data.data) <= MOST_BYTES:
        return image_data.data, _join_notes(image_data.note, animated)
    facts = f"{where}: the image has {sides[0]:,} x {sides[1]:,} pixels and {amount(len(data))}"
    if sides[0] * sides[1] > _MOST_PIXELS:
        raise CellError(f"{facts}: too many pixels to {'turn' if turns else 'scale'} here. Attach a smaller one.")
    _need_pillow(facts)
    image = _decode(
        image_data.data, max(sides) if max(sides) <= limit else LONGEST_OF_MANY, where, image_data.orientation
    )
    encoded = _encode_within_limit(image, photo=image_type(data) != "image/png" and image.mode in ("L", "RGB"))
    first = "first frame only" if animated else ""
    return bare(encoded).data, _join_notes(
        "turned upright" if turns else "", _done(data, encoded, sides), first, image_data.note
    )


def _bare(data: bytes, where: str) -> tuple[Bare, tuple[int, int]]:
    """The image without its metadata, and its width and height as they are upright."""
    try:
        result = bare(data)
    except ValueError:
        result = Bare(data=b"")
    sides = size(result.data) if image_type(result.data) else None
    if sides is None or not is_complete(result.data):
        raise CellError(f"{where}: the image is damaged, it ends too early. Save it anew.")
    return result, sides if result.orientation < 5 else (sides[1], sides[0])


def _on_its_side(image: Bare) -> Bare:
    """The image not turned, with a note that says so; a JPEG keeps its orientation in EXIF."""
    is_jpeg = image_type(image.data) == "image/jpeg"
    data = with_orientation(image.data, image.orientation) if is_jpeg else image.data
    note = "not turned upright: Pillow, which turns it, is missing (pip install pillow)"
    return replace(image, data=data, note=_join_notes(image.note, note))


def _done(data: bytes, encoded: bytes, sides: tuple[int, int]) -> str:
    after = size(encoded) or sides
    if max(after) < max(sides):
        return f"scaled from {sides[0]} x {sides[1]} to {after[0]} x {after[1]}"
    return f"re-encoded from {amount(len(data))} to {amount(len(encoded))}" if len(data) > MOST_BYTES else ""


def _join_notes(*notes: str) -> str:
    return ", ".join(filter(None, notes))


def thumbnail(data: bytes, where: str) -> bytes:
    """A thumbnail of at most 10 kB; `b""` if Pillow is missing or decoding would take too long.

    Raises:
        CellError: The image is damaged.
    """
    width, height = size(data) or (0, 0)
    if not _has_pillow():
        return data if len(data) <= _SMALL_BYTES else b""
    if width * height > (_MOST_PIXELS if image_type(data) == "image/jpeg" else _MOST_PIXELS_SHOWN):
        return b""
    image = _decode(data, _SMALL, where)
    if len(data) <= _SMALL_BYTES and max(width, height) <= 2 * _SMALL:
        return data
    tries = (_save(image, "PNG"), *(_save(image, "JPEG", quality) for quality in (80, 50, 20)))
    return next((small for small in tries if len(small) <= _SMALL_BYTES), b"")


def encode(image: Image, where: str) -> bytes:
    """A Pillow image as PNG, or as JPEG if it is large and opaque."""
    if image.width * image.height > _MOST_PIXELS:
        raise CellError(f"{where}: {image.width:,} x {image.height:,} pixels are too many. Attach a smaller image.")
    if image.mode == "F":
        raise CellError(
            f"{where}: an image of mode F has no fixed white. Attach image.convert('L') or an array of 0..1."
        )
    from PIL import ImageOps

    image = _in_a_common_mode(ImageOps.exif_transpose(image))
    if image.mode != "RGBA" and image.width * image.height > _LARGE:
        return _save(image, "JPEG", 90)
    return _save(image, "PNG")


def _has_pillow() -> bool:
    try:
        from PIL import Image
    except ImportError:
        return False
    return Image is not None


def _need_pillow(facts: str) -> None:
    if not _has_pillow():
        raise CellError(
            f"{facts}, more than the API takes, and Pillow, which scales it, is missing: pip install pillow"
        )


def _decode(data: bytes, side: int, where: str, orientation: int = 1) -> Image:
    """The first frame, turned by EXIF's `orientation`, with no side longer than `side` pixels."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, which the header has told already, and of broken EXIF
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
                image.draft("RGB", (side, side))
                frame = _in_a_common_mode(image)
    except Exception as error:
        raise CellError(f"{where}: the image is damaged: {type(error).__name__}. Save it anew.") from error
    frame.thumbnail((side, side), Image.Resampling.LANCZOS)
    if orientation == 1:
        return frame
    ways = Image.Transpose
    return frame.transpose(
        {
            2: ways.FLIP_LEFT_RIGHT,
            3: ways.ROTATE_180,
            4: ways.FLIP_TOP_BOTTOM,
            5: ways.TRANSPOSE,
            6: ways.ROTATE_270,
            7: ways.TRANSVERSE,
            8: ways.ROTATE_90,
        }[orientation]
    )


def _in_a_common_mode(image: Image) -> Image:
    """A copy in grey or RGB, or in RGBA if it has transparency."""
    if image.mode.startswith("I"):
        return image.point(lambda grey: grey * (1 / 256)).convert("L")
    if image.mode == "1":
        return image.convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.copy() if image.mode in ("L", "RGB") else image.convert("RGB")


def _encode_within_limit(image: Image, *, photo: bool) -> bytes:
    """The encoded image within the API's limit, at half its size until it fits."""
    while True:
        for kind, quality in (("PNG", 0), ("JPEG", 90), ("JPEG", 75))[photo:]:
            encoded = _save(image, kind, quality)
            if len(encoded) <= MOST_BYTES:
                return encoded
        image = image.reduce(2)


def _save(image: Image, kind: str, quality: int = 0) -> bytes:
    buffer = io.BytesIO()
    if kind == "PNG":
        image.save(buffer, "PNG")
    else:
        _on_white(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _on_white(image: Image) -> Image:
    if image.mode != "RGBA":
        return image
    from PIL import Image

    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
