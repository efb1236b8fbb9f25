"""Calls of endpoints that send no message, as programs of the official SDKs, and of OpenAI's.

With the SDK's own method where it has one that can say all of the call, else with its generic `get`, `post` and so on.
Source: https://github.com/anthropics/anthropic-sdk-python#undocumented-endpoints
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import platforms
from .call import BASE_URL, Call
from .endpoint_call import EndpointCall, download_name, endpoint_call
from .formatting import Variable, literal
from .literals import JAVASCRIPT, PYTHON, javascript_text, python_text
from .python_source import argument, expression, headers, value_of

_ACRONYMS = re.compile(r"url|oauth")  # in names of methods, which TypeScript writes in capitals
_PYTHON = {
    "json": "print(result)\n",
    "jsonl": "for line in result:\n    print(line)\n",
    "sse": "for event in result:\n    print(event)\n",
    "binary": 'result.write_to_file("{file}")\n',
}
_TYPESCRIPT = {
    "json": "console.log(result);\n",
    "jsonl": "for await (const line of result) {\n  console.log(line);\n}\n",
    "sse": "for await (const event of result) {\n  console.log(event);\n}\n",
    "binary": 'writeFileSync("{file}", Buffer.from(await result.arrayBuffer()));\n',
}


def python_endpoint(call: Call) -> str:
    """The program for the SDK for Python."""
    asked = endpoint_call(call)
    names = ["import os"] * _reads_environment(call) + ["from pathlib import Path"] * bool(asked.files)
    start = "\n".join([*names, "", "import anthropic"] if names else ["import anthropic"])
    own = "anthropic.Anthropic" if call.hosting is None else f"anthropic.{platforms.client(call).python}"
    client = expression(own, _python_client(call, asked))
    if asked.method:
        made = expression(f"client.{asked.method}", _python_arguments(asked))
    else:
        made = expression(
            f"client.{call.request.method.lower()}", _python_generic(call, asked, _generic_path(call, asked))
        )
    printed = _PYTHON[asked.answer if asked.method else "json"].replace("{file}", download_name(call) or "answer")
    return f"{_files_note(asked, '#')}{call.hint('#')}{start}\n\nclient = {client}\n\nresult = {made}\n{printed}"


def openai_endpoint(call: Call) -> str:
    """The program for OpenAI's SDK, whose methods are for other endpoints."""
    asked = endpoint_call(call, has_methods=False)
    start = "import os\n" + "from pathlib import Path\n" * bool(asked.files) + "\nfrom openai import OpenAI\n"
    base = f'os.environ["{BASE_URL}"] + "/v1/"' if call.local else python_text(f"{call.base_url}/v1/")
    client = expression("OpenAI", [("api_key", f'os.environ["{call.credential[1].name}"]'), ("base_url", base)])
    path = _generic_path(call, asked).removeprefix("/v1")
    made = expression(f"client.{call.request.method.lower()}", _python_generic(call, asked, path, also=asked.headers))
    return f"{_files_note(asked, '#')}{call.hint('#')}{start}\nclient = {client}\n\nresult = {made}\nprint(result)\n"


def typescript_endpoint(call: Call) -> str:
    """The program for the SDK for TypeScript."""
    asked = endpoint_call(call)
    has_method = bool(asked.method) and not _ACRONYMS.search(asked.method)
    nodes = ["readFileSync"] * bool(asked.files) + ["writeFileSync"] * (has_method and asked.answer == "binary")
    own = "Anthropic, { toFile }" if has_method and asked.files else "Anthropic"
    start, made_of = f'import {own} from "@anthropic-ai/sdk";\n', "Anthropic"
    if call.hosting is not None:
        own, package = platforms.typescript_class(call)
        files = 'import { toFile } from "@anthropic-ai/sdk";\n' if has_method and asked.files else ""
        start, made_of = f'import {own} from "{package}";\n{files}', own.strip("{} ")
    start += f'import {{ {", ".join(nodes)} }} from "node:fs";\n' if nodes else ""
    options = "".join(f"  {name}: {text},\n" for name, text in _typescript_client(call, asked))
    client = f"{{\n{options}}}" if options else ""
    made = _typescript_method(asked) if has_method else _typescript_generic(call, asked)
    printed = _TYPESCRIPT[asked.answer if has_method else "json"].replace("{file}", download_name(call) or "answer")
    return (
        f"{_files_note(asked, '//')}{call.hint('//')}{start}\nconst client = new {made_of}({client});\n\n"
        f"const result = await {made};\n{printed}"
    )


