"""A text completion as a program: of the official SDKs below version 1.0, which have a function for it.

Source: https://docs.anthropic.com/en/api/complete
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import CellError
from ..wire.completion import ENDPOINT
from .call import Call
from .formatting import literal
from .literals import JAVASCRIPT
from .python_source import argument, expression

_FIELDS = (
    "max_tokens_to_sample",
    "metadata",
    "model",
    "prompt",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
)
_NEEDED = ("max_tokens_to_sample", "model", "prompt")
_PYTHON_WHOLE = """\
completion = {call}
print(completion.completion)
"""
_PYTHON_STREAM = """\
for event in {call}:
    print(event.completion, end="", flush=True)
"""
_TYPESCRIPT_WHOLE = """\
const completion = await client.completions.create({fields});
console.log(completion.completion);
"""
_TYPESCRIPT_STREAM = """\
const stream = await client.completions.create({fields});
for await (const event of stream) {
  process.stdout.write(event.completion);
}
"""
REQUESTS_WHOLE = """\
response = {call}
response.raise_for_status()
print(response.json()["completion"])
"""
REQUESTS_STREAM = """\
with {call} as response:
    response.raise_for_status()
    for line in response.iter_lines():
        if line.startswith(b"data:"):
            event = json.loads(line.removeprefix(b"data:"))
            print(event.get("completion", ""), end="", flush=True)
"""


def is_completion(call: Call) -> bool:
    """Whether the request is one for a text completion."""
    return call.request.method == "POST" and call.request.endpoint == ENDPOINT and isinstance(call.body, dict)


def python_statements(call: Call) -> str:
    """The statements that send it with a `client` of the Python SDK.

    Raises:
        CellError: It lacks a field that the SDK's function needs.
    """
    known, rest = _split(call, "Python")
    fields = [argument(name, value) for name, value in known.items()]
    if rest:
        fields.append(argument("extra_body", rest))
    shape = _PYTHON_STREAM if call.streams else _PYTHON_WHOLE
    return shape.replace("{call}", expression("client.completions.create", fields))


def typescript_statements(call: Call) -> str:
    """The same with a `client` of the TypeScript SDK.

    Raises:
        CellError: It lacks a field that the SDK's function needs.
    """
    known, rest = _split(call, "TypeScript")
    lines = [f"  {name}: " + literal(known[name], JAVASCRIPT, depth=1, used=len(name) + 2) for name in known]
    if rest:
        lines.append("  ..." + literal(rest, JAVASCRIPT, depth=1, used=4))
    shape = _TYPESCRIPT_STREAM if call.streams else _TYPESCRIPT_WHOLE
    return shape.replace("{fields}", "{\n" + "".join(f"{line},\n" for line in lines) + "}")


def _split(call: Call, language: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The fields that the SDK's function has, and the others."""
    missing = [name for name in _NEEDED if name not in call.body]
    if missing:
        raise CellError(
            f"no {language} program: the SDK's function needs {', '.join(missing)}, which the request has not. "
            "Export it as curl, requests or http."
        )
    known = {name: value for name, value in call.body.items() if name in _FIELDS}
    return known, {name: value for name, value in call.body.items() if name not in _FIELDS}
