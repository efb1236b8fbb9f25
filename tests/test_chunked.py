"""HTTP's chunked coding, undone: against the standard library's own reading."""

from __future__ import annotations

import contextlib
import http.client
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.api.transports.chunked import Dechunker

SIZES = st.lists(st.binary(min_size=1, max_size=40), max_size=12)


def coded(chunks: list[bytes], *, extension: bytes = b"", trailers: bytes = b"", size: str = "%x") -> bytes:
    body = b"".join((size % len(c)).encode() + extension + b"\r\n" + c + b"\r\n" for c in chunks)
    return body + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def read_by_the_standard_library(stream: bytes) -> bytes:
    class Socket:
        def makefile(self, *_: object) -> io.BytesIO:
            return io.BytesIO(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + stream)

    response = http.client.HTTPResponse(Socket())  # type: ignore[arg-type]
    response.begin()
    return response.read()


def fed(*blocks: bytes) -> tuple[bytes, bool]:
    dechunker = Dechunker()
    return b"".join(dechunker.feed(block) for block in blocks if not dechunker.ended), dechunker.ended


@given(SIZES, st.sampled_from([b"", b";a=b", b' ; a="b"']), st.sampled_from([b"", b"x: 1\r\ny: 2\r\n"]), st.integers())
def test_any_chunking_cut_anyhow_reads_as_the_standard_library_does(
    chunks: list[bytes], extension: bytes, trailers: bytes, seed: int
) -> None:
    stream = coded(chunks, extension=extension, trailers=trailers)
    cuts = sorted(random.Random(seed).choices(range(1, len(stream) + 1), k=6))
    blocks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) if a < b]
    assert fed(*blocks) == (read_by_the_standard_library(stream), True)


def test_a_coding_cut_in_two_anywhere_gives_the_same_bytes() -> None:
    stream = coded([b"abc", b"d" * 20, b"\r\n0\r\n\r\n"], extension=b";x", trailers=b"a: b\r\n")
    for cut in range(1, len(stream)):
        assert fed(stream[:cut], stream[cut:]) == (b"abc" + b"d" * 20 + b"\r\n0\r\n\r\n", True), cut


def test_one_byte_at_a_time_gives_the_same_bytes() -> None:
    stream = coded([b"abc", b"d" * 300], trailers=b"a: b\r\n")
    assert fed(*(bytes([b]) for b in stream)) == (b"abc" + b"d" * 300, True)


@pytest.mark.parametrize("size", ["%X", "%x ", "000%x", "%x\t"])
def test_sizes_are_read_however_they_are_written(size: str) -> None:
    assert fed(coded([b"x" * 171], size=size)) == (b"x" * 171, True)


def test_lines_may_end_in_a_bare_newline() -> None:
    assert fed(b"3\nabc\r\n0\n\n") == (b"abc", True)


def test_a_body_that_is_not_at_its_end_is_not_said_to_be() -> None:
    assert fed(b"3\r\nabc\r\n0\r\n") == (b"abc", False)


def test_the_end_of_the_connection_before_the_last_chunk_is_an_error() -> None:
    dechunker = Dechunker()
    dechunker.feed(b"3\r\nab")
    with pytest.raises(http.client.IncompleteRead):
        dechunker.feed(b"")


@pytest.mark.parametrize("line", [b"", b"x", b"-1", b"<html>", b"3.0", b"\xff", b";", b"0x", b"1 1"])
def test_what_is_no_size_is_an_error(line: bytes) -> None:
    with pytest.raises(http.client.HTTPException):
        fed(line + b"\r\nabc\r\n")


def test_an_enormous_size_costs_nothing_until_its_bytes_come() -> None:
    assert fed(b"f" * 60 + b"\r\nabc") == (b"abc", False)


def test_an_endless_size_line_is_an_error() -> None:
    with pytest.raises(http.client.HTTPException):
        fed(*[b"1" * 1_000] * 100)


def test_endless_trailers_are_an_error() -> None:
    with pytest.raises(http.client.HTTPException):
        fed(b"0\r\n", *[b"a: b\r\n" * 1_000] * 100)


def test_what_follows_the_last_chunk_is_no_data() -> None:
    assert fed(coded([b"abc"]) + b"5\r\nwrong\r\n") == (b"abc", True)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_hostile_bytes_raise_nothing_but_an_error_of_http(blocks: list[bytes]) -> None:
    with contextlib.suppress(http.client.HTTPException):
        fed(*blocks)
