"""A request as a program: every program is run, and what arrives is what was asked for."""

from __future__ import annotations

import base64
import contextlib
import inspect
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import anthropic
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from claude_magic.errors import CellError
from claude_magic.export import LANGUAGES, program, python
from claude_magic.export.curl import shell
from claude_magic.export.curl.parse import request_fields
from claude_magic.wire import Headers, Request
from tests.export_programs import (
    CASES,
    ENVIRONMENT,
    FILES,
    KEY,
    TOKEN_ENVIRONMENT,
    Case,
    by_number,
    document,
    openai_answer,
    picture,
    program_answer,
    run_node,
    run_python,
    run_shell,
    text,
)
from tests.server import Answer, Received, Server, whole

pytestmark = pytest.mark.process  # the exported programs are run

NAMES = list(CASES)
SDKS = ("python", "typescript", "openai")
each_case = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node finds the official SDK."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NO NODE OR NO NPM: the TypeScript programs are not run")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "@anthropic-ai/sdk@^1.12"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    if made.returncode:
        pytest.skip(f"NPM CANNOT INSTALL @anthropic-ai/sdk: the TypeScript programs are not run: {made.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def one_server() -> Iterator[Server]:
    """One for all tests here: a server that is closed may take a connection of the next one."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def api(one_server: Server) -> Server:
    """The scripted API, which has received nothing yet and answers `Hello`."""
    one_server.received.clear()
    one_server.strict = False  # any body is written as a program, also one that the API refuses
    one_server.answers(whole("Hello"))
    return one_server


Run = Callable[[list[str], Path], str]


def run_each(shell: str) -> Run:
    return lambda programs, folder: "".join(run_shell(shell, one, folder) for one in programs)


def arrived(
    api: Server, language: str, run: Run, folder: Path, cases: Mapping[str, Case]
) -> tuple[dict[str, Received], str]:
    """What the programs of `cases` sent, by the name of the case, and what they printed."""
    api.answers(*map(openai_answer if language == "openai" else program_answer, cases.values()))
    programs = [
        program(case.request(f"{api.url}/{number}"), language, files=case.files)
        for number, case in enumerate(cases.values())
    ]
    output = run(programs, folder)
    assert KEY not in "".join(programs)
    assert "do not write me down" not in "".join(programs)
    received = by_number(api.received)
    assert len(api.received) == len(cases)
    return {name: received[number] for number, name in enumerate(cases)}, output


RUNS: dict[str, tuple[str, Run]] = {
    "curl in bash": ("curl", run_each("bash")),
    "curl in sh": ("curl", run_each("sh")),
    "python": ("python", run_python),
    "typescript": ("typescript", run_node),
    "requests": ("requests", run_python),
    "openai": ("openai", run_python),
}
_done: dict[str, tuple[dict[str, Received], str]] = {}


@pytest.fixture
def sent(api: Server, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What all programs of a way to run them sent; they run once, all together."""

    def get(way: str) -> tuple[dict[str, Received], str]:
        if way not in _done:
            language, run = RUNS[way]
            at_node = language == "typescript"
            folder = request.getfixturevalue("node_folder") if at_node else tmp_path_factory.mktemp("programs")
            _done[way] = arrived(api, language, run, folder, CASES)
        return _done[way]

    return get


@pytest.mark.parametrize("way", [way for way in RUNS if way != "openai"])
@each_case
def test_a_program_sends_the_same_body(way: str, name: str, sent: Callable[[str], Any]) -> None:
    assert sent(way)[0][name].json == CASES[name].body


@pytest.mark.parametrize("way", RUNS)
def test_every_program_prints_the_reply(way: str, sent: Callable[[str], Any]) -> None:
    output = sent(way)[1]
    streamed = sum(case.streams for case in CASES.values())
    if way.startswith("curl"):
        assert (output.count('"text": "Hello"'), output.count('"text": "Hel"')) == (len(CASES) - streamed, streamed)
    else:
        assert output.count("Hello") == len(CASES)


@pytest.mark.parametrize("way", RUNS)
def test_every_program_takes_the_key_from_the_environment(way: str, sent: Callable[[str], Any]) -> None:
    for received in sent(way)[0].values():
        assert received.headers.get("x-api-key") == KEY or received.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("way", [way for way in RUNS if way != "openai"])
def test_every_program_asks_for_the_same_version(way: str, sent: Callable[[str], Any]) -> None:
    assert {received.headers["anthropic-version"] for received in sent(way)[0].values()} == {"2023-06-01"}


@pytest.mark.parametrize("way", RUNS)
def test_headers_arrive_as_they_were_and_secret_ones_come_from_the_environment(
    way: str, sent: Callable[[str], Any]
) -> None:
    got = sent(way)[0]["headers"].headers
    names = ("anthropic-beta", "x-odd", "x-empty", "user-agent", "x-gateway-secret", "content-type")
    asked = CASES["headers"].headers
    assert {name: got[name] for name in names} == {
        **asked,
        "x-gateway-secret": ENVIRONMENT["X_GATEWAY_SECRET"],
        "content-type": "application/json",
    }


@each_case
def test_the_message_of_http_is_the_one_that_was_sent(name: str, api: Server) -> None:
    api.answers(program_answer(CASES[name]))
    request = CASES[name].request(api.url)
    message = program(request, "http").replace("$ANTHROPIC_API_KEY", KEY, 1)
    with socket.create_connection(("127.0.0.1", api.port)) as connection:
        connection.sendall(message.encode())
        assert connection.recv(20).startswith(b"HTTP/1.1 200")
    assert api.last.body == request.content
    assert api.last.headers["host"] == f"127.0.0.1:{api.port}"
    secret = {"x-gateway-secret": "$X_GATEWAY_SECRET"} if name == "headers" else {}
    assert {k: api.last.headers[k] for k in request.headers} == {**request.headers, "x-api-key": KEY, **secret}


@each_case
def test_a_curl_command_is_read_back(name: str) -> None:
    case = CASES[name]
    request = case.request("https://api.anthropic.com")
    read = request_fields(program(request, "curl"))
    assert (read.method, read.url, read.body) == ("POST", request.url, case.body)
    assert ("x-api-key", "$ANTHROPIC_API_KEY") in read.headers
    assert dict(read.headers).get("x-odd") == case.headers.get("x-odd")


# Attachments from files


@pytest.mark.parametrize("way", RUNS)
def test_a_program_reads_the_file_that_an_attachment_came_from(
    way: str, api: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    language, run = RUNS[way]
    folder = request.getfixturevalue("node_folder") if language == "typescript" else tmp_path
    data = {}
    for path, content in FILES.items():
        (folder / path).write_bytes(content)
        data[path] = base64.b64encode(content).decode()
    shot, pdf = data.values()
    words = {"type": "text", "text": "it's $HOME `id` \\ \" \n JSON\nJSON\n"}
    case = text([picture(shot), document(pdf), words, {"type": "text", "text": pdf}])
    case = Case(body=case.body, files={value: path for path, value in data.items()})
    received, _ = arrived(api, language, run, folder, {"files": case})
    content = received["files"].json["messages"][0]["content"]
    if language == "openai":
        address = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{shot}"}}
        assert content == [address, words, {"type": "text", "text": pdf}]
    else:
        assert content == case.body["messages"][0]["content"]
    assert shot not in program(case.request("http://x"), language, files=case.files)


def test_http_holds_the_attachment_itself() -> None:
    case = text([picture("QUJDRA==")])
    assert "QUJDRA==" in program(case.request("http://x"), "http", files={"QUJDRA==": "a.png"})


# Tokens of MCP servers


def of_servers(*tokens: str, stream: bool = False) -> Case:
    """A request with MCP servers that have these tokens."""
    servers = [
        {"type": "url", "url": f"https://{n}.example/$a", "name": f"docs-{n}", "authorization_token": token}
        for n, token in enumerate(tokens)
    ]
    toolsets = [{"type": "mcp_toolset", "mcp_server_name": server["name"]} for server in servers]
    case = text("it's $HOME `id`\nJSON\nJSON", stream=stream, mcp_servers=servers, tools=toolsets)
    return Case(body=case.body, headers={"anthropic-beta": "mcp-client-2025-11-20"})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", [way for way in RUNS if way != "openai"])
def test_a_program_reads_the_tokens_of_mcp_servers_from_the_environment(
    way: str, stream: bool, api: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    language, run = RUNS[way]
    folder = request.getfixturevalue("node_folder") if language == "typescript" else tmp_path
    case = of_servers("$MCP_TOKEN_DOCS_0", "$SOME_OTHER_NAME", "written down", stream=stream)
    api.answers(program_answer(case))
    made = program(case.request(api.url), language)
    told = {"MCP_TOKEN_DOCS_0": "a token", "SOME_OTHER_NAME": "$X `b`", "MCP_TOKEN_DOCS_2": "a third"}
    if run in (run_python, run_node):
        run([made], folder, {**ENVIRONMENT, **told})  # type: ignore[call-arg]
    else:
        run_shell(way.rpartition(" ")[2], made, folder, {**ENVIRONMENT, **told})
    assert api.last.json == of_servers("a token", "$X `b`", "a third", stream=stream).body
    assert api.last.headers["anthropic-beta"] == "mcp-client-2025-11-20"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_token_of_an_mcp_server_is_never_written(language: str) -> None:
    made = program(of_servers("written down").request("http://x"), language)
    assert "written down" not in made


def test_http_names_the_token_of_an_mcp_server() -> None:
    asked = of_servers("$MCP_TOKEN_DOCS_0").request("http://x")
    assert program(asked, "http").endswith("\r\n\r\n" + asked.content.decode())
    head, _, body = program(of_servers("written down").request("http://x"), "http").partition("\r\n\r\n")
    assert json.loads(body) == of_servers("$MCP_TOKEN_DOCS_0").body
    assert f"content-length: {len(body)}" in head


def test_openai_names_mcp_servers_as_left_out() -> None:
    assert openai_comment(of_servers("$MCP_TOKEN")).endswith("left out: mcp_servers, mcp_toolset.\n")


@pytest.mark.parametrize("odd", [None, "x", [None, "x", {}, {"authorization_token": None}], {"a": 1}])
def test_mcp_servers_of_another_form_are_written_as_they_are(odd: Any, api: Server, tmp_path: Path) -> None:
    case = text("Hi", mcp_servers=odd)
    run_shell("bash", program(case.request(api.url), "curl"), tmp_path)
    assert api.last.json == case.body


@pytest.mark.parametrize("way", RUNS)
def test_a_secret_header_whose_name_begins_with_a_digit_has_a_variable(
    way: str, api: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    language, run = RUNS[way]
    folder = request.getfixturevalue("node_folder") if language == "typescript" else tmp_path
    case = Case(body=text("Hi").body, headers={"2nd-token": "do not write me down"})
    api.answers((openai_answer if language == "openai" else program_answer)(case))
    made = program(case.request(api.url), language)
    environment = {**ENVIRONMENT, "_2ND_TOKEN": "from the environment"}
    if run in (run_python, run_node):
        run([made], folder, environment)  # type: ignore[call-arg]
    else:
        run_shell("bash", made, folder, environment)
    assert api.last.headers["2nd-token"] == "from the environment"


# Where and as whom


@pytest.mark.parametrize("way", RUNS)
def test_a_bearer_token_is_taken_from_its_own_variable(
    way: str, tmp_path: Path, api: Server, request: pytest.FixtureRequest
) -> None:
    language, run = RUNS[way]
    folder = request.getfixturevalue("node_folder") if language == "typescript" else tmp_path
    case = text("Hi")
    api.answers((openai_answer if language == "openai" else program_answer)(case))
    asked = case.request(api.url)
    headers = Headers(
        [
            *((n, v) for n, v in asked.headers.items() if n != "x-api-key"),
            ("authorization", "Bearer $ANTHROPIC_AUTH_TOKEN"),
        ]
    )
    made = program(Request(method="POST", url=asked.url, headers=headers, body=case.body), language)
    if run in (run_python, run_node):
        run([made], folder, TOKEN_ENVIRONMENT)  # type: ignore[call-arg]
    else:
        run_shell("bash", made, folder, TOKEN_ENVIRONMENT)
    assert api.last.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in api.last.headers


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_a_request_holds_is_never_written(language: str) -> None:
    asked = text("Hi").request("https://user:hidden-word@gate.example")
    secrets = {"x-api-key": "sk-ant-hidden-word", "cookie": "hidden-word", "authorization": "Bearer hidden-word"}
    headers = Headers({**dict(asked.headers), **secrets}.items())
    made = program(Request(method="POST", url=asked.url, headers=headers, body=asked.body), language)
    assert "hidden-word" not in made


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_place_of_a_random_key_is_the_environment(language: str) -> None:
    case = Case(body=text("Hi").body, headers={"x-api-key": "(a random key)"})
    made = program(case.request("http://127.0.0.1:8080"), language)
    assert "random" not in made
    assert "127.0.0.1:8080" not in made  # its server ends with the notebook
    assert "ANTHROPIC_BASE_URL" in made


@pytest.mark.parametrize("language", SDKS[:2])
def test_the_address_of_the_api_itself_is_not_written_for_its_sdks(language: str) -> None:
    assert "https://" not in program(text("Hi").request("https://api.anthropic.com"), language)


# How a program reads


def test_a_python_program_has_the_form_of_the_documentation() -> None:
    made = program(text("Hello, Claude", max_tokens=1024).request("https://api.anthropic.com"), "python")
    assert (
        made
        == """\
import anthropic

client = anthropic.Anthropic(
    default_headers={
        "anthropic-version": "2023-06-01",
    },
)

message = client.messages.create(
    model="claude-opus-5-5",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello, Claude"}],
)
for block in message.content:
    if block.type == "text":
        print(block.text)
"""
    )


def test_a_curl_command_has_the_form_of_the_documentation() -> None:
    made = program(text("Hello, Claude", max_tokens=1024).request("https://api.anthropic.com"), "curl")
    assert (
        made
        == """\
curl https://api.anthropic.com/v1/messages \\
  -H "x-api-key: $ANTHROPIC_API_KEY" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "content-type: application/json" \\
  -d '{
  "model": "claude-opus-5-5",
  "max_tokens": 1024,
  "messages": [{"role": "user", "content": "Hello, Claude"}]
}'
"""
    )


@pytest.mark.parametrize("language", ["python", "requests", "openai", "typescript"])
def test_text_of_several_lines_is_written_in_several_lines(language: str) -> None:
    made = program(text("First line\n  - second\nthird").request("http://x"), language)
    assert "First line\n  - second\nthird" in made


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "http"])
def test_no_program_hides_characters_from_its_reader(language: str) -> None:
    made = program(CASES["control characters"].request("http://x"), language)
    assert [c for c in made if not c.isprintable() and c != "\n"] == []


def test_streamed_curl_does_not_wait_for_a_full_buffer() -> None:
    assert "--no-buffer" in program(text("Hi", stream=True).request("http://x"), "curl")


def test_javascript_says_that_it_cannot_hold_a_long_number() -> None:
    asked = text("Hi", metadata={"n": 2**60 + 1}).request("http://x")
    assert program(asked, "typescript").startswith("// A whole number here is longer than JavaScript can hold")


def test_every_argument_of_the_python_program_is_one_of_the_sdk() -> None:
    client = anthropic.Anthropic(api_key="none")
    for function in (client.messages.create, client.messages.stream):
        assert set(inspect.signature(function).parameters) >= python.FIELDS


# What cannot be said


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CellError, match=r"no such language: 'perl'\. Choose one of curl, python"):
        program(text("Hi").request("http://x"), "perl")


@pytest.mark.parametrize("language", SDKS)
def test_a_request_without_its_required_fields_has_no_sdk_program(language: str) -> None:
    request = Request(method="POST", url="https://api.anthropic.com/v1/messages", body={"model": "x", "messages": []})
    with pytest.raises(CellError, match="needs max_tokens, which the request has not"):
        program(request, language)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "http"])
