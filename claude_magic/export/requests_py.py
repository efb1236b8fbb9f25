"""A request as a Python program with `requests` and nothing else of ours or the API's.

Source: https://requests.readthedocs.io/en/latest/api/#requests.request
"""

from __future__ import annotations

from collections.abc import Iterator

from .call import BASE_URL, Call
from .completions import REQUESTS_STREAM, REQUESTS_WHOLE, is_completion
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


def program(call: Call) -> str:
    """The program."""
    shape = _OTHER
    if is_completion(call):
        shape = REQUESTS_STREAM if call.streams else REQUESTS_WHOLE
    elif call.request.endpoint == "/v1/messages":
        shape = _STREAM if call.streams else _WHOLE
    standard = ["import os", *(["import json"] if "json.loads" in shape else [])]
    start = imports(call, standard=standard, own="import requests")
    return call.hint("#") + start + shape.replace("{call}", expression(_function(call), _arguments(call)))


def _function(call: Call) -> str:
    method = call.request.method.lower()
    return f"requests.{method}" if method in {"get", "post", "delete"} else "requests.request"


def _arguments(call: Call) -> Iterator[tuple[str, str]]:
    if _function(call) == "requests.request":
        yield "", python_text(call.request.method)
    path = python_text(call.url.removeprefix(call.base_url))
    yield "", f'os.environ["{BASE_URL}"] + {path}' if call.local else python_text(call.url)
    yield from headers("headers", dict([call.credential, *call.explicit_headers]))
    if call.body is not None:
        yield argument("json", call.body, broken=True)
    if call.streams:
        yield "stream", "True"
    yield "timeout", "600"
