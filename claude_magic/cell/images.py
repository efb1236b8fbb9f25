"""Images for a prompt: known by their bytes, within the API's limits.

Source: https://docs.anthropic.com/en/docs/build-with-claude/vision
"""

from __future__ import annotations

import importlib.util
import io
import struct
import sys
import zlib
from typing import Any

from ..errors import CellError

LONGEST_SIDE = 8_000  # pixels; the API refuses more
MOST_BYTES = 5_000_000
_SCALED_TO = 1_568  # pixels; the API would scale larger images down to this anyway
_MOST_PIXELS = 100_000_000  # more is not even decoded
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def media_type(data: bytes) -> str | None:
    """The image type that `data` begins with; `None` if it is no image the API takes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)


def fitted(data: bytes, title: str) -> tuple[bytes, str]:
    """`data` within the API's limits, and what was done to it; `""` if nothing.

    Raises:
        CellError: It is too large and Pillow is missing, or it cannot be read.
    """
    size = _size(data)
    if len(data) <= MOST_BYTES and (size is None or max(size) <= LONGEST_SIDE):
        return data, ""
    if importlib.util.find_spec("PIL") is None:
        raise CellError(
            f"{title} is too large for the API, and Pillow, which scales it, is missing. pip install pillow"
        )
    if size is not None and size[0] * size[1] > _MOST_PIXELS:
        raise CellError(f"{title} has {size[0]:,} x {size[1]:,} pixels, too many to scale here. Send a smaller one.")
    return _scaled(data, title)


def thumbnail(data: bytes) -> bytes:
    """A small PNG of an image; `b""` if there is no Pillow, or it cannot be read."""
    if importlib.util.find_spec("PIL") is None or (size := _size(data)) is None or size[0] * size[1] > _MOST_PIXELS:
        return b""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.thumbnail((96, 96))
            return _png(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError):
        return b""


def of_value(value: Any) -> bytes | None:
    """The PNG of a variable that is an image: PIL, a figure, an array, what IPython would show; else `None`."""
    module = type(value).__module__.partition(".")[0]
    if module == "PIL":
        return _png(value)
    if module == "matplotlib" and hasattr(getattr(value, "figure", value), "savefig"):
        buffer = io.BytesIO()
        (value if hasattr(value, "savefig") else value.figure).savefig(buffer, format="png")
        return buffer.getvalue()
    if module == "plotly" and hasattr(value, "to_image"):
        try:
            return bytes(value.to_image(format="png"))
        except (ValueError, ImportError, RuntimeError):
            raise CellError("a plotly figure becomes an image with kaleido only. pip install kaleido") from None
    if module == "numpy" and hasattr(value, "ndim"):
        return _array(value)
    shown = getattr(value, "_repr_png_", None)
    data = shown() if callable(shown) and not isinstance(value, type) else getattr(value, "data", None)
    return data if isinstance(data, bytes) and media_type(data) else None


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _array(value: Any) -> bytes | None:
    """A PNG of an array H x W, H x W x 3 or H x W x 4, of bytes or of floats from 0 to 1."""
    if value.ndim not in (2, 3) or (value.ndim == 3 and value.shape[2] not in (3, 4)) or 0 in value.shape:
        return None
    if value.dtype.kind == "f":
        value = (sys.modules["numpy"].nan_to_num(value).clip(0, 1) * 255).round()
    elif value.dtype.kind not in "bu" and value.dtype.kind != "i":
        return None
    pixels = (value * 255 if value.dtype.kind == "b" else value).clip(0, 255).astype("uint8")
    height, width = pixels.shape[:2]
    colour = {1: 0, 3: 2, 4: 6}[pixels.shape[2] if pixels.ndim == 3 else 1]
    rows = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG or GIF by its header, of others by Pillow; `None` if unknown."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(b"GIF8") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    if importlib.util.find_spec("PIL") is None:
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            return width, height
    except (OSError, ValueError, SyntaxError):
        return None


def _scaled(data: bytes, title: str) -> tuple[bytes, str]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            before = image.size
            image.thumbnail((_SCALED_TO, _SCALED_TO))
            made = _png(image.convert("RGBA" if image.mode in ("RGBA", "LA", "P") else "RGB"))
            after = image.size
    except (OSError, ValueError, SyntaxError) as error:
        raise CellError(f"{title} cannot be read as an image: {error}. Look at the file.") from None
    return made, f"scaled from {before[0]:,} x {before[1]:,} to {after[0]:,} x {after[1]:,}"
