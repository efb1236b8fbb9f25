"""What tools and MCP servers give reaches the API in a form that it takes, whole, or with a word on what is missing."""

from __future__ import annotations

import base64
import html
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from claude_magic.tools.mcp.results import content
from claude_magic.tools.mcp.server import LocalServer
from claude_magic.tools.results import blocks
from claude_magic.wire.tool import FAILED, Call, File, Items
from claude_magic.wire.tool import Content as Given
from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.tool_streams import asks

HERE = Path(__file__).parent


def picture(kind: str, width: int = 40, height: int = 30, *, noise: bool = False) -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGB", (width, height), "red")
    if noise:
        image = Image.merge("RGB", [Image.effect_noise((width, height), 90) for _ in range(3)])
    image.save(buffer, kind)
    return buffer.getvalue()


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sent(value: Any, most: int = 10_000) -> tuple[dict[str, Any], ...]:
    return blocks(value, "tool", write=repr, hide=str, most=most)


def texts(value: Any) -> list[str]:
    return [block["text"] for block in sent(value)]


def from_server(*items: Any, **result: Any) -> Given:
    return content({"content": list(items), **result})


# Files


@pytest.mark.parametrize(
    "claimed", ["image/png", "image/jpg", "", "application/octet-stream", "text/html", "audio/wav"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_the_media_type_is_that_of_the_bytes(kind: str, claimed: str) -> None:
    data = picture(kind)
    (block,) = sent(from_server({"type": "image", "data": in_base64(data), "mimeType": claimed}))
    assert block == {
        "type": "image",
        "source": {"type": "base64", "media_type": f"image/{kind.lower()}", "data": in_base64(data)},
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height", "noise"), [(60, 9_000, False), (2_100, 2_100, False), (1_900, 1_900, True)]
)
def test_an_image_beyond_the_limits_is_scaled_and_the_scaling_told(width: int, height: int, noise: bool) -> None:
    data = picture("PNG", width, height, noise=noise)
    block, told = sent(from_server({"type": "image", "data": in_base64(data), "mimeType": "image/png"}))
    made = Image.open(io.BytesIO(base64.b64decode(block["source"]["data"])))
    assert max(made.size) <= 2_000
    assert len(block["source"]["data"]) <= 5 * 1024 * 1024
    assert told["text"].startswith("(the image: ")


def test_what_is_no_image_is_sent_as_text_and_said_to_be() -> None:
    item = {"type": "image", "data": in_base64(b"<html>502</html>"), "mimeType": "image/png"}
    assert texts(from_server(item)) == ["[image/png, 16 bytes: it is no image but text]", "<html>502</html>"]


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"PK\x03\x04\0 zip", picture("PNG")[:60], b""])
def test_what_cannot_be_sent_is_told_in_its_place(data: bytes) -> None:
    before, told = texts(from_server({"type": "text", "text": "a"}, {"type": "image", "data": in_base64(data)}))
    assert before == "a"
    assert told.startswith(f"[a file, {len(data)} bytes: not sent. ")


@pytest.mark.parametrize("spoilt", ["data:image/png;base64,{}", " {}\n", "{}", "=={}"])
def test_base64_is_read_as_servers_write_it(spoilt: str) -> None:
    data = picture("PNG")
    written = spoilt.format(in_base64(data).rstrip("=").replace("+", "-").replace("/", "_"))
    (block,) = sent(from_server({"type": "image", "data": written, "mimeType": "image/png"}))
    assert (block["type"] == "image") == (not spoilt.startswith("=="))
    assert spoilt[:2] != "==" or "its base64 is broken" in block["text"]


def test_a_resource_is_what_its_bytes_are() -> None:
    kinds = [(b"a,b\n1,2\n", "text"), (b"%PDF-1.4\n", "document"), (picture("PNG"), "image")]
    for data, kind in kinds:
        resource = {"uri": "file:///a", "blob": in_base64(data), "mimeType": "application/octet-stream"}
        where, block = sent(from_server({"type": "resource", "resource": resource}))
        assert (where["text"], block["type"]) == ("[file:///a]", kind)


def test_an_old_encoding_is_read_where_the_server_says_that_it_is_text() -> None:
    data = "Größe: fünf Äpfel, überall süße Früchte".encode("cp1252")
    item = {"type": "resource", "resource": {"uri": "a", "blob": in_base64(data), "mimeType": "text/plain"}}
    _, text, told = texts(from_server(item))
    assert (text, "assumed" in told) == (data.decode("cp1252"), True)
    item["resource"]["mimeType"] = ""  # type: ignore[index]
    assert "not sent. it is no text for sure" in texts(from_server(item))[1]


