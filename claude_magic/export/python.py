"""A request as a program of the official Python SDK.

Fields that its function has no argument for go through `extra_body`. The API's version is written, because
the SDK has its own.
Source: https://platform.claude.com/docs/en/cli-sdks-libraries/sdks/python
"""

from __future__ import annotations

from collections.abc import Iterator

from . import platforms
from .call import BASE_URL, Call
from .completions import is_completion, python_statements
from .endpoint_programs import python_endpoint
from .literals import python_text
from .python_source import argument, expression, headers, imports, reads_environment

FIELDS = {
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "system",
    "thinking",
    "tool_choice",
    "tools",
}

_WHOLE = """\
message = {call}
for block in message.content:
    if block.type == "text":
        print(block.text)
"""
_STREAM = """\
with {call} as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
"""


def program(call: Call) -> str:
    """The program.

    Raises:
        CellError: The SDK has no function for this request.
    """
    if is_completion(call):
        return _program(
            call, python_statements(call), note="# Needs anthropic<1: later versions have no completions.\n"
        )
    if not call.is_message:
        return python_endpoint(call)
    fields = list(_fields(call))
    shape, function = (_STREAM, "client.messages.stream") if call.streams else (_WHOLE, "client.messages.create")
    return _program(call, shape.replace("{call}", expression(function, fields)))


def _program(call: Call, statements: str, *, note: str = "") -> str:
    """The statements, after the imports and the client."""
    needed = reads_environment(
        [*dict(call.explicit_headers).values(), *([call.credential[1]] if call.named_token else [])]
    )
    needed = ["import os"] if call.local else needed
    start = imports(call, standard=needed, own="import anthropic")
    own = "anthropic.Anthropic" if call.hosting is None else f"anthropic.{platforms.client(call).python}"
    client = expression(own, _client(call))
    return f"{note}{call.hint('#')}{start}client = {client}\n\n{statements}"


def _client(call: Call) -> Iterator[tuple[str, str]]:
    yield from platforms.python_arguments(call)
    if call.named_token:
        _, token = call.credential
        yield "auth_token", f'os.environ["{token.name}"]'
    if call.local:
        yield "base_url", f'os.environ["{BASE_URL}"]'
    elif not call.default_address:
        yield "base_url", python_text(call.base_url)
    if call.needs_a_timeout:
        yield "timeout", "3600"
    yield from headers("default_headers", dict(call.explicit_headers))


def _fields(call: Call) -> Iterator[tuple[str, str]]:
    body = call.for_an_sdk("Python")
    rest = {name: value for name, value in body.items() if name not in FIELDS}
    if call.streams or rest.get("stream") is False:
        del rest["stream"]
    for name, value in body.items():
        if name in FIELDS or (name == "stream" and value is False):
            yield argument(name, value)
    if rest:
        yield argument("extra_body", rest)
