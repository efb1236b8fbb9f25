"""Kind and text of an error's body, whose form may be that of the API or of another server before it or like it."""

from __future__ import annotations

import json

from ..wire import Headers


def kind_and_text(body: object, headers: Headers) -> tuple[str, str]:
    """The server's own name of the error, and its text; `""` for what it does not tell.

    Args:
        body: The parsed JSON, or the text.
    """
    error = body.get("error") if isinstance(body, dict) else None
    return _of_error(error) if error else _of_gateway(body, headers)


def _of_error(error: object) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "", str(error)
    inner = error.get("error")
    if isinstance(inner, dict) and not error.get("message"):  # a gateway's, around that of what it asked
        error = inner
    kind = next((error[name] for name in ("type", "status", "code") if isinstance(error.get(name), str)), "")
    text = error.get("message") or ("" if kind else json.dumps(error))
    return (kind if isinstance(kind, str) else ""), str(text)


def details(error: object) -> dict[str, object]:
    """The `details` of an error; `{}` if there are none."""
    details = error.get("details") if isinstance(error, dict) else None
    return details if isinstance(details, dict) else {}


def _of_gateway(body: object, headers: Headers) -> tuple[str, str]:
    """Kind and text of an error that has not the API's form: that of AWS, FastAPI or OpenAI, or plain text."""
    kind = headers.get("x-amzn-errortype", "").partition(":")[0]
    if not isinstance(body, dict):
        return kind, body if isinstance(body, str) else json.dumps(body)
    kind = kind or str(body.get("__type") or "").rpartition("#")[2]
    if not kind and body.get("object") == "error" and isinstance(body.get("type"), str):  # vLLM's earlier form
        kind = body["type"]
    text = body.get("message") or body.get("Message") or _fastapi_text(body.get("detail"))
    return kind, text if isinstance(text, str) else json.dumps(body)


def _fastapi_text(detail: object) -> str | None:
    """The text of FastAPI's `detail`: a sentence, or a list of fields and what is wrong with each."""
    if isinstance(detail, str) and detail:
        return detail
    if (
        not isinstance(detail, list)
        or not detail
        or not all(isinstance(each, dict) and "msg" in each for each in detail)
    ):
        return None
    places = [".".join(map(str, each["loc"])) if isinstance(each.get("loc"), list) else "" for each in detail]
    return "; ".join(": ".join(filter(None, [at, str(each["msg"])])) for at, each in zip(places, detail, strict=True))
