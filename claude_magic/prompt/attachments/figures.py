"""Converts figures, images and arrays of a notebook to image bytes.

Libraries are recognized by the names of their types, so none is imported here.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ...errors import CellError
from ...wire.attachment_kinds import image_type
from . import images

_MAX_IMAGES = 600  # in one list: a request takes no more
_SMALLEST = 32  # pixels: a smaller array is a table of numbers
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # of a PNG, by number of channels


def figures(value: Any, where: str) -> list[bytes]:
    """The images in `value`, one for each item of a list; `[]` if it is not an image.

    Raises:
        CellError: It is an image that cannot be drawn.
    """
    images: dict[int, bytes] = {}
    for item in _items(value):
        figure = _figure(item) or item
        if id(figure) not in images:
            data = _draw(figure, where)
            if data is None:
                return []
            images[id(figure)] = data
    return list(images.values())


def is_a(value: Any, library: str, *names: str) -> bool:
    """Whether `value` is an instance of a class of `library` with one of these names."""
    return any(c.__name__ in names and str(c.__module__).split(".")[0] == library for c in type(value).__mro__)


def png(width: int, height: int, channels: int, pixels: bytes) -> bytes:
    """A PNG file with these pixels, 8 bits for each channel.

    Source: https://www.w3.org/TR/png-3/
    """
    row = width * channels
    lines = b"".join(b"\0" + pixels[at : at + row] for at in range(0, row * height, row))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _items(value: Any) -> Sequence[Any]:
    """The items of a list or of an array of axes; else `value` alone."""
    if is_a(value, "numpy", "ndarray") and value.dtype.kind == "O":
        value = value.ravel().tolist()
    return value if isinstance(value, list | tuple) and len(value) <= _MAX_IMAGES else [value]


def _figure(value: Any) -> Any:
    """The figure that `value`, such as axes or a line, belongs to; `None` if there is none."""
    if is_a(value, "matplotlib", "Figure"):
        return value
    if not is_a(value, "matplotlib", "Artist", "Container") and not is_a(value, "seaborn", "Grid", "FacetGrid"):
        return None
    if is_a(value, "matplotlib", "Container"):  # of bars: a tuple
        return _figure(next(iter(value), None))
    figure = getattr(value, "figure", None)
    return _figure(figure) if figure is not value else None


def _draw(value: Any, where: str) -> bytes | None:
    if is_a(value, "matplotlib", "Figure"):
        return _call(lambda: _save(value), where)
    if is_a(value, "plotly", "BaseFigure"):
        return _plotly(value, where)
    if is_a(value, "PIL", "Image"):
        return _call(lambda: images.encode(value, where), where)
    if is_a(value, "numpy", "ndarray"):
        return _array(value, where)
    if is_a(value, "IPython", "Image") and isinstance(value.data, bytes):
        return value.data
    for name in ("_repr_png_", "_repr_jpeg_"):
        if not isinstance(value, type) and callable(getattr(type(value), name, None)):
            data = _call(partial(_repr_png, value, name), where)
            if image_type(data):
                return data
    return None


def _call(draw: Callable[[], bytes], where: str) -> bytes:
    """The result of `draw`; an exception of the library becomes a one-line error."""
    try:
        return draw()
    except CellError:
        raise
    except Exception as error:
        raise CellError(
            f"{where}: it cannot be drawn: {type(error).__name__}: {' '.join(str(error).split())[:200]}. "
            "Save it as a PNG file, and attach that."
        ) from error


def _save(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _plotly(figure: Any, where: str) -> bytes:
    if importlib.util.find_spec("kaleido") is None:
        raise CellError(f"{where}: kaleido, which makes an image of a plotly figure, is missing: pip install kaleido")
    return _call(lambda: bytes(figure.to_image(format="png")), where)


def _repr_png(value: Any, name: str) -> bytes:
    """The bytes from IPython's `_repr_png_` or `_repr_jpeg_`, which return bytes or base64, also with metadata."""
    result = getattr(value, name)()
    data = result[0] if isinstance(result, tuple) and result else result
    if isinstance(data, str):
        try:
            return base64.b64decode(data)
        except (binascii.Error, ValueError):
            return b""
    return data if isinstance(data, bytes) else b""


def _array(value: Any, where: str) -> bytes | None:
    """The image of an array of H x W, H x W x 3 or H x W x 4 numbers; `None` for other or small arrays."""
    if value.ndim == 3 and value.shape[2] == 1:
        value = value[:, :, 0]
    coloured = value.ndim == 3 and value.shape[2] in (3, 4)
    if not (coloured or value.ndim == 2) or min(value.shape[:2]) < _SMALLEST:
        return None
    height, width = value.shape[:2]
    if width * height > 100_000_000:
        raise CellError(
            f"{where}: an array of {height:,} x {width:,} is too large an image. Attach every second pixel."
        )
    pixels = _as_uint8(value)
    if pixels is not None:
        return png(width, height, value.shape[2] if coloured else 1, pixels.tobytes())
    if not coloured or value.dtype.kind not in "fiu":
        return None
    raise CellError(
        f"{where}: as an image, {value.dtype} from {value.min():.4g} to {value.max():.4g} has no meaning. "
        "Scale it to 0..1, or make it uint8."
    )


def _as_uint8(value: Any) -> Any:
    """The array as uint8 if its numbers are certainly brightness; else `None`."""
    kind = value.dtype.kind
    if value.dtype == "uint8":
        return value
    if kind == "b":
        return value.astype("uint8") * 255
    if kind not in "fiu" or not value.min() >= 0:
        return None
    if kind == "f":
        return (value * 255).round().astype("uint8") if value.max() <= 1 else None
    return value.astype("uint8") if value.ndim == 3 and value.max() <= 255 else None
