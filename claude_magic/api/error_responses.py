"""What the API refused, in one line: its own words, the request-id, and what to do."""

from __future__ import annotations

import html
import json
import re
import time
from typing import Any

from ..errors import APIError, ExchangeError, StreamError, did_you_mean
from ..wire import Headers
from . import known_models
from .credentials import Credential, redact
from .transports.base import Response
from .transports.retry import LONGEST_WAIT, retry_after

_READ_AT_MOST = 64_000  # bytes
_SHOWN_AT_MOST = 2_000  # characters
_LONGEST_READ = 10.0  # seconds

_PAGE = re.compile(r"<!doctype html|<html\b|<head\b|<body\b", re.IGNORECASE)
_NO_TEXT = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)
_TITLES = re.compile(r"<(?:title|h1)\b[^<>]*>(.*?)</(?:title|h1)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")

_ADVICE = {
    402: "Look at the billing page of the Console.",
    403: "The key's workspace may not use this. Ask whoever administers it in the Console.",
    408: "Ask again.",
    409: "Ask again.",
    413: "A request may hold 32 MB at most: send less at once.",
    500: "The fault is the API's. Ask again in a moment.",
    503: "The API is unavailable. Ask again in a moment.",
    504: "The API took too long. Ask again, with streaming or fewer max_tokens.",
    529: "The API is overloaded. Ask again in a moment.",
}


def response_error(response: Response, *, model: str, credential: Credential | None) -> ExchangeError:
    """The error that `response` (status 300 or more) stands for; reads its body, but not beyond 64 kB."""
    if 300 <= response.status < 400:
        target = redact(_one_line(response.headers.get("location", "nowhere"))[:200])
        return APIError(
            f"the endpoint redirects to {target} (HTTP {response.status}), which would carry the key and the text "
            "elsewhere: refused. Set Claude.base_url to the final address.",
            status=response.status,
            request_id=response.headers.get("request-id"),
        )
    text = _body(response)
    hide = credential.redact if credential else redact
    body = _parse_json(hide(text))
    return _api_error(body, status=response.status, headers=response.headers, model=model, credential=credential)


def event_error(data: dict[str, Any], *, headers: Headers, model: str, credential: Credential | None) -> APIError:
    """The error that an `error` event inside a stream stands for."""
    hide = credential.redact if credential else redact
    return _api_error(
        _parse_json(hide(json.dumps(data))), status=200, headers=headers, model=model, credential=credential
    )


def unexpected_response(response: Response, beginning: bytes, *, credential: Credential | None) -> StreamError:
    """An answer that is not one of the Messages API."""
    hide = credential.redact if credential else redact
    kind = _one_line(response.headers.get("content-type", "no content type"))[:80]
    text = hide(beginning.decode("utf-8", "replace"))
    seen = page_title(text) or repr(_one_line(text[:400])[:120])
    return StreamError(f"the answer is not the Messages API's: {kind}: {seen}. Is Claude.base_url right?")


def _body(response: Response) -> str:
    """The beginning of the body, as much as comes in time; an error body may be endless."""
    body, began = b"", time.monotonic()
    try:
        for chunk in response.chunks:
            body += chunk[: _READ_AT_MOST - len(body)]
            if len(body) >= _READ_AT_MOST or time.monotonic() - began > _LONGEST_READ:
                break
    except ExchangeError:
        pass  # the status says what matters
    return body.decode("utf-8", "replace")


def _parse_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _api_error(body: object, *, status: int, headers: Headers, model: str, credential: Credential | None) -> APIError:
    error = body.get("error") if isinstance(body, dict) else None
    kind, message = _kind_and_message(error) if error else ("", body if isinstance(body, str) else json.dumps(body))
    request_id = headers.get("request-id") or (body.get("request_id") if isinstance(body, dict) else None)
    streamed = status == 200 and "json" not in headers.get("content-type", "").lower()
    facts = ["inside the stream" if streamed else f"HTTP {status}"]
    if request_id:
        facts.append(f"request-id {_one_line(str(request_id))[:80]}")
    message = page_title(message) or message
    said = _one_line(f"{kind}: {message}" if kind and message else kind or message or "no reason given")
    advice = _advice(status, kind, message, headers=headers, model=model, credential=credential)
    return APIError(
        f"{_cut(said).rstrip('.')} ({', '.join(facts)}). {advice}".rstrip(),
        status=status,
        type=kind,
        request_id=str(request_id) if request_id else None,
        body=body,
    )


def _kind_and_message(error: object) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "", str(error)
    kind = error.get("type")
    return (kind if isinstance(kind, str) else ""), str(error.get("message") or "")


def _advice(
    status: int, kind: str, message: str, *, headers: Headers, model: str, credential: Credential | None
) -> str:
    if kind == "overloaded_error":
        status = 529
    if status == 401 and not message.startswith("CORS"):
        source = credential.source if credential else "nowhere: there is none"
        return f"The key came from {source}. Check it in the Console."
    if status == 404:
        return _about_models(message, model)
    if status == 429 or (retry_after(headers) or 0) > LONGEST_WAIT:
        return _about_limits(headers)
    if status == 400:
        return _about_fields(message)
    return _ADVICE.get(status, "The fault is the API's. Ask again in a moment." if status >= 500 else "")


def _about_models(message: str, model: str) -> str:
    if "model" not in message and model not in message:
        return "Is Claude.base_url right? It ends before /v1/messages."
    near = known_models.nearest(model, [name for name in known_models.names() if name != model])
    return did_you_mean(near).strip() or f"Known models: {', '.join(known_models.names()[:6])}."


def _about_limits(headers: Headers) -> str:
    seconds = retry_after(headers)
    if seconds is None:
        return "No time to wait was given: it may be a spend limit. Look at the limits page of the Console."
    wait = f"{seconds:.0f} s" if seconds <= LONGEST_WAIT * 2 else f"{seconds / 60:.0f} min"
    return f"The API asks to wait {wait}." if seconds < 1e6 else "The API asks to wait very long."


def _about_fields(message: str) -> str:
    lower = message.lower()
    if any(name in lower for name in ("temperature", "top_p", "top_k")):
        return "Newer models take no sampling options: choose another model with -m, or use --effort."
    if "credit balance" in lower or "spend limit" in lower or "usage limits" in lower:
        return "Look at the billing and limits pages of the Console."
    if "prompt is too long" in lower or ("context" in lower and "exceed" in lower):
        return "Send less text, or choose a model with a longer context."
    if "tool_choice" in lower:
        return "This model chooses for itself: use --tool-choice auto, or another model with -m."
    if "prefill" in lower:
        return "This model refuses a prefilled reply: end with a user turn."
    if "thinking" in lower or "effort" in lower:
        return "This model takes other thinking settings: see --thinking and --effort, or choose another with -m."
    return ""


def page_title(text: str) -> str:
    """What a web page says, in short, as a gateway sends one for an error; `""` for a text that is none."""
    if not _PAGE.search(text[:1_000]):
        return ""
    bare = _NO_TEXT.sub(" ", text)
    told = [_one_line(html.unescape(_TAG.sub(" ", found[1])))[:120] for found in _TITLES.finditer(bare)]
    first = next(filter(None, told), "") or _one_line(html.unescape(_TAG.sub(" ", bare)))[:120]
    return f"a web page, {first!r}" if first else "a web page without text"


def _one_line(text: str) -> str:
    """`text` on one line, without what could steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + "… (cut)"