def test_what_is_nested_too_deeply_is_refused(language: str) -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(CellError, match="nested too deeply for a program"):
        program(text("Hi", tools=[{"name": "x", "input_schema": deep}]).request("http://x"), language)


def test_a_request_without_a_body_is_a_get(api: Server, tmp_path: Path) -> None:
    api.answers(Answer(headers=[("content-type", "application/json")], pieces=[b"{}"], framing="length"))
    request = Request(method="GET", url=f"{api.url}/v1/models?limit=2&after_id=x")
    run_shell("bash", program(request, "curl"), tmp_path)
    run_python([program(request, "requests")], tmp_path)
    assert [(r.method, r.path, r.body) for r in api.received] == [("GET", "/v1/models?limit=2&after_id=x", b"")] * 2
    assert program(request, "http").startswith("GET /v1/models?limit=2&after_id=x HTTP/1.1\r\nHost: 127.0.0.1")


def test_any_other_method_is_written(api: Server, tmp_path: Path) -> None:
    api.answers(Answer(headers=[("content-type", "application/json")], pieces=[b"{}"], framing="length"))
    request = Request(method="PATCH", url=f"{api.url}/v1/x", body={"a": 1})
    run_shell("bash", program(request, "curl"), tmp_path)
    run_python([program(request, "requests")], tmp_path)
    assert [(r.method, r.path, r.json) for r in api.received] == [("PATCH", "/v1/x", {"a": 1})] * 2


