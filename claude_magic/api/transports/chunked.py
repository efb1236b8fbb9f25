"""HTTP's chunked coding, undone: the bytes of all chunks that are there, in one piece.

Source: https://www.rfc-editor.org/rfc/rfc9112#section-7.1
"""

from __future__ import annotations

import http.client
from functools import lru_cache

_LONGEST_LINE = 65_536
_LONGEST_TRAILERS = 65_536


class Dechunker:
    """Coded bytes in, plain bytes out.

    Attributes:
        ended: Whether the last chunk and the trailers have been read.
    """

    def __init__(self) -> None:
        self.ended = False
        self._rest = b""
        self._left = 0  # bytes of the current chunk still to come, the line end after it included
        self._in_trailers = False
        self._trailers_left = _LONGEST_TRAILERS

    def feed(self, coded: bytes) -> bytes:
        """The plain bytes that `coded` brings.

        Raises:
            http.client.IncompleteRead: The connection ended before the last chunk.
            http.client.HTTPException: It is not chunked coding.
        """
        if not coded:
            raise http.client.IncompleteRead(b"")
        if self._rest:
            coded, self._rest = self._rest + coded, b""
        plain: list[bytes] = []
        position, end = 0, len(coded)
        while position < end and not self.ended:
            if self._left:
                position = self._data(coded, position, plain)
                continue
            line_end = coded.find(b"\n", position)
            if line_end < 0:
                self._keep(coded[position:])
                break
            line = coded[position:line_end]
            position = line_end + 1
            if self._in_trailers:
                self._trailer(line)
                continue
            size = _size(line)
            data_end = position + size
            if size and data_end + 2 <= end:  # a whole chunk, as nearly all are
                plain.append(coded[position:data_end])
                position = data_end + 2
            elif size:
                self._left = size + 2
            else:
                self._in_trailers = True
        return b"".join(plain)

    def _data(self, coded: bytes, position: int, plain: list[bytes]) -> int:
        """Take what there is of the current chunk; the two bytes after it are no data."""
        taken = min(self._left, len(coded) - position)
        data_end = position + min(taken, max(self._left - 2, 0))
        if data_end > position:
            plain.append(coded[position:data_end])
        self._left -= taken
        return position + taken

    def _trailer(self, line: bytes) -> None:
        """Pass a trailer over; the empty line after the last one ends the body."""
        self.ended = not line.strip()
        self._trailers_left -= len(line) + 1
        if self._trailers_left < 0:
            raise http.client.HTTPException("the trailers are too long")

    def _keep(self, rest: bytes) -> None:
        if len(rest) > _LONGEST_LINE:
            raise http.client.HTTPException("a chunk's first line is too long")
        self._rest = rest


@lru_cache(maxsize=256)  # chunks of one size come again and again
def _size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        size = -1
    if size < 0:
        raise http.client.HTTPException("not chunked coding")
    return size
