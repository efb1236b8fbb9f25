"""The body that makes a message batch, read from the journal while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from . import database
from .batch_rows import entry


class StoredUpload:
    """The body that makes a batch; iterated, it is read from the journal."""

    _HEAD, _TAIL = b'{"requests":[', b"]}"
    _PIECE = 65_536  # bytes

    def __init__(self, path: Path, batch: int, size: int) -> None:
        self._path = path
        self._batch = batch
        self._length = len(self._HEAD) + len(self._TAIL) + size - 1  # no comma before the first

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        piece = bytearray(self._HEAD)
        statement = "select custom_id, request from batch_request where batch = ? order by id"
        with closing(database.connect(self._path)) as connection:
            for number, (custom_id, content) in enumerate(connection.execute(statement, (self._batch,))):
                piece += (b"," if number else b"") + entry(custom_id, content).encode()
                if len(piece) > self._PIECE:
                    yield bytes(piece)
                    piece.clear()
        yield bytes(piece + self._TAIL)