# The compatibility endpoint


def openai_body(name: str, sent: Callable[[str], Any]) -> Any:
    return sent("openai")[0][name].json


def openai_comment(case: Case) -> str:
    made = program(case.request("http://x"), "openai")
    return "".join(line for line in made.splitlines(keepends=True) if line.startswith("# Not in"))


@each_case
def test_openai_gets_the_text_of_every_case(name: str, sent: Callable[[str], Any]) -> None:
    body = CASES[name].body
    got = openai_body(name, sent)
    told = [m["content"] for m in got["messages"] if isinstance(m["content"], str) and m["role"] != "tool"]
    system = [body["system"]] if isinstance(body.get("system"), str) else []
    assert told == system + [m["content"] for m in body["messages"] if isinstance(m["content"], str)]
    assert (got["model"], got["max_tokens"]) == (body["model"], body["max_tokens"])
    assert got.get("stream") == body.get("stream")
    assert got.get("stop") == body.get("stop_sequences")
    assert got.get("temperature") == body.get("temperature")


def test_openai_gets_system_blocks_as_a_message(sent: Callable[[str], Any]) -> None:
    message = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert openai_body("system blocks", sent)["messages"][0] == message


def test_openai_gets_pictures_as_addresses(sent: Callable[[str], Any]) -> None:
    data = CASES["picture"].body["messages"][0]["content"][0]["source"]["data"]
    content = openai_body("picture", sent)["messages"][0]["content"]
    assert content == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "text", "text": "What is it?"},
    ]
    by_address = openai_body("picture by address", sent)["messages"][0]["content"]
    assert by_address == [{"type": "image_url", "image_url": {"url": "https://example.org/a.png?b=1&c"}}]


