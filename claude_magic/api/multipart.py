"""Files of a request as `multipart/form-data`, streamed from disk.

The file name is sent as it is in UTF-8, with `"` and line ends percent-encoded, and never as `filename*`, which
servers ignore. Source: https://datatracker.ietf.org/doc/html/rfc7578#section-4.2
Source: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
"""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CellError
from ..wire.short_text import ShortRepr

_BLOCK = 262_144  # bytes read at once
_OTHER = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, repr=False)
class Part(ShortRepr):
    """One part: a text, or a file.

    Attributes:
        text: The value; `None` if it is a file.
        filename: As it is sent; `""` for none.
        media_type: Of a file.
        path: Where the file is; `""` if its bytes are in `data`.
        size: Bytes of a file.
        digest: SHA-256 of a file, in hexadecimal.
    """

    name: str
    text: str | None = None
    filename: str = ""
    media_type: str = ""
    path: str = ""
    data: bytes = b""
    size: int = 0
    digest: str = ""

    @property
    def head(self) -> bytes:
        """The headers of the part, and the blank line after them."""
        lines = [f'Content-Disposition: form-data; name="{_quoted(self.name)}"']
        if self.filename:
            lines[0] += f'; filename="{_quoted(self.filename)}"'
        if self.text is None:
            lines.append(f"Content-Type: {self.media_type}")
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    @property
    def length(self) -> int:
        """Bytes of its content."""
        return self.size if self.text is None else len(self.text.encode())

    def blocks(self) -> Iterator[bytes]:
        """Its content.

        Raises:
            CellError: The file is not what it was when the request was made.
        """
        if self.text is not None:
            yield self.text.encode()
        elif not self.path:
            yield self.data
        else:
            yield from self._file_blocks()

    def _file_blocks(self) -> Iterator[bytes]:
        left = self.size
        try:
            with Path(self.path).open("rb") as file:
                while left and (block := file.read(min(_BLOCK, left))):
                    left -= len(block)
                    yield block
        except OSError as error:
            raise CellError(f"{self.path} cannot be read: {error.strerror}. The upload was broken off.") from None
        if left:
            raise CellError(f"{self.path} became shorter while it was sent. The upload was broken off; send it again.")

    @property
    def description(self) -> dict[str, Any]:
        """What the panel, the journal and programs say of it."""
        if self.text is not None:
            return {"name": self.name, "value": self.text}
        return {
            "name": self.name,
            **({"filename": self.filename} if self.filename else {}),
            "content_type": self.media_type,
            "size": self.size,
            "sha256": self.digest,
            **({"path": self.path} if self.path else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Multipart:
    """The parts of a request; iterated, the bytes of its body, anew each time.

    Attributes:
        sent: Called with the bytes sent so far, for a progress bar.
    """

    parts: tuple[Part, ...]
    boundary: str = field(default_factory=lambda: secrets.token_hex(16))
    sent: Callable[[int], object] | None = field(default=None, compare=False)

    @property
    def content_type(self) -> str:
        """The header of the request."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def description(self) -> dict[str, Any]:
        """What stands in the place of the request's JSON."""
        return {"multipart": [part.description for part in self.parts]}

    def __len__(self) -> int:
        return sum(len(self._begin) + len(part.head) + part.length + 2 for part in self.parts) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        done = 0
        for piece in self._pieces():
            yield piece
            done += len(piece)
            if self.sent is not None:
                self.sent(done)

    def _pieces(self) -> Iterator[bytes]:
        for part in self.parts:
            yield self._begin + part.head
            yield from part.blocks()
            yield b"\r\n"
        yield self._end

    @property
    def _begin(self) -> bytes:
        return f"--{self.boundary}\r\n".encode()

    @property
    def _end(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def multipart(fields: Mapping[str, Any], files: Iterable[tuple[str, Any]]) -> Multipart:
    """The body with these text fields, then these files.

    Args:
        fields: Text, numbers or Booleans by name.
        files: Names of parts with a path, bytes, or a tuple of a file name, a path or bytes, and perhaps a type.

    Raises:
        CellError: A file cannot be read, or a field is no text or number.
    """
    texts = tuple(_text_part(name, value) for name, value in fields.items())
    return Multipart(parts=(*texts, *(file_part(name, value) for name, value in files)))


def file_part(name: str, value: Any, *, media_type: str = "") -> Part:
    """A part with a file: only the last component of its path is sent as its name.

    Args:
        value: A path, bytes, or `(file name, path or bytes)` or `(file name, path or bytes, type)`.
        media_type: `""` to guess it from the file name.

    Raises:
        CellError: It cannot be read.
    """
    filename, what, given = _unpacked(name, value)
    if isinstance(what, bytes | bytearray | memoryview):
        data = bytes(what)
        digest = hashlib.sha256(data).hexdigest()
        path, size = "", len(data)
    else:
        path, data = str(Path(what).expanduser()), b""
        size, digest = _measured(path)
        filename = filename if filename is not None else Path(path).name
    kind = given or media_type or mimetypes.guess_type(filename or "")[0] or _OTHER
    return Part(name=name, filename=filename or "", media_type=kind, path=path, data=data, size=size, digest=digest)


def _unpacked(name: str, value: Any) -> tuple[str | None, Any, str]:
    """File name (`None` for the path's own), what holds the bytes, type."""
    if isinstance(value, tuple) and len(value) in (2, 3):
        filename, what, *kind = value
        return str(filename), what, str(kind[0]) if kind else ""
    if isinstance(value, str | Path | bytes | bytearray | memoryview):
        return None, value, ""
    raise CellError(
        f"the file {name!r} is a {type(value).__name__}. Give a path, bytes, or (file name, path or bytes, type)."
    )


def _measured(path: str) -> tuple[int, str]:
    """Size and digest of a file, which is read in blocks."""
    digest, size = hashlib.sha256(), 0
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise CellError(f"the file cannot be read: {path}: {error.strerror}. Nothing was sent.") from None
    return size, digest.hexdigest()


def _text_part(name: str, value: Any) -> Part:
    if isinstance(value, bool):
        return Part(name=name, text="true" if value else "false")
    if not isinstance(value, str | int | float):
        raise CellError(f"the field {name!r} is a {type(value).__name__}. Beside files a body holds text and numbers.")
    return Part(name=name, text=str(value))


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
