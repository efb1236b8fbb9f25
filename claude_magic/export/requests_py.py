"""A request as a Python program with `requests` and nothing else of ours or the API's.

Source: https://requests.readthedocs.io/en/latest/api/#requests.request
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import platforms
from .call import BASE_URL, Call
from .completions import REQUESTS_STREAM, REQUESTS_WHOLE, is_completion
from .endpoint_call import answer_kind, download_name, multipart_parts
from .literals import python_text
from .python_source import argument, expression, headers, imports

_WHOLE = """\
response = {call}
response.raise_for_status()
for block in response.json()["content"]:
    if block["type"] == "text":
        print(block["text"])
"""
_OTHER = """\
response = {call}
response.raise_for_status()
print(response.json())
"""
_STREAM = """\
with {call} as response:
    response.raise_for_status()
    for line in response.iter_lines():
        if line.startswith(b"data:"):
            event = json.loads(line.removeprefix(b"data:"))
            if event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
                print(event["delta"]["text"], end="", flush=True)
"""


_FILE = """\
response = {call}
response.raise_for_status()
Path({file}).write_bytes(response.content)
"""
_LINES = """\
response = {call}
response.raise_for_status()
for line in response.content.splitlines():
    print(json.loads(line))
"""


_FRAMES = """\
with {call} as response:
    response.raise_for_status()
    frames = EventStreamBuffer()
    for chunk in response.iter_content(None):
        frames.add_data(chunk)
        for frame in frames:
            event = json.loads(base64.b64decode(json.loads(frame.payload)["bytes"]))
            if event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
                print(event["delta"]["text"], end="", flush=True)
"""
_SIGN = """\
def sign(request):
    signed = AWSRequest(
        request.method, request.url, headers={"content-type": "application/json"}, data=request.body
    )
    credentials = botocore.session.get_session().get_credentials()
    SigV4Auth(credentials, "{service}", "{region}").add_auth(signed)
    request.headers.update(dict(signed.headers))
    return request


"""
_SIGN_IMPORTS = """\
import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest"""


def program(call: Call) -> str:
    """The program."""
    if call.hosting is not None:
        return _hosted(call)
    shape, parts, name = _OTHER, multipart_parts(call), download_name(call)
    if name is not None:
        shape = _FILE.replace("{file}", python_text(name))
    elif "jsonl" in answer_kind(call):
        shape = _LINES
    if is_completion(call):
        shape = REQUESTS_STREAM if call.streams else REQUESTS_WHOLE
    elif call.request.endpoint == "/v1/messages":
        shape = _STREAM if call.streams else _WHOLE
    standard = ["import os", *(["import json"] if "json.loads" in shape else [])]
    standard += ["from pathlib import Path"] if parts or name else []
    start = imports(call, standard=standard, own="import requests")
    return call.hint("#") + start + shape.replace("{call}", expression(_function(call), _arguments(call)))


def _hosted(call: Call) -> str:
    """The program for a platform; botocore signs for AWS, and reads its frames."""
    scope, frames = platforms.signature_scope(call.request), platforms.returns_frames(call)
    is_message = call.request.endpoint == "/v1/messages" or call.url.endswith(("/invoke", ":rawPredict"))
    shape = _FRAMES if frames else _STREAM if call.streams else _WHOLE if is_message else _OTHER
    own = _SIGN_IMPORTS if scope else "import requests"
    own += "\nfrom botocore.eventstream import EventStreamBuffer" if frames else ""
    standard = ["import base64"] * frames + ["import json"] * ("json.loads" in shape) + ["import os"] * (not scope)
    start = imports(call, standard=standard, own=own)
    sign = "" if scope is None else "\n" + _SIGN.replace("{region}", scope[0]).replace("{service}", scope[1])
    arguments = list(_arguments(call))
    if scope:
        arguments.append(("auth", "sign"))
    if frames:
        arguments.append(("stream", "True"))
    return (
        call.hint("#")
        + platforms.note(call, "#")
        + start
        + sign
        + shape.replace("{call}", expression(_function(call), arguments))
    )


def _function(call: Call) -> str:
    method = call.request.method.lower()
    return f"requests.{method}" if method in {"get", "post", "delete"} else "requests.request"


def _arguments(call: Call) -> Iterator[tuple[str, str]]:
    if _function(call) == "requests.request":
        yield "", python_text(call.request.method)
    path = python_text(call.url.removeprefix(call.base_url))
    yield "", f'os.environ["{BASE_URL}"] + {path}' if call.local else python_text(call.url)
    signed = platforms.signature_scope(call.request) is not None
    named = [*([] if signed else [call.credential]), *call.explicit_headers]
    is_form = multipart_parts(call) is not None  # `requests` makes a boundary of its own
    yield from headers("headers", {n: v for n, v in named if not is_form or n.lower() != "content-type"})
    if (parts := multipart_parts(call)) is not None:
        yield "files", _files(parts)
    elif call.body is not None:
        yield argument("json", call.body, broken=True)
    if call.streams:
        yield "stream", "True"
    yield "timeout", "600"


def _files(parts: Sequence[Mapping[str, Any]]) -> str:
    """The parts of a form, in their order; a text is a part without a file name."""
    lines = []
    for part in parts:
        if "value" in part:
            content = f"(None, {python_text(str(part['value']))})"
        else:
            filename = str(part.get("filename", ""))
            read = f"Path({python_text(part['path'] or filename or 'file')}).read_bytes()"
            content = f"({python_text(filename) if filename else None}, {read}, {python_text(part['content_type'])})"
        lines.append(f"        ({python_text(part['name'])}, {content}),\n")
    return f"[\n{''.join(lines)}    ]"