def test_openai_gets_tools_as_functions(sent: Callable[[str], Any]) -> None:
    got = openai_body("tools", sent)
    tool = CASES["tools"].body["tools"][0]
    function = {"name": "weather", "description": tool["description"], "parameters": tool["input_schema"]}
    assert got["tools"] == [{"type": "function", "function": function}]
    assert (got["tool_choice"], got["parallel_tool_calls"]) == ("required", False)
    assert openai_comment(CASES["tools"]) == "# Not in the compatibility endpoint, left out: strict.\n"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "x"}, {"type": "function", "function": {"name": "x"}}),
    ],
)
def test_openai_gets_the_choice_of_tools(ours: dict[str, Any], theirs: Any) -> None:
    tool = {"name": "x", "input_schema": {}}
    made = program(text("Hi", tools=[tool], tool_choice=ours).request("http://x"), "openai")
    assert f"    tool_choice={json.dumps(theirs)},\n" in made


@pytest.mark.parametrize("tools", [[], [{"name": "x", "input_schema": {}}]])
@pytest.mark.parametrize("choice", [{"type": "tool", "name": "web_search"}, {"type": "any"}])
def test_openai_is_not_asked_to_choose_a_tool_that_is_left_out(tools: list[Any], choice: dict[str, str]) -> None:
    search = {"type": "web_search_20260318", "name": "web_search"}
    made = program(text("Hi", tools=[search, *tools], tool_choice=choice).request("http://x"), "openai")
    chosen = bool(tools) and choice["type"] == "any"
    assert ("    tool_choice=" in made) == chosen
    assert ("tool_choice.\n" in made) == (not chosen)