def test_links_audio_and_unknown_blocks_are_told() -> None:
    assert texts(
        from_server(
            {"type": "resource_link", "uri": "https://a.example/x", "name": "x", "mimeType": "text/csv"},
            {"type": "audio", "data": in_base64(b"hum"), "mimeType": "audio/wav"},
            {"type": "hologram", "depth": 3},
            "bare",
            7,
        )
    ) == [
        "[link to x: https://a.example/x: text/csv]",
        "[audio/wav, 3 bytes: not sent. the API takes images, PDFs and text.]",
        '{"type": "hologram", "depth": 3}',
        "bare",
        "7",
    ]


def test_too_many_and_too_large_files_are_left_out_with_a_word() -> None:
    many = [File(data=picture("PNG", 20 + n)) for n in range(23)]
    found = sent(Given(blocks=tuple(many)))
    assert [block["type"] for block in found] == ["image"] * 20 + ["text"]
    assert found[-1]["text"] == "(cut: 3 more images)"
    pdfs = [File(data=b"%PDF-1.4 " + b"x" * 4_000_000)] * 3
    assert [block["type"] for block in sent(Given(blocks=tuple(pdfs)))] == ["document", "document", "text"]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_that_a_function_returns_are_what_they_are(wrap: Callable[[bytes], Any]) -> None:
    assert sent(wrap(picture("PNG")))[0]["source"]["media_type"] == "image/png"
    assert sent(wrap(b"%PDF-1.4"))[0]["type"] == "document"
    assert texts(wrap("Zürich".encode())) == ["Zürich"]
    assert texts(wrap(b"\x00\xff")) == [repr(b"\x00\xff")]


def test_pictures_within_a_dict_or_a_list_stand_beside_the_rest() -> None:
    image = Image.new("RGB", (4, 4))
    found = sent({"plot": image, "n": 3})
    assert [block.get("text") for block in found] == ['{"plot": "(below)", "n": 3}', "plot:", None]
    assert [block["type"] for block in sent(["a", b"%PDF-1.4", image])] == ["text", "document", "image"]


def test_a_picture_that_cannot_be_drawn_does_not_take_the_others_with_it() -> None:
    found = sent(["a", Image.new("F", (4, 4)), Image.new("RGB", (4, 4))])
    assert [block["type"] for block in found] == ["text", "text", "image"]
    assert found[1]["text"].startswith("[a picture: not sent. the result of tool: an image of mode F")


# Results of servers


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"structuredContent": {"n": 1}}, ['{"n": 1}']),
        ({"content": [], "structuredContent": [1, 2]}, ["[1, 2]"]),
        ({"content": None, "structuredContent": None}, []),
        ({"content": "text"}, ["text"]),
        ({"content": {"type": "text", "text": "alone"}}, ["alone"]),
        ({"content": [{"type": "text", "text": '{"n": 1}'}], "structuredContent": {"n": 1}}, ['{"n": 1}']),
        ({"content": [{"type": "text", "text": "one"}], "structuredContent": {"n": 1}}, ["one", '{"n": 1}']),
        ({"content": [{"type": "text", "text": " "}, {"type": "text"}, {"type": "text", "text": 5}]}, ["null", "5"]),
        ({}, []),
    ],
)
def test_a_result_is_kept_whatever_its_form(result: Any, said: list[str]) -> None:
    assert [text.removeprefix('{"type": "text"').strip() for text in texts(content(result))] != [None]
    assert len(texts(content(result))) == len(said)
    assert all(each in whole for each, whole in zip(said, texts(content(result)), strict=True) if each != "null")


def test_structured_content_beside_a_picture_is_added_unless_it_is_the_same() -> None:
    image = {"type": "image", "data": in_base64(picture("PNG")), "mimeType": "image/png"}
    assert [b["type"] for b in sent(from_server(image, structuredContent={"url": "u"}))] == ["image", "text"]
    listed = [{"type": "text", "text": "a"}, image]
    assert [b["type"] for b in sent(from_server(*listed, structuredContent={"result": listed}))] == ["text", "image"]


def test_a_failure_keeps_all_that_came_with_it() -> None:
    image = {"type": "image", "data": in_base64(picture("PNG")), "mimeType": "image/png"}
    given = from_server({"type": "text", "text": "no"}, image, isError=True, structuredContent={"code": 3})
    assert given.failed
    call = Call(id="a", name="t", arguments={}, state=FAILED, content=sent(given))
    assert [b.get("text", b["type"]) for b in call.result["content"]] == [
        "(The tool says that it failed.)",
        "no",
        "image",
        '{"code": 3}',
    ]
    assert "is_error" not in call.result  # the API takes an error with text only


def test_a_failure_without_a_word_has_one() -> None:
    result = Call(id="a", name="t", arguments={}, state=FAILED).result
    assert result["is_error"] is True
    assert result["content"] == [{"type": "text", "text": "It failed and did not say why."}]


# What is given one after another

