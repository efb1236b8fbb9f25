"""Vertex AI's own form: the model in the path, and the version in the body.

Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from ...errors import CellError
from ...wire import Headers, Request

API_VERSION = "2023-06-01"  # the setting's default: then Vertex AI's own name of it is sent
_FIRST_VERSION = "vertex-2023-10-16"
_IN_PATH = "@:!$&'()*+,="  # what the SDK leaves as it is in a part of a path
_MODELS = "publishers/anthropic/models"


def rewrite(request: Request, root: str) -> Request:
    """A request for a message or a count of its tokens in the form of Vertex AI; any other stays as it is.

    Args:
        root: The URL of the location in the project.

    Raises:
        CellError: The model cannot stand in a path.
    """
    counts = request.endpoint == "/v1/messages/count_tokens"
    if not request.is_message and not counts:
        return request
    body = dict(request.body or {})
    headers = {name.lower(): value for name, value in request.headers.items()}
    version = headers.pop("anthropic-version", API_VERSION)
    body.setdefault("anthropic_version", _FIRST_VERSION if version == API_VERSION else version)
    if counts:
        url = f"{root}/{_MODELS}/count-tokens:rawPredict"
    else:
        model = str(body.pop("model", "") or "")
        if model.partition(";")[0] in ("", ".", ".."):
            raise CellError(f"not a model of Vertex AI: {model!r}. Nothing was sent. Choose one with -m.")
        method = "streamRawPredict" if body.get("stream") else "rawPredict"
        url = f"{root}/{_MODELS}/{quote(model, safe=_IN_PATH)}:{method}"
    return replace(request, url=url, headers=Headers(headers.items()), body=body)