def test_openai_gets_tool_calls_and_their_results(sent: Callable[[str], Any]) -> None:
    arguments = '{"city": "Köln", "days": 2}'
    call = {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    assert openai_body("tool turns", sent)["messages"] == [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}], "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "rain"},
        {"role": "user", "content": [{"type": "text", "text": "And tomorrow?"}]},
    ]


def test_openai_gets_the_text_of_a_result_and_names_what_else_was_in_it() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "rain"}, picture("QUJD")]}
    made = program(text([result]).request("http://x"), "openai")
    assert '"content": [{"type": "text", "text": "rain"}],\n        },\n    ],\n)' in made
    assert openai_comment(text([result])).endswith("left out: image in a tool_result.\n")


def test_openai_gets_a_schema_and_is_said_to_ignore_it(sent: Callable[[str], Any]) -> None:
    case = CASES["schema"]
    schema = case.body["output_config"]["format"]["schema"]
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert openai_body("schema", sent)["response_format"] == form
    assert "# The endpoint's documentation says that it ignores response_format." in program(
        case.request("http://x"), "openai"
    )
    assert openai_comment(case) == "# Not in the compatibility endpoint, left out: output_config.effort.\n"


def test_openai_gets_thinking_which_the_endpoint_has(sent: Callable[[str], Any]) -> None:
    assert openai_body("thinking", sent)["thinking"] == CASES["thinking"].body["thinking"]


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("pdf", "document"),
        ("system blocks", "cache_control"),
        ("server tool", "web_search_20260318"),
        ("tool turns", "strict, thinking"),
        ("null and numbers", "inference_geo, metadata"),
        ("unknown fields", 'top_k, fallbacks, "a-b"'),
        ("odd keys on top", '__proto__, "x\\ny\'", a.b'),
    ],
)
def test_what_openai_has_not_is_named(name: str, left_out: str) -> None:
    assert openai_comment(CASES[name]) == f"# Not in the compatibility endpoint, left out: {left_out}.\n"


def test_a_form_that_the_api_does_not_know_has_no_openai_program() -> None:
    with pytest.raises(CellError, match="no OpenAI program: the request has fields or blocks of a form"):
        program(text([{"text": "no type"}]).request("http://x"), "openai")


# A pasted curl command