FUNCTIONS = """
from claude_magic import claude
closed = []

@claude.tool(approve=False)
def pages(n: int):
    "Pages."
    try:
        for i in range(n):
            yield f"page {i}"
    finally:
        closed.append(n)

@claude.tool(approve=False)
def endless():
    "Numbers."
    import itertools
    return itertools.count()

@claude.tool(approve=False)
def breaks():
    "Breaks."
    yield "first"
    raise RuntimeError("the disk is gone")

@claude.tool(approve=False)
async def chunks(n: int):
    "Chunks."
    try:
        for i in range(n):
            yield i
    finally:
        closed.append("async")

@claude.tool(approve=False)
async def later():
    "A generator, once awaited."
    return (i * i for i in range(3))

@claude.tool(approve=False, parallel=True)
def lines():
    "Lines."
    return map(str.upper, ["a", "b"])
"""


@pytest.fixture
def functions(shell: Shell) -> Shell:
    assert shell.run(FUNCTIONS).error is None
    return shell


def results(shell: Shell, endpoint: Server, *calls: tuple[str, Any]) -> list[Any]:
    """The results of these calls, as they are sent."""
    endpoint.answers(asks(*calls), reply("ok"))
    names = ",".join(dict.fromkeys(name for name, _ in calls))
    ran = shell.run(f"%%claude --tools {names}\ngo")
    assert ran.error is None, ran.error
    return list(endpoint.last.json["messages"][-1]["content"])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (("pages", {"n": 2}), '["page 0", "page 1"]'),
        (("pages", {"n": 0}), "[]"),
        (("chunks", {"n": 3}), "[0, 1, 2]"),
        (("later", {}), "[0, 1, 4]"),
        (("lines", {}), '["A", "B"]'),
    ],
)
def test_generators_and_iterators_are_read(call: Any, text: str, functions: Shell, endpoint: Server) -> None:
    (result,) = results(functions, endpoint, call)
    assert result["content"] == [{"type": "text", "text": text}]
    assert "is_error" not in result


def test_what_has_no_end_is_cut_and_says_so_to_claude_and_on_the_page(functions: Shell, endpoint: Server) -> None:
    endless, pages, chunks = results(
        functions, endpoint, ("endless", {}), ("pages", {"n": 5_000}), ("chunks", {"n": 5_000})
    )
    for result in (endless, pages, chunks):
        assert result["content"][-1]["text"] == "(cut: only the first 1,000 items were read)"
    assert json.loads(endless["content"][0]["text"]) == list(range(1_000))
    assert functions.user_ns["closed"] == [5_000, "async"]


def test_what_came_before_an_exception_is_kept(functions: Shell, endpoint: Server) -> None:
    (result,) = results(functions, endpoint, ("breaks", {}))
    assert result["is_error"] is True
    assert result["content"][0]["text"] == '["first"]'
    assert result["content"][1]["text"].endswith("RuntimeError: the disk is gone")


def test_items_that_are_pictures_are_images() -> None:
    found = sent(Items(values=("a", Image.new("RGB", (4, 4))), cut=True))
    assert [block["type"] for block in found] == ["text", "image", "text"]


# Servers and definitions that are odd, through a cell


