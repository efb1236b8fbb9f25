"""Amazon Bedrock's own form: the model in the path, versions in the body, and replies in AWS's event stream.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from urllib.parse import quote, urlsplit

from ...errors import CellError
from ...wire import Headers, Request
from ..transports.base import ResponseStream
from .data import PlatformData

API_VERSION = "2023-06-01"  # the setting's default: then the platform's own for the model is sent
FIRST_VERSION = "bedrock-2023-05-31"
NEW_VERSION = "2026-10-21"
_NEW = re.compile(r"anthropic\.claude-[a-z]+-(?:4-(?:[7-9]|\d\d)|[5-9])(?!\d)")  # 4.7 and later take it
_NO_KIND = ("", "application/octet-stream", "binary/octet-stream")
_EVENT_STREAM = "application/vnd.amazon.eventstream"


def rewrite(request: Request, data: PlatformData) -> Request:
    """A request for a message in the form of Bedrock; any other stays as it is.

    Raises:
        CellError: The model cannot stand in a path.
    """
    if not request.is_message:
        return request
    body = dict(request.body or {})
    model, streams = str(body.pop("model", "") or ""), body.pop("stream", False)
    if model.partition(";")[0] in ("", ".", ".."):
        raise CellError(f"not a model of Amazon Bedrock: {model[:80]!r}. Nothing was sent. Choose one with -m.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    version = headers.pop("anthropic-version", API_VERSION)
    body.setdefault("anthropic_version", _version(model, data) if version == API_VERSION else version)
    betas = [beta for part in headers.get("anthropic-beta", "").split(",") if (beta := part.strip())]
    if betas:
        body.setdefault("anthropic_beta", betas)
    if profile := headers.pop("anthropic-user-profile-id", ""):
        body.setdefault("user_profile_id", profile)
    operation = "invoke-with-response-stream" if streams else "invoke"
    path = f"/model/{quote(model, safe=':;')}/{operation}"
    base = urlsplit(request.url)
    prefix = base.path.removesuffix("/v1/messages")
    url = base._replace(path=f"{prefix}{path}").geturl()
    return replace(request, url=url, headers=Headers(headers.items()), body=body)


def _version(model: str, data: PlatformData) -> str:
    """The `anthropic_version` of a model; of an unknown one, such as an ARN, the first, which all of them take."""
    name = data.api_name(model.rpartition("/")[2])  # of an ARN of a profile that AWS has made, its name
    if name:
        return str(data.models[name].get("anthropic_version", FIRST_VERSION))
    return NEW_VERSION if _NEW.search(model) else FIRST_VERSION


def read(response: ResponseStream) -> ResponseStream:
    """The response with an event stream as server-sent events; anything else as it is.

    A gateway may leave out what kind it is; then the first byte tells: that of a frame is 0.
    """
    kind = response.headers.get("content-type", "").lower()
    if response.status >= 300 or not (_EVENT_STREAM in kind or kind.partition(";")[0].strip() in _NO_KIND):
        return response
    if _EVENT_STREAM not in kind:
        first = next((chunk for chunk in response.chunks if chunk), b"")
        response = replace(response, chunks=itertools.chain((first,), response.chunks))
        if first[:1] != b"\0":
            return response
    from .event_stream import as_events

    return replace(response, chunks=as_events(response.chunks))