def _reads_environment(call: Call) -> bool:
    admin = call.credential[1].name == "ANTHROPIC_ADMIN_KEY"
    return admin or call.named_token or call.local or any(isinstance(v, Variable) for _, v in call.explicit_headers)


def _python_client(call: Call, asked: EndpointCall) -> Iterator[tuple[str, str]]:
    yield from platforms.python_arguments(call)
    _, key = call.credential
    if call.named_token:
        yield "auth_token", f'os.environ["{key.name}"]'
    elif key.name == "ANTHROPIC_ADMIN_KEY":
        yield "api_key", f'os.environ["{key.name}"]'
    if call.local:
        yield "base_url", f'os.environ["{BASE_URL}"]'
    elif not call.default_address:
        yield "base_url", python_text(call.base_url)
    yield from headers("default_headers", {n: v for n, v in asked.headers.items() if n not in asked.beta})


def _python_arguments(asked: EndpointCall) -> Iterator[tuple[str, str]]:
    """The arguments of the SDK's method."""
    for name, value in asked.path.items():
        yield name, python_text(value)
    for name, value in {**asked.query, **(asked.body or {})}.items():
        yield argument(name, _number(name, value))
    for part, several in _by_part(asked).items():
        texts = [_python_file(*each[1:]) for each in several]
        yield part, f"[{', '.join(texts)}]" if part.endswith("s") or len(texts) > 1 else texts[0]
    yield from headers("extra_headers", asked.beta)


def _number(name: str, value: Any) -> Any:
    """A number in a form, which has only texts, as the SDK takes it."""
    return int(value) if name == "expires_in_seconds" and str(value).isdecimal() else value


def _by_part(asked: EndpointCall) -> dict[str, list[tuple[str, str, str, str]]]:
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for each in asked.files:
        found.setdefault(each[0].removesuffix("[]"), []).append(each)
    return found


def _python_file(filename: str, media_type: str, path: str) -> str:
    read = f"Path({python_text(path or filename or 'file')}).read_bytes()"
    return f"({python_text(filename)}, {read}, {python_text(media_type)})" if filename else read


def _python_generic(call: Call, asked: EndpointCall, path: str, also: Any = None) -> Iterator[tuple[str, str]]:
    """The arguments of the SDK's generic method."""
    yield "", python_text(path)
    yield "cast_to", "object"
    if asked.body is not None:
        yield argument("body", dict(asked.body), broken=True)
    if asked.files:
        texts = [f"({python_text(part)}, {_python_file(*rest)})" for part, *rest in asked.files]
        yield "files", f"[{', '.join(texts)}]"
    options = {"params": dict(asked.query)} if asked.query and asked.is_plain_query else {}
    sent = dict(also if also is not None else asked.beta)
    if asked.files:
        sent["content-type"] = "multipart/form-data"
    if options or sent:
        yield "options", _python_options(options, sent)


def _generic_path(call: Call, asked: EndpointCall) -> str:
    """The path; with the query, if that holds lists."""
    return call.request.endpoint if asked.is_plain_query else call.request.target


def _python_options(options: dict[str, Any], sent: dict[str, Any]) -> str:
    lines = [f'        "params": {literal(options["params"], PYTHON, depth=2, used=10)},\n'] if options else []
    if sent:
        each = "".join(f"            {python_text(name)}: {value_of(value)},\n" for name, value in sent.items())
        lines.append(f'        "headers": {{\n{each}        }},\n')
    return f"{{\n{''.join(lines)}    }}"