HELLO = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": 'it\'s $5, `x` "y"\n\\ é🦜!'}]}
SINGLE = json.dumps(HELLO).replace("'", "'\\''")
DOUBLE = re.sub(r'[\\"$`]', r"\\\g<0>", json.dumps(HELLO))
EXPANDED = re.sub(r"[\\$`]", r"\\\g<0>", json.dumps(HELLO, ensure_ascii=False))
# What Chrome's "Copy as cURL (bash)" makes of a body with a ' or a !
COPIED = json.dumps(HELLO, ensure_ascii=False).replace("\\", "\\\\").replace("'", "\\'")
COPIED = COPIED.replace("é", "\\u00e9").replace("🦜", "\\ud83e\\udd9c").replace("!", "\\u0021")
URL = "https://api.anthropic.com/v1/messages"


COMMANDS = [
    f"curl {URL} -d '{SINGLE}'",
    f"curl -d '{SINGLE}' {URL}",
    f'curl {URL} -d "{DOUBLE}"',
    f"curl '{URL}' --data-raw $'{COPIED}'",
    f"curl --url \"{URL}\" --data '{SINGLE}'",
    f"curl -sSN -XPOST -d'{SINGLE}' {URL}",
    f"curl -sSX POST {URL} --data-binary '{SINGLE}'",
    f"curl {URL} --request post \\\n  --data-ascii '{SINGLE}' \\\n",
    f"curl {URL} --request POST \\\r\n  --data '{SINGLE}'\r\n",
    f"curl {URL} \\ \n  --data '{SINGLE}'",
    f"curl {URL} --json '{SINGLE}'",
    f"  $ curl {URL} -d '{SINGLE}'\n",
    f"# a comment\n\ncurl {URL} -d '{SINGLE}' # why\n# end\n",
    f"curl {URL} -d '{SINGLE}' | jq '.content[0].text'",
    f"curl {URL} -d '{SINGLE}' 2>/dev/null > out.json",
    f"curl {URL} -d '{SINGLE}' ;\n",
    f"/usr/bin/curl --compressed -i -o out.json --max-time 60 --http1.1 {URL} -d '{SINGLE}'",
    f"curl {URL} -d @- <<'JSON'\n{json.dumps(HELLO)}\nJSON\n",
    f"curl {URL} --data-binary @- << 'a.b'\n{json.dumps(HELLO, indent=1)}\na.b",
    f"curl {URL} -d @- <<-'EOF' | jq .\n\t{json.dumps(HELLO)}\n\tEOF\n",
    f"curl -d @- <<EOF {URL}\n{EXPANDED}\nEOF\n",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_read_as_a_shell_reads_it(command: str) -> None:
    read = request_fields(command)
    assert (read.url, read.method, read.body) == (URL, "POST", HELLO)


@pytest.mark.parametrize("end", ["^", "`", "\\"])
def test_lines_of_windows_are_read_where_all_shells_agree(end: str) -> None:
    read = request_fields(f"curl {URL} {end}\n  -H 'a: b' {end}\r\n  --data '{{\"a\": 1}}'")
    assert (read.url, read.headers, read.body) == (URL, [("a", "b")], {"a": 1})


@pytest.mark.parametrize("end", ["^", "`"])
@pytest.mark.parametrize("body", [r'"{\"a\": \"x\\n\"}"', "'{\"a\": \"it''s\"}'", '"{\\"a\\": \\"%PATH%\\"}"', "$'{}'"])
def test_lines_of_windows_are_refused_where_shells_differ(end: str, body: str) -> None:
    with pytest.raises(CellError, match="is one for Windows"):
        request_fields(f"curl {URL} {end}\n  --data {body}")


@pytest.mark.parametrize("command", [c for c in COMMANDS if not re.search(r"[\^\r]|\\ \n|\A +[$]|[$]'|jq", c)])
def test_such_a_command_does_the_same_in_a_shell(command: str, api: Server, tmp_path: Path) -> None:
    run_shell("bash", command.replace(URL, f"{api.url}/shell"), tmp_path)
    assert (api.last.method.upper(), api.last.path, api.last.json) == ("POST", "/shell", HELLO)


PIECES = [
    "'",
    '"',
    "\\",
    "$'",
    "$",
    " ",
    "\t",
    "\\\n",
    "#",
    "a",
    "n",
    "é",
    "x41",
    "u00e9",
    "101",
    "?",
    "=",
    "-H",
    "'a'",
    '"b c"',
]


@settings(max_examples=2 * settings.default.max_examples)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14))
def test_words_are_those_of_bash(pieces: list[str]) -> None:
    text = "".join(pieces)
    assume(not text.rstrip(" \t").endswith("\\"))  # we take a last backslash for a line that was to go on
    try:
        words = shell.command(f"p {text}").words
    except CellError:
        return
    if not any(word.variables for word in words):
        script = f'p() {{ for word in "$@"; do printf "%s\\0" "$word"; done; }}\np {text}'
        output = subprocess.run(["bash", "-c", script], capture_output=True, encoding="utf-8", check=True).stdout
        assert [word.text for word in words[1:]] == output.split("\0")[:-1]


