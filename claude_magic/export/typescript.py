"""A request as a program of the official TypeScript SDK; without a type in it, so it runs as JavaScript too.

Fields that the SDK's types do not have are spread into the object, where no type is asked of them.
Source: https://platform.claude.com/docs/en/cli-sdks-libraries/sdks/typescript
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import platforms, python
from .call import BASE_URL, Call
from .completions import is_completion, typescript_statements
from .endpoint_programs import typescript_endpoint
from .formatting import Variable, literal
from .literals import JAVASCRIPT, javascript_text

_LONGEST_WHOLE = 2**53  # whole numbers beyond lose digits in JavaScript
_WHOLE = """\
const message = await client.messages.create({fields});
for (const block of message.content) {
  if (block.type === "text") {
    console.log(block.text);
  }
}
"""
_STREAM = """\
const stream = client.messages.stream({fields});
stream.on("text", (text) => process.stdout.write(text));
await stream.finalMessage();
"""


def program(call: Call) -> str:
    """The program.

    Raises:
        CellError: The SDK has no function for this request.
    """
    if is_completion(call):
        note = "// Needs @anthropic-ai/sdk below 1.0: later versions have no completions.\n"
        statements = typescript_statements(call)
    elif not call.is_message:
        return _precision_warning(call.body) + typescript_endpoint(call)
    else:
        note, shape = "", _STREAM if call.streams else _WHOLE
        statements = shape.replace("{fields}", _fields(call.for_an_sdk("TypeScript"), call))
    reading = 'import { readFileSync } from "node:fs";\n' if call.reads_files else ""
    own, package = ("Anthropic", "@anthropic-ai/sdk") if call.hosting is None else platforms.typescript_class(call)
    start = f'import {own} from "{package}";\n{reading}\nconst client = new {own.strip("{} ")}({_client(call)});\n'
    return note + call.hint("//") + _precision_warning(call.body) + start + "\n" + statements


def _client(call: Call) -> str:
    options = [f"  {name}: {text},\n" for name, text in _options(call)]
    return f"{{\n{''.join(options)}}}" if options else ""


def _options(call: Call) -> Iterator[tuple[str, str]]:
    yield from platforms.typescript_arguments(call)
    if call.named_token:
        yield "authToken", _value(call.credential[1])
    if call.local:
        yield "baseURL", JAVASCRIPT.variable(Variable(name=BASE_URL))
    elif not call.default_address:
        yield "baseURL", javascript_text(call.base_url)
    if call.needs_a_timeout:
        yield "timeout", "3600_000"
    if call.explicit_headers:
        lines = [f"    {JAVASCRIPT.key(name)}: {_value(value)},\n" for name, value in call.explicit_headers]
        yield "defaultHeaders", f"{{\n{''.join(lines)}  }}"


def _value(value: str | Variable) -> str:
    return JAVASCRIPT.variable(value) if isinstance(value, Variable) else javascript_text(value)


def _fields(body: dict[str, Any], call: Call) -> str:
    known = {name for name in body if name in python.FIELDS or (name == "stream" and not call.streams)}
    lines = [_field(name, value) for name, value in body.items() if name in known]
    rest = {name: value for name, value in body.items() if name not in {"stream", *known}}
    if rest:
        lines.append("  ..." + literal(rest, JAVASCRIPT, depth=1, used=4))
    return "{\n" + "".join(f"{line},\n" for line in lines) + "}"


def _field(name: str, value: Any) -> str:
    before = f"{name}: "
    return f"  {before}" + literal(value, JAVASCRIPT, depth=1, used=len(before))


def _precision_warning(body: Any) -> str:
    if any(abs(number) > _LONGEST_WHOLE for number in _whole_numbers(body)):
        return "// A whole number here is longer than JavaScript can hold: its last digits will differ.\n"
    return ""


def _whole_numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _whole_numbers(item)