def _typescript_client(call: Call, asked: EndpointCall) -> Iterator[tuple[str, str]]:
    yield from platforms.typescript_arguments(call)
    _, key = call.credential
    if call.named_token:
        yield "authToken", JAVASCRIPT.variable(key)
    elif key.name == "ANTHROPIC_ADMIN_KEY":
        yield "apiKey", JAVASCRIPT.variable(key)
    if call.local:
        yield "baseURL", JAVASCRIPT.variable(Variable(name=BASE_URL))
    elif not call.default_address:
        yield "baseURL", javascript_text(call.base_url)
    others = {n: v for n, v in asked.headers.items() if n not in asked.beta}
    if others:
        yield "defaultHeaders", f"{{\n{_typescript_headers(others, 4)}  }}"


def _typescript_headers(given: Any, indent: int) -> str:
    pad = " " * indent
    return "".join(f"{pad}{JAVASCRIPT.key(name)}: {_typescript_value(value)},\n" for name, value in given.items())


def _typescript_value(value: Any) -> str:
    return JAVASCRIPT.variable(value) if isinstance(value, Variable) else javascript_text(value)


def _typescript_method(asked: EndpointCall) -> str:
    """The SDK's method: the last name of the path stands first, the others among the fields."""
    *others, last = [*asked.path.items()] or [("", "")]
    fields = {**dict(others), **asked.query, **(asked.body or {})}
    arguments = [javascript_text(last[1])] if last[0] else []
    if asked.files:
        lines = [f"  {name}: {literal(_number(name, value), JAVASCRIPT, depth=1)},\n" for name, value in fields.items()]
        arguments.append(f"{{\n{''.join([*lines, *_typescript_files(asked)])}}}")
    elif fields:
        arguments.append(literal(fields, JAVASCRIPT, used=20))
    if asked.beta:
        arguments += ["{}"] * (not fields and not asked.files)
        arguments.append(f"{{ headers: {{\n{_typescript_headers(asked.beta, 2)}}} }}")
    name = re.sub(r"_(\w)", lambda found: found[1].upper(), asked.method)
    return f"client.{name}({', '.join(arguments)})"


def _typescript_files(asked: EndpointCall) -> Iterator[str]:
    """The files as fields, a line each."""
    for part, several in _by_part(asked).items():
        texts = [
            f"await toFile(readFileSync({javascript_text(path or filename or 'file')}), "
            f"{javascript_text(filename) if filename else 'null'}, {{ type: {javascript_text(media_type)} }})"
            for _, filename, media_type, path in several
        ]
        listed = f"[{', '.join(texts)}]" if part.endswith("s") or len(texts) > 1 else texts[0]
        yield f"  {part}: {listed},\n"


def _typescript_generic(call: Call, asked: EndpointCall) -> str:
    arguments = [javascript_text(_generic_path(call, asked))]
    lines = []
    if asked.query and asked.is_plain_query:
        lines.append(f"  query: {literal(dict(asked.query), JAVASCRIPT, depth=1, used=9)},\n")
    if asked.files:
        lines.append(f"  body: {_typescript_form(asked)},\n")
    elif asked.body is not None:
        lines.append(f"  body: {literal(dict(asked.body), JAVASCRIPT, depth=1, used=8)},\n")
    if asked.beta:
        lines.append(f"  headers: {{\n{_typescript_headers(asked.beta, 4)}  }},\n")
    if lines:
        arguments.append(f"{{\n{''.join(lines)}}}")
    return f"client.{call.request.method.lower()}({', '.join(arguments)})"


def _typescript_form(asked: EndpointCall) -> str:
    """A form, made by a function that is called at once."""
    lines = ["(() => {", "    const form = new FormData();"]
    for name, value in (asked.body or {}).items():
        lines.append(f"    form.append({javascript_text(name)}, {javascript_text(str(value))});")
    for part, filename, media_type, path in asked.files:
        read = f"readFileSync({javascript_text(path or filename or 'file')})"
        blob = f"new Blob([{read}], {{ type: {javascript_text(media_type)} }})"
        lines.append(f"    form.append({javascript_text(part)}, {blob}, {javascript_text(filename or 'file')});")
    return "\n".join([*lines, "    return form;", "  })()"])


def _files_note(asked: EndpointCall, comment: str) -> str:
    unknown = [filename or part for part, filename, _, path in asked.files if not path]
    names = ", ".join(unknown)
    return f"{comment} The bytes that were sent are not in this program: it reads {names}.\n" if unknown else ""