def test_several_bodies_are_joined_as_curl_joins_them() -> None:
    assert request_fields("""curl x -d '{"a": "b' -d 'c"}'""").body == {"a": "b&c"}
    assert request_fields("""curl x --json '{"a":' --json ' 1}'""").body == {"a": 1}


def test_quoted_pieces_of_a_word_are_one_word() -> None:
    assert request_fields("""curl ht"tp"://x'/y'\\z --data-raw '{"a": "'"it's"'"}'""").body == {"a": "it's"}
    assert request_fields("""curl ht"tp"://x'/y'\\z --data-raw '{"a": 1}'""").url == "http://x/yz"


def test_a_line_continued_inside_double_quotes_is_one_line() -> None:
    assert request_fields('curl x -d "{\\"a\\": \\\n1}"').body == {"a": 1}


def test_escapes_of_ansi_quotes_are_understood() -> None:
    read = request_fields(r"""curl x --data-raw $'{"a": "\x41\xc3\xa9\101\U0001f99c\u41\'\?\\t"}'""")
    assert read.body == {"a": "AéA🦜A'?\t"}


def test_a_leading_at_sign_is_text_for_data_raw() -> None:
    with pytest.raises(CellError, match="is not JSON"):
        request_fields("curl x --data-raw '@file'")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('-H "x-api-key: $ANTHROPIC_API_KEY"', ("x-api-key", "$ANTHROPIC_API_KEY")),
        ('-H "X-Api-Key: ${ANTHROPIC_API_KEY}"', ("X-Api-Key", "$ANTHROPIC_API_KEY")),
        ("-H x-api-key:$KEY", ("x-api-key", "$KEY")),
        ("--header 'x-api-key: $ANTHROPIC_API_KEY'", ("x-api-key", "$ANTHROPIC_API_KEY")),
        ('-H "Authorization: Bearer $TOKEN"', ("Authorization", "Bearer $TOKEN")),
        ("-H 'anthropic-beta: a,b'", ("anthropic-beta", "a,b")),
        ("-H 'x-odd: a: $b `c`'", ("x-odd", "a: $b `c`")),
        ("-H 'x-empty;'", ("x-empty", "")),
        ("-A 'me/1.0'", ("user-agent", "me/1.0")),
        ("--json {}", ("content-type", "application/json")),
    ],
)
def test_headers_are_read(written: str, read: tuple[str, str]) -> None:
    body = "" if "--json" in written else "-d {\\}"
    assert read in request_fields(f"curl http://x {written} {body}").headers


def test_a_header_that_is_taken_away_is_none() -> None:
    assert request_fields("curl x -H 'accept:' -d '{}'").headers == []


SECRET = "sk-ant-api03-hidden"


