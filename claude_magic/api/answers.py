"""Reads what an endpoint answers that sends no message: JSON, JSON lines, events, text or bytes, as it arrives.

Lines are split at LF in the bytes: U+2028 and its like may stand in JSON. What fits neither memory nor a file is an
error that says so, or is counted and said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from typing import Any, BinaryIO

from ..errors import ClaudeError, ConnectionFailed, ExchangeError, StreamError, TimedOut
from ..wire import Decoder, Exchange, Request
from ..wire.answer import BINARY, EMPTY, EVENTS, JSON, JSON_LINES, TEXT, Answer
from ..wire.short_text import size_text
from . import error_responses
from .accumulator import Accumulator
from .client import Client
from .credentials import parse_redacted
from .endpoint_advice import outcome_note
from .endpoints.catalog import find
from .mcp_tokens import redact_chunks
from .saved_files import SavedFile, suggested_name
from .transports.base import ResponseStream

LARGEST = 64_000_000  # bytes of an answer that are held in memory
_SMALL = 64_000  # bytes of a file that are held besides
_LINES = ("jsonl", "ndjson", "json-lines", "jsonlines")


def answer_exchange(
    client: Client,
    request: Request,
    accumulator: Accumulator,
    *,
    save: SavedFile | None = None,
) -> Exchange:
    """Sends `request` and reads the answer; an exchange that failed is returned, with its `error`.

    Args:
        accumulator: Holds what has arrived meanwhile, for other threads to look at.
        save: Where the body is written to, instead of held; `None` to hold it.
    """
    error: ClaudeError | None = None
    accumulator.answer = Answer(kind=EMPTY)
    try:
        with client.transport.send(request) as response:
            accumulator.set_response(response.status, response.headers)
            if response.status >= 300:
                model = str((request.body or {}).get("model") or request.endpoint)
                raise error_responses.response_error(
                    response, model=model, credential=client.credential, platform=client.platform, request=request
                )
            _Reader(client, request, accumulator).read(response, save)
    except ClaudeError as failure:
        error = _with_outcome(failure, request)
    return accumulator.exchange(error)


def _with_outcome(error: ClaudeError, request: Request) -> ClaudeError:
    """The error; of a change that may have been done without an answer, it says so."""
    if isinstance(error, StreamError | TimedOut | ConnectionFailed) and not getattr(error, "unsent", False):
        note = outcome_note(request)
        return type(error)(f"{str(error).removesuffix(' Try again.')} {note}") if note else error
    return error


def kind_of(content_type: str, request: Request) -> str:
    """How the body of an answer is read; `""` if only its first bytes tell."""
    endpoint = find(request.method, request.endpoint)
    if endpoint is not None and endpoint.answer == "binary":
        return BINARY
    media = content_type.partition(";")[0].strip().lower()
    if any(name in media for name in _LINES):
        return JSON_LINES
    if media.endswith(("/json", "+json")):
        return JSON
    if media == "text/event-stream":
        return EVENTS
    if endpoint is not None and endpoint.answer == "jsonl":
        return JSON_LINES
    return TEXT if media.startswith("text/") else "" if not media else BINARY


class _Reader:
    """Reads one answer, and keeps `accumulator.answer` up to date."""

    def __init__(self, client: Client, request: Request, accumulator: Accumulator) -> None:
        self._client = client
        self._request = request
        self._accumulator = accumulator
        self._answer = Answer(kind=EMPTY)

    def read(self, response: ResponseStream, save: SavedFile | None) -> None:
        disposition = response.headers.get("content-disposition", "")
        content_type = response.headers.get("content-type", "")
        first = next((chunk for chunk in response.chunks if chunk), b"")
        kind = kind_of(content_type, self._request) if first else EMPTY
        kind = kind or (JSON if first.lstrip()[:1] in (b"{", b"[") else BINARY)
        self._set(
            kind=kind,
            media_type=content_type.partition(";")[0].strip(),
            filename=suggested_name(disposition),
        )
        chunks = itertools.chain((first,) if first else (), response.chunks)
        if save is not None:
            self._save(kind, chunks, save, disposition)
        elif kind in (JSON_LINES, EVENTS):
            self._read_items(_lines(chunks) if kind == JSON_LINES else _events(chunks))
        else:
            self._read_whole(kind, response, chunks)

    def _set(self, **fields: Any) -> None:
        self._answer = replace(self._answer, **fields)
        self._accumulator.answer = self._answer

    def _read_items(self, items: Iterator[tuple[int, bytes]]) -> None:
        """Reads lines or events; those beyond what memory may hold are counted."""
        held: list[Any] = []
        size = held_size = 0
        self._set(value=held)
        for number, data in items:
            value = self._parsed(data, number)
            size += len(data) + 1
            if held_size + len(data) <= LARGEST:
                held.append(value)
                held_size += len(data)
            self._set(count=number, size=size, left_out=number - len(held))
            self._accumulator.note = f"{number:,} lines, {size_text(size)}"
        self._accumulator.note = ""

    def _parsed(self, data: bytes, number: int) -> Any:
        text = data.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
        try:
            return parse_redacted(text, self._client.redact)
        except (ValueError, RecursionError):
            text = self._client.redact(text)
            if self._answer.kind == EVENTS:
                return text
            raise StreamError(
                f"line {number:,} of the answer is not JSON: {text[:80]!r}. Those before it are kept: claude.last.json."
            ) from None

    def _read_whole(self, kind: str, response: ResponseStream, chunks: Iterator[bytes]) -> None:
        body = bytearray()
        try:
            for chunk in chunks:
                body += chunk
                self._accumulator.note = size_text(len(body)) if len(body) > 1_000_000 else ""
                if len(body) > LARGEST:
                    break
        except ClaudeError:
            self._hold(TEXT if kind == JSON else kind, response, bytes(body))
            raise
        self._accumulator.note = ""
        if len(body) > LARGEST:
            raise StreamError(
                f"the answer is larger than {size_text(LARGEST)}: it was not read to its end. "
                "Write it to a file: -o path."
            )
        if kind == JSON:
            self._set(value=self._json(response, bytes(body)), size=len(body))
        else:
            self._hold(kind, response, bytes(body))

    def _hold(self, kind: str, response: ResponseStream, body: bytes) -> None:
        """Holds text or bytes; half of a JSON is text."""
        if kind == TEXT:
            text = _decoded(body, response.headers.get("content-type", ""))
            self._set(kind=TEXT, value=self._client.redact(text), size=len(body))
        elif kind == BINARY:
            self._set(data=body, size=len(body))

    def _json(self, response: ResponseStream, body: bytes) -> Any:
        try:
            return parse_redacted(body.decode("utf-8-sig"), self._client.redact)
        except (ValueError, RecursionError):
            raise error_responses.unexpected_response(
                response, body, credential=self._client.credential, platform=self._client.platform
            ) from None

    def _save(self, kind: str, chunks: Iterator[bytes], save: SavedFile, disposition: str) -> None:
        """Writes the body to a file as it arrives; of text, without the key."""
        if kind != BINARY and self._client.credential is not None:
            chunks = redact_chunks(chunks, self._client.credential.secrets)
        fallback = [*filter(None, self._request.endpoint.split("/"))]
        name = fallback[-2] if fallback[-1:] == ["content"] and len(fallback) > 1 else fallback[-1]
        file = save.open(disposition, name)
        complete, beginning = False, bytearray()
        try:
            self._write(file, chunks, beginning)
            complete = True
        finally:
            save.close(complete=complete)
        held = bytes(beginning) if len(beginning) == self._answer.size else b""
        self._set(path=str(save.path), data=held)

    def _write(self, file: BinaryIO, chunks: Iterator[bytes], beginning: bytearray) -> None:
        """Writes the chunks; a small file is held too, so that the journal and a recording can give it again."""
        size = lines = 0
        for chunk in chunks:
            try:
                file.write(chunk)
            except OSError as error:
                raise ExchangeError(f"the answer cannot be written to the file: {error.strerror}.") from None
            size += len(chunk)
            lines += chunk.count(b"\n")
            if size <= _SMALL:
                beginning += chunk
            self._set(size=size, count=lines if self._answer.kind == JSON_LINES else 0)
            self._accumulator.note = size_text(size)
        self._accumulator.note = ""


def _decoded(body: bytes, content_type: str) -> str:
    """The text of a body, in the character set that its type names, else UTF-8."""
    message = Message()
    message["content-type"] = " ".join(content_type.split())
    try:
        return body.decode(message.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _lines(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers; the last one may lack its end."""
    number, rest = 0, list[bytes]()
    for chunk in chunks:
        *complete, last = chunk.split(b"\n")
        for line in complete:
            whole = b"".join((*rest, line))
            rest = []
            if whole.strip():
                number += 1
                yield number, whole
        if last:
            rest.append(last)
    if b"".join(rest).strip():
        yield number + 1, b"".join(rest)


def _events(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    decoder, number = Decoder(), 0
    for chunk in chunks:
        for event in decoder.feed(chunk):
            if event.data:
                number += 1
                yield number, event.data.encode("utf-8", "replace")
