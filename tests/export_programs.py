"""Requests that are hard to write down, and what runs their programs: one process for all where the language allows.

Each request goes to its own path of the scripted server, `/0/v1/messages`, `/1/v1/messages` and so on, so what
arrived can be told apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_magic.wire import Headers, Request
from tests.server import JSON, STREAM, Answer, Received, reply, whole

KEY = "test-key-of-the-environment"
ENVIRONMENT = {"ANTHROPIC_API_KEY": KEY, "X_GATEWAY_SECRET": "from the environment"}
TOKEN_ENVIRONMENT = {"ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_API_KEY": "another one"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A body, and what else a program depends on."""

    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def request(self, base_url: str) -> Request:
        headers = {
            "anthropic-version": "2023-06-01",
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "claude-magic",
            "x-api-key": "$ANTHROPIC_API_KEY",
            **self.headers,
        }
        url = f"{base_url}/v1/messages"
        return Request(method="POST", url=url, headers=Headers(headers.items()), body=self.body)

    @property
    def streams(self) -> bool:
        return self.body.get("stream") is True


def text(content: Any, **fields: Any) -> Case:
    """A request of one user message."""
    body = {"model": "claude-opus-5-5", "max_tokens": 64, **fields}
    return Case(body={**body, "messages": [{"role": "user", "content": content}]})


def program_answer(case: Case) -> Answer:
    return reply("Hel", "lo") if case.streams else whole("Hello")


def openai_answer(case: Case) -> Answer:
    """What the compatibility endpoint answers."""
    start = {"id": "msg_1", "created": 1, "model": "claude-opus-5-5"}
    if not case.streams:
        message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}
        body = {**start, "object": "chat.completion", "choices": [message]}
        return Answer(headers=JSON, pieces=[json.dumps(body).encode()], framing="length")
    chunks = [
        {**start, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": piece}}]}
        for piece in ("Hel", "lo")
    ]
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Answer(headers=STREAM, pieces=[*lines, b"data: [DONE]\n\n"])


def by_number(received: Sequence[Received]) -> dict[int, Received]:
    return {int(r.path.split("/")[1]): r for r in received}


def run_python(programs: Sequence[str], folder: Path, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """Run the programs in one interpreter; what they printed."""
    names = list(_written(programs, folder, ".py"))
    loop = (
        "import sys, traceback\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        exec(compile(open(name, 'rb').read(), name, 'exec'), {})\n"
        "    except BaseException:\n"
        "        traceback.print_exc()\n"
    )
    return _output([sys.executable, "-c", loop, *names], folder, environment)


def run_node(programs: Sequence[str], folder: Path, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """Run the programs as modules of one node process, in a folder with the SDK; what they printed."""
    names = list(_written(programs, folder, ".mjs"))
    loop = (
        "for (const name of process.argv.slice(2)) {\n"
        "  try { await import(`./${name}`); } catch (error) { console.error(name, error); }\n"
        "}\n"
    )
    (folder / "loop.mjs").write_text(loop)
    return _output(["node", "loop.mjs", *names], folder, environment)


def run_shell(shell: str, program: str, folder: Path, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """Run a curl command; what it printed."""
    (folder / ".curlrc").write_text("silent\nshow-error\n")  # else it shows how far it is
    (name,) = _written([program], folder, f".{shell}")
    return _output([shell, name], folder, environment)


def _written(programs: Sequence[str], folder: Path, suffix: str) -> Iterator[str]:
    for number, program in enumerate(programs):
        path = folder / f"program{number}{suffix}"
        path.write_text(program, encoding="utf-8", newline="")
        yield path.name


def _output(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUTF8": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert result.stderr == "", result.stderr
    assert result.returncode == 0
    return result.stdout


def _rich() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"city": {"type": "string", "description": 'the "city"'}, "days": {"type": "integer"}},
        "required": ["city"],
        "additionalProperties": False,
    }


PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
PDF = "JVBERi0xLjQKMSAwIG9iago8PC9UeXBlL0NhdGFsb2c+PgplbmRvYmoK"


def picture(data: str = PICTURE) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def document(data: str = PDF) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    return {"type": "document", "source": source, "title": "a title", "citations": {"enabled": True}}


def nested(depth: int) -> Any:
    value: Any = "the innermost"
    for level in range(depth):
        value = [value, level] if level % 2 else {"level": value}
    return value


TOOL = {"name": "weather", "description": "The weather.\nOf a city.", "input_schema": _rich(), "strict": True}
TOOL_TURNS = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "abc=="},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Köln", "days": 2}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
            {"type": "text", "text": "And tomorrow?"},
        ],
    },
]
RESULTS = [
    {"role": "user", "content": [{"type": "text", "text": "Draw, and search."}]},
    {
        "role": "assistant",
        "content": [
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "it's $HOME"}},
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srvtoolu_1",
                "content": [
                    {
                        "type": "web_search_result",
                        "url": "https://a.example/?b",
                        "title": "</script>",
                        "encrypted_content": "x==",
                    }
                ],
            },
            {"type": "tool_use", "id": "toolu_1", "name": "draw", "input": {}},
            {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "\u2028`${x}`"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "toolu_1",
                "content": [picture(), {"type": "text", "text": "drawn"}],
            },
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no such city", "is_error": True},
        ],
    },
]
SHELL = "$(id) `id` $HOME ${HOME} !! !foo %d %s * ? ~ # ; & | < > ( ) { } [ ] ^ \\"
ODD_KEYS = {"__proto__": {"a": 1}, "toString": 2, "a b": 3, "": 4, "x\ny": 5, "'\"`$": 6, "7": 7, "class": 8, "é": 9}

