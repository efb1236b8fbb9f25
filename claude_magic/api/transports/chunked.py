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
        end = len(coded)
        position = self._data(coded, 0, plain) if self._left else 0
        while position < end and not self._in_trailers:
            line_end = coded.find(b"\n", position)
            if line_end < 0:
                position = self._keep(coded, position)
                break
            size = _size(coded[position:line_end])
            position = line_end + 1
            data_end = position + size
            if size and data_end + 2 <= end:  # a whole chunk, as nearly all are
                plain.append(coded[position:data_end])
                position = data_end + 2
            elif size:
                self._left = size + 2
                position = self._data(coded, position, plain)
            else:
                self._in_trailers = True
        while position < end and not self.ended:
            position = self._trailer(coded, position)
        return b"".join(plain)

    def _data(self, coded: bytes, position: int, plain: list[bytes]) -> int:
        """Take what there is of the current chunk; the two bytes after it are no data."""
        taken = min(self._left, len(coded) - position)
        data_end = position + min(taken, max(self._left - 2, 0))
        if data_end > position:
            plain.append(coded[position:data_end])
        self._left -= taken
        return position + taken

    def _trailer(self, coded: bytes, position: int) -> int:
        """Pass a trailer over; the empty line after the last one ends the body."""
        line_end = coded.find(b"\n", position)
        if line_end < 0:
            return self._keep(coded, position)
        self.ended = not coded[position:line_end].strip()
        self._trailers_left -= line_end - position + 1
        if self._trailers_left < 0:
            raise http.client.HTTPException("the trailers are too long")
        return line_end + 1

    def _keep(self, coded: bytes, position: int) -> int:
        """Keep a line that is not at its end."""
        self._rest = coded[position:]
        if len(self._rest) > _LONGEST_LINE:
            raise http.client.HTTPException("a chunk's first line is too long")
        return len(coded)


@lru_cache(maxsize=256)  # chunks of one size come again and again
def _size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        size = -1
    if size < 0:
        raise http.client.HTTPException("not chunked coding")
    return size
