"""A request as a program of the OpenAI Python SDK, for Anthropic's compatibility endpoint.

That endpoint is made for tests and comparisons and has less: a comment names what is left out.
Source: https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ...errors import CellError
from ...wire.chat_completion import ENDPOINT as CHAT
from ..call import BASE_URL, Call
from ..completions import is_completion
from ..endpoint_programs import openai_endpoint
from ..literals import python_text
from ..platforms import refuse_openai
from ..python_source import argument, expression, headers, imports
from .fields import Omissions, fields

_WHOLE = """\
response = {call}
print(response.choices[0].message.content)
"""
_STREAM = """\
stream = {call}
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
"""


def program(call: Call) -> str:
    """The program.

    Raises:
        CellError: The request is not one for messages, or has a form that the API itself does not know.
    """
    refuse_openai(call)
    if call.url == f"{call.base_url}{CHAT}" and isinstance(call.body, dict):
        return _program(call, call.body, Omissions())
    if not call.is_message and not is_completion(call):
        return openai_endpoint(call)
    left_out = Omissions()
    try:
        values = dict(fields(call.for_an_sdk("OpenAI"), left_out))
    except (KeyError, TypeError, AttributeError):
        raise CellError(
            "no OpenAI program: the request has fields or blocks of a form that the Messages API does not know. "
            "Export it as curl, requests or http."
        ) from None
    return _program(call, values, left_out)


def _program(call: Call, values: dict[str, Any], left_out: Omissions) -> str:
    if "thinking" in values:
        values = {
            **{name: value for name, value in values.items() if name != "thinking"},
            "extra_body": {"thinking": values["thinking"]},
        }
    extra = {name: value for name, value in call.explicit_headers if name.lower() != "anthropic-version"}
    arguments = [*(argument(name, value) for name, value in values.items()), *headers("extra_headers", extra)]
    start = imports(call, standard=["import os"], own="from openai import OpenAI")
    source = (_STREAM if call.streams else _WHOLE).replace(
        "{call}", expression("client.chat.completions.create", arguments)
    )
    client = expression("OpenAI", _client(call))
    return f"{call.hint('#')}{_comments(left_out, values)}{start}client = {client}\n\n{source}"


def _client(call: Call) -> list[tuple[str, str]]:
    _, key = call.credential
    base_url = f'os.environ["{BASE_URL}"] + "/v1/"' if call.local else python_text(f"{call.base_url}/v1/")
    return [("api_key", f'os.environ["{key.name}"]'), ("base_url", base_url)]


def _comments(left_out: Omissions, field_names: Iterable[str]) -> str:
    lines = []
    if left_out.names:
        names = (name if re.fullmatch(r"[\w. ]+", name) else json.dumps(name) for name in left_out.names)
        lines.append(f"# Not in the compatibility endpoint, left out: {', '.join(names)}.\n")
    if "response_format" in field_names:
        lines.append("# The endpoint's documentation says that it ignores response_format.\n")
    return "".join(lines)
