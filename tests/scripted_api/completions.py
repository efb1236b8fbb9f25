"""The scripted API's `/v1/complete`, with the wire and the rules of Text Completions.

Source: https://docs.anthropic.com/en/api/complete
Source: https://docs.anthropic.com/en/api/prompt-validation
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.server import JSON, STREAM, Answer, Received, event, failure

ID = "compl_01Test"
_REQUEST_ID = {"request-id"}
_JSON = tuple(header for header in JSON if header[0] in {"content-type", *_REQUEST_ID})  # no rate limits here
_STREAM = tuple(header for header in STREAM if header[0] in {"content-type", *_REQUEST_ID})
_MARKER = re.compile(r"\n\n(Human|Assistant):")


def completion(text: str, **fields: Any) -> dict[str, Any]:
    """A completion as the API gives it, its fields in their order."""
    return {
        "type": "completion",
        "id": ID,
        "completion": text,
        "stop_reason": "stop_sequence",
        "model": "claude-2.1",
        "stop": "\n\nHuman:",
        "log_id": ID,
        **fields,
    }


def completion_events(texts: Sequence[str], **end: Any) -> Iterator[dict[str, Any]]:
    """The events of a streamed completion: each with its new text only, the last with the reason of the end."""
    yield completion("", stop_reason=None, stop=None)
    yield {"type": "ping"}
    for text in texts:
        yield completion(text, stop_reason=None, stop=None)
    yield completion("", **end)


def completes(*texts: str, **end: Any) -> Answer:
    """A streamed completion, an event a piece."""
    return Answer(headers=_STREAM, pieces=[event(each) for each in completion_events(texts, **end)])


def completes_whole(text: str, **fields: Any) -> Answer:
    """A completion that is not streamed."""
    return Answer(headers=_JSON, pieces=[json.dumps(completion(text, **fields)).encode()], framing="length")


def completes_as_2023_01_01(*texts: str) -> Answer:
    """A stream of version 2023-01-01: unnamed events, each with the whole text so far, and `[DONE]`."""
    pieces, whole = [], ""
    for text in texts:
        whole += text
        pieces.append(_old(whole, None))
    return Answer(headers=_STREAM, pieces=[*pieces, _old(whole, "stop_sequence"), b"data: [DONE]\r\n\r\n"])


def _old(text: str, reason: str | None) -> bytes:
    body = {"completion": text, "stop_reason": reason, "model": "claude-v1", "truncated": False, "exception": None}
    stop = "\n\nHuman:" if reason else None
    return f"data: {json.dumps({**body, 'stop': stop, 'log_id': 'log'})}\r\n\r\n".encode()


def refusal(request: Received) -> Answer | None:
    """What the API says of a request for a completion that breaks its rules; `None` if it breaks none."""
    problem = _problem(json.loads(request.body))
    return failure(400, "invalid_request_error", problem) if problem else None


def _problem(body: dict[str, Any]) -> str:
    for name in ("max_tokens_to_sample", "model", "prompt"):
        if name not in body:
            return f"{name}: field required"
    known = {"metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p"}
    unknown = body.keys() - known - {"max_tokens_to_sample", "model", "prompt"}
    if unknown:
        return f"{min(unknown)}: Extra inputs are not permitted"
    prompt = body["prompt"].removesuffix(" ")
    prompt = f"\n\n{prompt}" if prompt.startswith("Human:") else prompt
    roles = _MARKER.findall(prompt)
    if not roles or roles[0] != "Human":
        return 'prompt must start with "\n\nHuman:" turn after an optional system prompt'
    return "" if roles[-1] == "Assistant" else 'prompt must end with "\n\nAssistant:" turn'
