"""Error responses of the API in one line: its message, the request-id, and what to do."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable
from typing import Any

from ..errors import APIError, ExchangeError, StreamError, did_you_mean
from ..wire import Headers, Request
from ..wire.headers import request_id as find_request_id
from ..wire.retry_after import retry_after, try_again
from ..wire.short_text import span
from . import known_models
from .credentials import Signer, parse_redacted, redact
from .endpoint_advice import advice as endpoint_advice
from .error_bodies import details, kind_and_text
from .platforms.platform import Platform, Refusal
from .transports.base import ResponseStream
from .transports.retry import LONGEST_WAIT

_MAX_READ = 64_000  # bytes
_MAX_MESSAGE = 2_000  # characters
_MAX_SECONDS = 10.0  # seconds

_PAGE = re.compile(r"<!doctype html|<html\b|<head\b|<body\b", re.IGNORECASE)
_NO_TEXT = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)
_TITLES = re.compile(r"<(?:title|h1)\b[^<>]*>(.*?)</(?:title|h1)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")

_LIMITS = (429, 529)
_ADVICE = {
    402: "See the billing page of the Console.",
    403: "The key's workspace may not use this. Ask an administrator of the workspace.",
    408: "Try again.",
    409: "Try again.",
    413: "A request may have at most 32 MB: send less at once.",
    500: "It is an error of the API. Try again in a moment.",
    501: "The server does not have this: leave it out, or set Claude.base_url to another server.",
    503: "The API is unavailable. Try again in a moment.",
    504: "The API took too long. Try again, with streaming or fewer max_tokens.",
    529: "The API is overloaded. Try again in a moment.",
}


def response_error(
    response: ResponseStream,
    *,
    model: str,
    credential: Signer | None,
    platform: Platform | None = None,
    request: Request | None = None,
) -> ExchangeError:
    """The error of a `response` with status 300 or more; reads at most 64 kB of its body.

    Args:
        platform: What answered, if it is not the API or a server like it.
        request: What was asked of an endpoint that sends no message; `None` for a message.
    """
    if 300 <= response.status < 400:
        target = redact(_one_line(response.headers.get("location", "nowhere"))[:200])
        return APIError(
            f"the endpoint redirects to {target} (HTTP {response.status}), which would carry the key and the text "
            f"elsewhere: refused. Set {_address(platform)} to the final address.",
            status=response.status,
            request_id=_request_id(response.headers),
        )
    text = read_body(response)
    hide = credential.redact if credential else redact
    body = _parse_json(text, hide)
    return _api_error(
        body,
        status=response.status,
        headers=response.headers,
        model=model,
        credential=credential,
        platform=platform,
        request=request,
        tries=_tries(response),
    )


def event_error(
    data: dict[str, Any],
    *,
    headers: Headers,
    model: str,
    credential: Signer | None,
    platform: Platform | None = None,
) -> APIError:
    """The error of an `error` event inside a stream."""
    hide = credential.redact if credential else redact
    body = _parse_json(json.dumps(data), hide)
    return _api_error(body, status=200, headers=headers, model=model, credential=credential, platform=platform)


def unexpected_response(
    response: ResponseStream, beginning: bytes, *, credential: Signer | None, platform: Platform | None = None
) -> StreamError:
    """The error of an answer that is not one of the Messages API."""
    hide = credential.redact if credential else redact
    kind = _one_line(response.headers.get("content-type", "no content type"))[:80]
    text = hide(beginning.decode("utf-8", "replace"))
    excerpt = page_title(text) or repr(_one_line(text[:400])[:120])
    return StreamError(f"the answer is not the Messages API's: {kind}: {excerpt}. Is {_address(platform)} right?")


def read_body(response: ResponseStream) -> str:
    """The beginning of the body, limited in bytes and in time: an error body may be endless."""
    body, began = b"", time.monotonic()
    try:
        for chunk in response.chunks:
            body += chunk[: _MAX_READ - len(body)]
            if len(body) >= _MAX_READ or time.monotonic() - began > _MAX_SECONDS:
                break
    except ExchangeError:
        pass  # the status is enough
    return body.decode("utf-8", "replace")


def _parse_json(text: str, hide: Callable[[str], str]) -> object:
    try:
        return parse_redacted(text, hide)
    except (ValueError, RecursionError):
        return hide(text)


def _api_error(
    body: object,
    *,
    status: int,
    headers: Headers,
    model: str,
    credential: Signer | None,
    platform: Platform | None,
    request: Request | None = None,
    tries: str = "",
) -> APIError:
    if isinstance(body, list) and len(body) == 1:  # Google's, of a stream
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    kind, message = kind_and_text(body, headers)
    name, request_id = find_request_id(headers) or ("request-id", None)
    request_id = request_id or (body.get("request_id") if isinstance(body, dict) else None)
    streamed = status == 200 and "json" not in headers.get("content-type", "").lower()
    facts = ["inside the stream" if streamed else f"HTTP {status}", *filter(None, [tries])]
    if request_id:
        facts.append(f"{name} {_one_line(str(request_id))[:80]}")
    message = page_title(message) or message
    reason = _one_line(f"{kind}: {message}" if kind and message else kind or message or "no reason given")
    advice = None if request is None else endpoint_advice(request, status, kind, details(error))
    if platform is not None:
        refusal = Refusal(status=status, kind=kind, message=message, model=model, credential=credential)
        advice = platform.advise(refusal) or advice
    if platform is not None:
        advice = _platform_advice(status, kind, message, headers=headers, platform=platform, advice=advice)
    if advice is None:
        advice = _advice(status, kind, message, headers=headers, model=model, credential=credential)
    return APIError(
        f"{_truncate(reason).rstrip('.')} ({', '.join(facts)}). {advice}".rstrip(),
        status=status,
        type=kind,
        request_id=str(request_id) if request_id else None,
        body=body,
    )


def _tries(response: ResponseStream) -> str:
    """How often a request was sent and how long that took, where it was or could have been sent again."""
    if response.tries < 1 or (response.tries == 1 and response.status not in _LIMITS):
        return ""
    return f"{response.tries} {'try' if response.tries == 1 else 'tries'} in {span(response.seconds)}"


def _request_id(headers: Headers) -> str | None:
    found = find_request_id(headers)
    return None if found is None else found[1]


def _address(platform: Platform | None) -> str:
    """The setting that chooses the host."""
    return "Claude.base_url" if platform is None else platform.address_settings


def _platform_advice(
    status: int, kind: str, message: str, *, headers: Headers, platform: Platform, advice: str | None
) -> str:
    """What fits every platform, and when to try again.

    Args:
        advice: What the platform's own says; `None` for nothing.
    """
    wait = retry_after(headers)
    if kind == "overloaded_error":
        status, advice = 529, None
    elif kind == "rate_limit_error":
        status = 429
    if wait is not None and (status in (408, 409, 429) or status >= 500):
        when = _wait_advice(wait).replace("The API asks", "It asks").replace("the API asks", "it asks")
        return f"{when} {advice or ''}".rstrip()
    if advice is not None:
        return advice
    if status == 429:
        return "The quota for this model is used up: wait, or have it raised there."
    if status in (401, 402, 403, 404):
        return ""
    if status == 413:
        most = platform.data.largest.get("bytes", 0)
        return (
            f"A request may have at most {most / 1e6:.0f} MB there: send less at once."
            if most
            else "Send less at once."
        )
    if status == 400:
        return _field_advice(message)
    return _ADVICE.get(status, "").replace("the API", "the platform").replace("The API", "The platform")


def _advice(status: int, kind: str, message: str, *, headers: Headers, model: str, credential: Signer | None) -> str:
    wait = retry_after(headers) if status >= 400 else None  # a good answer may have the header too
    if kind == "overloaded_error":
        status = 529
    if status == 401 and not message.startswith("CORS"):
        source = credential.source if credential else "nowhere: there is none"
        return f"The key came from {source}. Check it in the Console."
    if status == 404:
        return _model_advice(message, model)
    if wait is not None and (status in (408, 409, 429) or status >= 500):
        return _wait_advice(wait)
    if status == 429:
        return "The API did not say how long to wait: it may be a spend limit. See the limits page of the Console."
    if status == 400:
        return _field_advice(message)
    return _ADVICE.get(status, _ADVICE[500] if status >= 500 else "")


def _model_advice(message: str, model: str) -> str:
    if "model" not in message and model not in message:
        return "Is Claude.base_url right? It ends before /v1/messages."
    similar = known_models.nearest(model, [name for name in known_models.names() if name != model])
    return did_you_mean(similar).strip() or f"Known models: {', '.join(known_models.names()[:6])}."


def _wait_advice(seconds: float) -> str:
    """When to try again, and why that was not waited for."""
    when = try_again(seconds)
    if not when:
        return "The API asks to wait for more than a month."
    longer = f": the API asks to wait longer than a retry does ({LONGEST_WAIT:.0f} s)" * (seconds > LONGEST_WAIT)
    return f"{when[0].upper()}{when[1:]}{longer}."


def _field_advice(message: str) -> str:
    lower = message.lower()
    if any(name in lower for name in ("temperature", "top_p", "top_k")):
        return "Newer models do not accept sampling options: choose another model with -m, or use --effort."
    if "credit balance" in lower or "spend limit" in lower or "usage limits" in lower:
        return "See the billing and limits pages of the Console."
    if "prompt is too long" in lower or ("context" in lower and "exceed" in lower):
        return "Send less text, or choose a model with a longer context."
    if "tool_choice" in lower:
        return "This model does not accept a forced tool: use --tool-choice auto, or another model with -m."
    if "prefill" in lower:
        return "This model does not accept a prefilled reply: end with a user turn."
    if "thinking" in lower or "effort" in lower:
        return "This model needs other thinking settings: see --thinking and --effort, or choose another with -m."
    return ""


def page_title(text: str) -> str:
    """A short description of a web page, which gateways send for errors; `""` if `text` is not a web page."""
    if not _PAGE.search(text[:1_000]):
        return ""
    markup = _NO_TEXT.sub(" ", text)
    titles = [_one_line(html.unescape(_TAG.sub(" ", match[1])))[:120] for match in _TITLES.finditer(markup)]
    title = next(filter(None, titles), "") or _one_line(html.unescape(_TAG.sub(" ", markup)))[:120]
    return f"a web page, {title!r}" if title else "a web page without text"


def _one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "… (cut)"
