"""Conversion of an exchange to a row of the journal, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import errors
from ..errors import APIError, ClaudeError, ExchangeError
from ..wire import Decoder, Exchange, Fold, Headers, Message, Record, Request, Response, TimedEvent, Timing
from ..wire.answer import Answer
from ..wire.chat_completion import ENDPOINT as CHAT
from ..wire.completion import ENDPOINT, last_question
from ..wire.headers import holds_credential
from ..wire.message import fix_surrogates
from ..wire.recorded_answer import RecordedAnswer
from ..wire.request import Hosting
from ..wire.short_text import Object
from .attachments import Attachment, extract_attachments, restore_attachments


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request was sent from.

    Attributes:
        session: The name of the kernel session; a new one after each restart.
        notebook: The path of the notebook; `""` if the front end does not send it.
        cell: The id of the cell; `""` for none.
        place: Like `cell`, but also distinct for equal cells without ids.
        conversation: The name of the conversation; `""` for none.
        provider: `anthropic`, `local`, or the host of another endpoint.
    """

    session: str
    notebook: str = ""
    cell: str = ""
    place: str = ""
    conversation: str = ""
    provider: str = ""


def start_columns(request: Request, place: Origin, began: str) -> tuple[dict[str, Any], list[Attachment]]:
    """The columns known before the request is sent, and its large attachments."""
    text, attachments = extract_attachments(request.content)
    body = request.body or {}
    return {
        "began": began,
        "notebook": place.notebook,
        "cell": place.cell,
        "place": place.place,
        "session": place.session,
        "conversation": place.conversation,
        "provider": place.provider,
        "method": request.method,
        "url": request.url,
        "request_headers": _headers(request.headers),
        "request": text,
        "hosting": None if request.hosting is None else _hosting(request, request.hosting),
        "identity": request.identity,
        "model": str(body.get("model", "")),
        "prompt": prompt_text(body) if request.is_message or request.endpoint in (ENDPOINT, CHAT) else request.summary,
    }, attachments


def end_columns(exchange: Exchange, ended: str) -> dict[str, Any]:
    """The columns known when the exchange has ended."""
    message, usage, error = exchange.message, exchange.message.usage, exchange.error
    return {
        "ended": ended,
        "status": exchange.status,
        "response_headers": _headers(exchange.headers),
        "request_id": exchange.request_id,
        "message": as_json(message.body) if message.body else None,
        "reply": message.text if exchange.answer is None else exchange.answer.excerpt,
        "answer": None if exchange.answer is None else exchange.answer.to_json(),
        "stop_reason": message.stop_reason,
        "input_tokens": _count(usage, "input_tokens"),
        "cache_write_tokens": _count(usage, "cache_creation_input_tokens"),
        "cache_read_tokens": _count(usage, "cache_read_input_tokens"),
        "output_tokens": _count(usage, "output_tokens"),
        "usd": exchange.usd,
        "seconds": exchange.seconds,
        "first_token_seconds": exchange.first_token_seconds,
        "retries": exchange.retries,
        "model_note": exchange.model_note,
        "error_type": None if error is None else type(error).__name__,
        "error": None if error is None else fix_surrogates(str(error)),
        "error_body": as_json([error.type, error.body]) if isinstance(error, APIError) else None,
    }


def prompt_text(body: Mapping[str, Any]) -> str:
    """The text of the last user message, or of the last Human turn of a completion's prompt."""
    if isinstance(body.get("prompt"), str) and "messages" not in body:
        return fix_surrogates(last_question(body["prompt"]))
    for message in reversed(body.get("messages") or []):
        if isinstance(message, Mapping) and message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return fix_surrogates(content)
            blocks = [block for block in content or () if isinstance(block, Mapping)]
            return fix_surrogates(
                "\n".join(str(block["text"]) for block in blocks if isinstance(block.get("text"), str))
            )
    return ""