@pytest.mark.parametrize(
    "written",
    [
        f"-H 'x-api-key: {SECRET}'",
        "-H 'x-api-key: hidden'",
        "-H 'Authorization: Bearer hidden'",
        '-H "Authorization: Bearer hidden$X"',
        "-H 'cookie: a=hidden'",
        "-H 'anthropic-gateway-secret: hidden'",
        f"-H 'x-note: {SECRET}'",
        "-u user:hidden",
        "--user user:hidden",
        "-b a=hidden",
        "--oauth2-bearer hidden",
        "https://user:hidden@x",
        f"'https://x/?key={SECRET}'",
    ],
)
def test_a_key_in_a_command_is_refused_and_not_repeated(written: str) -> None:
    url = "" if "https" in written else "http://x"
    with pytest.raises(CellError, match=r"holds a secret \(.*set \$ANTHROPIC_API_KEY\.") as caught:
        request_fields(f"curl {url} {written} -d '{{}}'")
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_token_of_an_mcp_server_is_refused_and_its_variable_is_not() -> None:
    def servers(token: str) -> str:
        return json.dumps({"mcp_servers": [{"name": "a", "authorization_token": token}]})

    with pytest.raises(CellError, match=r"holds a secret \(authorization_token\).*\$MCP_TOKEN") as caught:
        request_fields(f"curl x -d '{servers('hidden')}'")
    assert "hidden" not in str(caught.value)
    assert request_fields(f"curl x -d '{servers('$MCP_TOKEN_A')}'").body == json.loads(servers("$MCP_TOKEN_A"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "it does not begin with curl"),
        ("wget http://x", "it does not begin with curl"),
        ("curl http://x", "sends no body"),
        ("curl -d '{}'", "has no address"),
        ("curl x y -d '{}'", "has 2 addresses"),
        ("curl http://[x -d '{}'", "the address in the curl command cannot be read"),
        ("curl x -d '{'", "is not JSON: Expecting property name .* at line 1, column 2"),
        ("curl x -d '[1]'", "is not a JSON object"),
        ("curl x -d '{\"a\": NaN}'", "NaN is not a number"),
        ("curl x -d '" + '{"a":' * 100_000 + "'", "is not JSON"),
        ("curl x -d @body.json", "reads a file with @"),
        ("curl x -d @-", "reads a file with @"),
        ("curl x --json @body.json", "reads a file with @"),
        ("curl x -H @headers -d '{}'", "not of the form 'name: value'"),
        ("curl x -H nonsense -d '{}'", "not of the form 'name: value'"),
        ("curl x -d @- < body.json", "reads a file with <"),
        ("curl x -F a=b", "uses --form"),
        ("curl x --data-urlencode a=b", "uses --data-urlencode"),
        ("curl x -T file", "uses --upload-file"),
        ("curl x -K config", "uses --config"),
        ("curl x -G -d '{}'", "uses --get"),
        ('curl x -d "$(cat body.json)"', r"needs a shell: it holds a \$"),
        ("curl x -d $(cat body.json)", r"needs a shell: it holds a \$"),
        ("curl x -d `cat body.json`", "needs a shell: it holds a `"),
        ('curl x -d "`id`"', "needs a shell: it holds a `"),
        ('curl x -d "${BODY:-x}"', r"needs a shell: it holds a \$"),
        ('curl x -d "{\\"a\\": \\"$HOME\\"}"', "uses a variable of the shell"),
        ("curl $URL -d '{}'", "uses a variable of the shell"),
        ("curl x -H \"anthropic-version: $VERSION\" -d '{}'", "uses a variable of the shell"),
        ('curl x -d @- <<EOF\n{"a": "$HOME"}\nEOF', "uses a variable of the shell"),
        ('curl x -d @- <<EOF\n{"a": "$(id)"}\nEOF', r"needs a shell: it holds a \$"),
        ("curl x -d @- <<'EOF'\n{}\n", "the here-document has no end: no line EOF"),
        ("curl x -d '{}", "a quote in it is not closed"),
        ('curl x -d "{}', "a quote in it is not closed"),
        ("curl x -d '{}' && rm -rf /", "more than one command"),
        ("curl x -d '{}'\ncurl y -d '{}'", "more than one command"),
        ("curl x -d '{}' || true", "more than one command"),
        ('curl ^"x^" -d ^"{}^"', "is one for Windows"),
        ("curl x --frobnicate=hidden -d '{}'", "not understood here: --frobnicate. Take it out"),
        ("curl x -Z -d '{}'", "not understood here: -Z. Take it out"),
        ("curl x -d", "ends where --data needs a value"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(command: str, message: str) -> None:
    with pytest.raises(CellError, match=message) as caught:
        request_fields(command)
    assert "\n" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_nothing_of_a_pasted_command_is_run(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text("{}")
    for command in (
        'curl x -d "$(touch ran)"',
        "curl x -d @body.json",
        "curl x -d '{}' | touch ran",
        "curl x -d '{}' > ran",
    ):
        with contextlib.suppress(CellError):
            request_fields(command)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["body.json", "home"]


@settings(max_examples=3 * settings.default.max_examples)
@given(command=st.text(alphabet="curl xd-H@{}\"'$()`\\|<>;&#\n\t^=:ab", max_size=40))
def test_any_text_is_read_or_refused(command: str) -> None:
    with contextlib.suppress(CellError):
        request_fields(f"curl {command}")


# Any JSON at all

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
BODIES = st.fixed_dictionaries({"model": st.text(), "messages": VALUES, "max_tokens": VALUES}, optional={"x": VALUES})
few = settings(
    max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(body=BODIES)
def test_curl_sends_any_json(body: dict[str, Any], api: Server, tmp_path: Path) -> None:
    run_shell("bash", program(Case(body=body).request(api.url), "curl"), tmp_path)
    assert api.last.json == body


@few
@given(body=BODIES)
def test_requests_sends_any_json(body: dict[str, Any], api: Server) -> None:
    os.environ["ANTHROPIC_API_KEY"] = KEY
    exec(program(Case(body=body).request(api.url), "requests"), {})
    assert api.last.json == body


@given(body=BODIES)
def test_curl_of_any_json_is_read_back(body: dict[str, Any]) -> None:
    assert request_fields(program(Case(body=body).request("http://x"), "curl")).body == body
