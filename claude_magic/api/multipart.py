"""Files of a request as `multipart/form-data`, streamed from disk.

The file name is sent as it is in UTF-8, with `"` and line ends percent-encoded, and never as `filename*`, which
servers ignore. Source: https://datatracker.ietf.org/doc/html/rfc7578#section-4.2
Source: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import CellError
from ..wire.media_type import HEAD, is_text, media_type
from ..wire.short_text import ShortRepr
from . import credentials

_BLOCK = 262_144  # bytes read at once
_LONGEST_KEY = 400  # characters of a key that may be cut between two blocks


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
            with open_regular(self.path) as file:
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

    @property
    def paths(self) -> list[str]:
        """Where its files are, in order; `""` for bytes that are in memory."""
        return [part.path for part in self.parts if part.text is None]

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


def multipart(fields: Mapping[str, Any], files: Iterable[tuple[str, Any]], *, text_by_name: bool = False) -> Multipart:
    """The body with these text fields, then these files.

    Args:
        fields: Text, numbers or Booleans by name.
        files: Names of parts with a path, bytes, or a tuple of a file name, a path or bytes, and perhaps a type.
        text_by_name: Whether the name of a text decides its media type; else it is `text/plain`.

    Raises:
        CellError: A file cannot be read, or a field is no text or number.
    """
    texts = tuple(_text_part(name, value) for name, value in fields.items())
    return Multipart(parts=(*texts, *(file_part(name, value, text_by_name=text_by_name) for name, value in files)))


def file_part(name: str, value: Any, *, text_by_name: bool = False) -> Part:
    """A part with a file: only the last component of its path is sent as its name.

    Args:
        value: A path, bytes, or `(file name, path or bytes)` or `(file name, path or bytes, type)`.
        text_by_name: Whether the name of a text decides its media type.

    Raises:
        CellError: It cannot be read, or holds an API key.
    """
    filename, what, given = _unpacked(name, value)
    facts = _Facts()
    if isinstance(what, bytes | bytearray | memoryview):
        path, data = "", bytes(what)
        facts.add(data)
    else:
        path, data = str(Path(what).expanduser()), b""
        facts.add_file(path)
        filename = filename if filename is not None else Path(path).name
    if facts.holds_key:
        raise CellError(
            f"{filename or 'the file'} holds something that looks like an API key, so nothing was sent. "
            "Remove it from the file first."
        )
    if not (given.isascii() and given.isprintable()):
        raise CellError(f"not a media type: {given[:80]!r}. Nothing was sent.")
    kind = given or media_type(facts.head, filename or "", text_by_name=text_by_name)
    digest = facts.digest.hexdigest()
    return Part(
        name=name, filename=filename or "", media_type=kind, path=path, data=data, size=facts.size, digest=digest
    )


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


class _Facts:
    """What is known of a file once all of it was read, in blocks."""

    def __init__(self) -> None:
        self.size = 0
        self.head = b""
        self.digest = hashlib.sha256()
        self.holds_key = False
        self._is_text = True
        self._tail = ""
        self._keys = credentials.in_use()

    def add(self, block: bytes) -> None:
        """Count the next block of it."""
        if not self.size:
            self.head = block[:HEAD]
            self._is_text = is_text(self.head)
        self.size += len(block)
        self.digest.update(block)
        if self._is_text and not self.holds_key:
            text = self._tail + block.decode("latin-1")
            self.holds_key = credentials.holds_key(text, *self._keys)
            self._tail = text[-_LONGEST_KEY:]

    def add_file(self, path: str) -> None:
        """Count all of a file.

        Raises:
            CellError: It cannot be read.
        """
        try:
            with open_regular(path) as file:
                while block := file.read(_BLOCK):
                    self.add(block)
        except OSError as error:
            raise CellError(f"the file cannot be read: {path}: {error.strerror}. Nothing was sent.") from None


def open_regular(path: str | Path) -> BinaryIO:
    """A file to read; a pipe or a device, which may never end, is refused.

    Raises:
        OSError: It cannot be opened.
        CellError: It is no regular file.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise CellError(f"{path} is no file but a folder, a device, a pipe or a socket. Nothing was sent.")
    return os.fdopen(number, "rb")


def _text_part(name: str, value: Any) -> Part:
    if isinstance(value, bool):
        return Part(name=name, text="true" if value else "false")
    if not isinstance(value, str | int | float):
        raise CellError(f"the field {name!r} is a {type(value).__name__}. Beside files a body holds text and numbers.")
    return Part(name=name, text=str(value))


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