def exchange(row: Mapping[str, Any], events: list[TimedEvent], attachments: Mapping[str, bytes]) -> Exchange:
    """The exchange of a row.

    Args:
        attachments: The data of its attachments, by digest.
    """
    message = Message(body=json.loads(row["message"])) if row["message"] else fold_message(events)
    body = restore_attachments(row["request"], attachments) if row["request"] else None
    return Exchange(
        request=_request(row, body),
        response=Response(status=row["status"], headers=_parse_headers(row["response_headers"]), events=events),
        message=message,
        answer=Answer.from_json(row["answer"]) if row["answer"] else None,
        timing=Timing(
            began=row["began"],
            seconds=row["seconds"] or (events[-1].seconds if events else 0.0),
            first_token_seconds=row["first_token_seconds"],
            retries=row["retries"] or 0,
        ),
        record=Record(entry=row["id"], usd=row["usd"]),
        model_note=row["model_note"],
        error=error_of(row),
    )


def _hosting(request: Request, hosting: Hosting) -> str:
    """What a platform received that is not in the request itself; no header that may hold a secret."""
    difference = hosting.difference(request)
    headers = [pair for pair in difference["headers"] if not holds_credential(*pair)]
    return as_json({**difference, "headers": headers})


def _request(row: Mapping[str, Any], body: dict[str, Any] | None) -> Request:
    request = Request(method=row["method"], url=row["url"], headers=_parse_headers(row["request_headers"]), body=body)
    if not row["hosting"]:
        return request
    return replace(request, hosting=Hosting.of_difference(json.loads(row["hosting"]), request))


def recorded_answer(row: Mapping[str, Any], events: list[TimedEvent]) -> RecordedAnswer:
    """The answer of a row, to be replayed."""
    return RecordedAnswer(
        when=row["began"],
        status=row["status"] or 200,
        headers=_parse_headers(row["response_headers"]),
        events=events,
        body=json.loads(row["message"]) if row["message"] and not events else None,
        answer=Answer.from_json(row["answer"]) if row["answer"] else None,
        seconds=row["seconds"] or 0.0,
        first_token_seconds=row["first_token_seconds"],
        retries=row["retries"] or 0,
        model_note=row["model_note"],
        entry=row["id"],
    )


def events(arrivals: Iterable[tuple[float, str]]) -> list[TimedEvent]:
    """The events of a reply, decoded from the SSE text of each row of `arrival`."""
    return [
        TimedEvent(seconds, each.event or "", each.data)
        for seconds, text in arrivals
        for each in Decoder().feed(text.encode())
    ]


def fold_message(events: list[TimedEvent]) -> Message:
    """The message that these events had built up when the kernel died."""
    fold = Fold()
    for event in events:
        try:
            fold.add(json.loads(event.data))
        except (ValueError, AttributeError, ClaudeError):
            continue
    return fold.message


def error_of(row: Mapping[str, Any]) -> ClaudeError | None:
    """Why the exchange of a row failed; `None` if it did not."""
    if row["ended"] is None:
        return errors.StreamError("the reply is incomplete: its kernel died, or still receives it.")
    if row["error_type"] is None:
        return None
    if row["error_body"] is not None:
        kind, body = json.loads(row["error_body"])
        status = row["status"] or 0
        return APIError(row["error"], status=status, type=kind, request_id=row["request_id"], body=body)
    error_class = getattr(errors, row["error_type"], ExchangeError)
    return error_class(row["error"]) if issubclass(error_class, ClaudeError) else ExchangeError(row["error"])


def _headers(headers: Headers) -> str:
    return as_json([[name, "not kept" if holds_credential(name, value) else value] for name, value in headers.items()])


def _parse_headers(text: str | None) -> Headers:
    return Headers((name, value) for name, value in json.loads(text or "[]"))


def as_json(value: object) -> str:
    """Compact JSON, which SQLite can store."""
    return fix_surrogates(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def as_mapping(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    """A row as a mapping by column name; `sqlite3.Row` has no `get`."""
    return Object({column[0]: value for column, value in zip(cursor.description, row, strict=True)})