CASES: dict[str, Case] = {
    "a word": text("Hello, Claude"),
    "nothing": text("Hi", system=""),
    "streamed": text("Hello", stream=True),
    "not streamed, and said so": text("Hello", stream=False),
    "system": text("Hello", system="Be brief.\nVery brief."),
    "system blocks": text("Hi", system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]),
    "stop sequences": text("Count", stop_sequences=["\n\n", "END", '"""', "`"]),
    "turns": Case(
        body={
            "model": "claude-opus-5-5",
            "max_tokens": 64,
            "messages": [
                {"role": "user", "content": "My name is Ada."},
                {"role": "assistant", "content": [{"type": "text", "text": "Hello Ada."}]},
                {"role": "user", "content": "What is it?"},
            ],
        }
    ),
    "picture": text([picture(), {"type": "text", "text": "What is it?"}]),
    "picture by address": text(
        [{"type": "image", "source": {"type": "url", "url": "https://example.org/a.png?b=1&c"}}]
    ),
    "pdf": text([document(), {"type": "text", "text": "Summarise."}], stream=True),
    "tools": text("Weather?", tools=[TOOL], tool_choice={"type": "any", "disable_parallel_tool_use": True}),
    "tool turns": Case(
        body={"model": "claude-opus-5-5", "max_tokens": 64, "tools": [TOOL], "messages": TOOL_TURNS, "stream": True}
    ),
    "results of tools": Case(
        body={
            "model": "claude-opus-5-5",
            "max_tokens": 64,
            "tools": [
                {"name": "draw", "input_schema": {"type": "object"}},
                TOOL,
                {"type": "bash_20250124", "name": "bash"},
            ],
            "tool_choice": {"type": "tool", "name": "draw", "disable_parallel_tool_use": True},
            "messages": RESULTS,
        }
    ),
    "server tool": text("News?", tools=[{"type": "web_search_20260318", "name": "web_search", "max_uses": 2}]),
    "schema": text("A city", output_config={"effort": "low", "format": {"type": "json_schema", "schema": _rich()}}),
    "thinking": text("Think", max_tokens=16000, thinking={"type": "adaptive", "display": "summarized"}),
    "long reply, not streamed": text("Write", max_tokens=64000),
    "unknown fields": text("Hi", temperature=0.7, top_k=5, fallbacks=[{"model": "x"}], **{"a-b": None}),
    "unknown fields, streamed": text("Hi", stream=True, temperature=1.0, context_management={"edits": []}),
    "null and numbers": text("Hi", inference_geo=None, metadata={"a": [1, -2, 0.1, 1e-9, 1e22, True, False, None]}),
    "unicode": text("Grüße, 世界, Ελλάδα, שלום, 🦜🏳️‍🌈👩‍👩‍👧, e\u0301"),
    "quotes": text("'single' \"double\" '''three''' \"\"\"three\"\"\" `back` ''\"\""),
    "quotes in lines": text('\'a\'\n"b"\n\'\'\'c\'\'\'\n"""d"""\n`e`\n``""\n"'),
    "ends with quotes": text('a\nb""""'),
    "ends with a backslash": text("a\nb\\"),
    "only line breaks": text("Hi", stop_sequences=["\n\n\n"]),
    "line breaks at both ends": text("\n\n a \n\n\tb\n"),
    "carriage returns and tabs": text("a\r\nb\rc\n\td\t\ne\v\f"),
    "backslashes": text("\\ \\\\ \\n \\u0041 \\x41 \\N{DASH}\n\\\\\n\\'\\\"\\`\\${x}"),
    "shell": text(SHELL),
    "shell in lines": text(f"it's\n{SHELL}\nJSON\nEOF\n'JSON'\n"),
    "end of the here-document": text("JSON"),
    "a leading @": text("@/etc/passwd", system="@-"),
    "template literal": text("${x} `${x}`\n${process.exit(3)} \\${y} $$ {z}\n`"),
    "percent and braces": text("{0} {call} {fields} %s %(a)s {{x}}"),
    "markup": text("</script><!-- <b>&amp;</b> -->\n]]>"),
    "control characters": text(
        "\x00\x01\x1b[31m\x7f\x80\x85\x9f\u00a0\u00ad\u200b\u200e\u202e\u2028\u2029\u2066\ufeff\ufffe"
    ),
    "line separators in lines": text("a\u2028b\nc\u2029d\x85e\nf"),
    "beyond the first plane": text("\U0001f600\U000e0041\U0010ffff\n\U0001d54f"),
    "odd keys": text("Hi", metadata=ODD_KEYS),
    "odd keys on top": text("Hi", **{"__proto__": {"b": 1}, "x\ny'": 2, "a.b": [3]}),
    "nested": text("Hi", metadata={"deep": nested(60)}),
    "100 KB": text("The quick brown fox jumps over 'the' lazy dog.\n" * 2200),
    "300 KB": text("x" * 150_000 + "é" * 75_000),
    "300 KB in lines": text("a line with $HOME and `id`\n" * 11_000, stream=True),
    "a picture of 300 KB": text([picture("QUJD" * 75_000)]),
    "headers": Case(
        body=text("Hi").body,
        headers={
            "anthropic-beta": "context-1m-2025-08-07,x",
            "x-odd": "$HOME `id` $(id) ! \\ \" ' ; %s",
            "x-empty": "",
            "x-gateway-secret": "do not write me down",
            "user-agent": "mine/1.0",
        },
    ),
}
FILES = {"photo's $HOME `id`.png": b"\x89PNG" + bytes(range(256)) * 700, "a.pdf": b"%PDF-1.4\n"}