@pytest.fixture
def served(shell: Shell, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts a server, called `odd` in the notebook, with these tools and results."""
    started: list[LocalServer] = []

    def start(tools: list[Any], **script: Any) -> None:
        (tmp_path / "script.json").write_text(json.dumps({"tools": tools, **script}))
        command = [sys.executable, str(HERE / "scripted_mcp_server.py"), str(tmp_path / "script.json")]
        ran = shell.run(f"from claude_magic import claude\nodd = claude.mcp('odd', {command!r}, approve=False)")
        assert ran.error is None, ran.error
        started.append(shell.user_ns["odd"])

    yield start
    for server in started:
        server.close()


def tool(name: Any, **schema: Any) -> dict[str, Any]:
    return {"name": name, "description": "x", "inputSchema": {"type": "object", **schema}}


def shown(ran: Any) -> str:
    return html.unescape("\n".join(ran.data("text/html")))


@pytest.mark.process
def test_an_odd_tool_is_left_out_by_name_and_its_neighbours_are_offered(
    served: Callable[..., None], shell: Shell, endpoint: Server
) -> None:
    odd = [
        tool("good"),
        tool("union", anyOf=[{"properties": {"a": {}}}, {"properties": {"b": {}}}]),
        {"name": "list", "inputSchema": {"type": "array"}},
        {"name": "nothing"},
        {"name": "null", "inputSchema": None, "outputSchema": "no", "annotations": 5, "description": 7},
        {"inputSchema": {}},
        "no tool",
        tool("good"),
        tool("a/b"),
    ]
    served(odd)
    endpoint.answers(reply("ok"))
    ran = shell.run("%%claude --mcp odd\nhi")
    assert ran.error is None
    names = [each["name"] for each in endpoint.last.json["tools"]]
    assert names == ["odd__good", "odd__union", "odd__nothing", "odd__null", "odd__a_b"]
    for line in (
        'MCP server odd: list is left out: its input schema is of type "array".',
        "MCP server odd: tool 6 of its list is left out: it has no name",
        "MCP server odd: tool 7 of its list is left out: it has no name",
        "MCP server odd: a second good is left out",
    ):
        assert line in shown(ran)
        assert line in str(shell.user_ns["odd"])


@pytest.mark.process
def test_arguments_reach_a_server_by_its_own_names(
    served: Callable[..., None], shell: Shell, endpoint: Server, tmp_path: Path
) -> None:
    served([tool("find", properties={"$top": {"type": "integer"}, "q": {"type": "string"}}, required=["$top"])])
    endpoint.answers(asks(("odd__find", {"top": 3, "q": "a"})), reply("ok"))
    assert shell.run("%%claude --mcp odd\nhi").error is None
    assert json.loads((tmp_path / "calls").read_text())["arguments"] == {"$top": 3, "q": "a"}


@pytest.mark.process
@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25"])
def test_a_result_that_the_protocol_does_not_know_is_kept(
    version: str, served: Callable[..., None], shell: Shell, endpoint: Server
) -> None:
    declared = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tools = [tool("a"), {**tool("b"), "outputSchema": declared}, {**tool("c"), "outputSchema": {"type": "zz"}}]
    served(
        tools,
        version=version,
        results={
            "a": {"structuredContent": {"n": 1}},
            "b": {"content": [{"type": "text", "text": "no structure"}]},
            "c": {"content": [{"type": "strange", "x": 1}], "structuredContent": 5},
        },
    )
    endpoint.answers(asks(("odd__a", {}), ("odd__b", {}), ("odd__c", {})), reply("ok"))
    assert shell.run("%%claude --mcp odd\nhi").error is None
    a, b, c = ([block["text"] for block in r["content"]] for r in endpoint.last.json["messages"][-1]["content"])
    assert a == ['{"n": 1}']
    assert b == ["no structure", "(The result is not as the tool's outputSchema says: it has no structuredContent)"]
    assert c[:2] == ['{"type": "strange", "x": 1}', "5"]
    assert c[2].startswith("(The result is not as the tool's outputSchema says: the schema cannot be used")


def test_openais_form_is_recognized_also_in_a_list_and_pasted(shell: Shell, endpoint: Server) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    nested = {"type": "function", "function": {"name": "one", "parameters": schema}}
    flat = {"type": "function", "name": "two", "parameters": schema}
    shell.user_ns.update(several=[nested, flat])
    endpoint.answers(reply("ok"))
    pasted = json.dumps([{**flat, "name": "three"}])
    assert shell.run(f"%%claude --tools several --param tools '{pasted}'\nhi").error is None
    assert endpoint.last.json["tools"] == [{"name": each, "input_schema": schema} for each in ("one", "two", "three")]


def test_two_functions_of_one_name_are_both_offered(shell: Shell, endpoint: Server) -> None:
    shell.run(
        "from claude_magic import claude\n"
        "class Index:\n"
        "    def __init__(self, name): self.name = name\n"
        "    def find(self) -> str:\n        return self.name\n"
        "books, films = Index('books'), Index('films')"
    )
    endpoint.answers(asks(("find", {}), ("films_find", {})), reply("ok"))
    ran = shell.run("%%claude --tools books.find,films.find,books.find --yes\nhi")
    assert ran.error is None
    assert [each["name"] for each in endpoint.last.json["tools"]] == ["find", "films_find"]
    found = [result["content"][0]["text"] for result in endpoint.last.json["messages"][-1]["content"]]
    assert found == ["books", "films"]
    assert "a second tool find is offered as films_find" in shown(ran)


@pytest.mark.process
def test_half_a_character_in_a_servers_result_is_replaced_and_its_call_answered(
    served: Callable[..., None], shell: Shell, endpoint: Server
) -> None:
    served([tool("half")], results={"half": {"content": [{"type": "text", "text": "a\ud83d b"}]}})
    endpoint.answers(asks(("odd__half", {})), reply("ok"))
    assert shell.run("%%claude --mcp odd\nhi").error is None
    assert endpoint.last.json["messages"][-1]["content"][0]["content"] == [{"type": "text", "text": "a\ufffd b"}]


def test_a_definition_with_parameters_and_no_schema_is_openais_without_its_type(shell: Shell, endpoint: Server) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    shell.user_ns.update(one={"name": "one", "parameters": schema})
    endpoint.answers(reply("ok"))
    assert shell.run("%%claude --tools one\nhi").error is None
    assert endpoint.last.json["tools"] == [{"name": "one", "input_schema": schema}]
