"""Local MCP servers: real processes, one written with the official package, and some that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.errors import CellError, ServerFailed, SettingsError
from claude_magic.magics.mcp import Server as Shown
from claude_magic.magics.mcp import start_server
from claude_magic.tools.mcp import naming
from claude_magic.tools.mcp.server import LocalServer
from claude_magic.tools.results import blocks as result_blocks
from claude_magic.wire import Block
from claude_magic.wire.tool import Content
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.server import Received, Server, reply
from tests.tool_streams import asks

pytestmark = pytest.mark.process

HERE = Path(__file__).parent
SMALL = [sys.executable, str(HERE / "mcp_server.py")]
ODD = [sys.executable, str(HERE / "odd_mcp_server.py")]
KEY = "sk-ant-" + "api03-testtesttesttest"


@pytest.fixture(scope="module")
def small() -> Iterator[LocalServer]:
    """The small server, which several tests share."""
    server = LocalServer("small", SMALL)
    yield server
    server.close()


@pytest.fixture
def made() -> Iterator[Callable[..., LocalServer]]:
    """Servers of one test, ended after it."""
    servers: list[LocalServer] = []

    def make(*command: str, name: str = "odd", **how: Any) -> LocalServer:
        servers.append(LocalServer(name, command, **how))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def called(server: LocalServer, tool: str, **arguments: Any) -> Content:
    found = {each.name: each for each in server.cached_tools or server.tools}[f"{server.name}__{tool}"]
    assert found.run is not None
    content = asyncio.run(found.run(arguments))
    assert isinstance(content, Content)
    return content


def blocks(content: Content) -> tuple[Block, ...]:
    """What is sent of it."""
    return result_blocks(content, "a tool", write=str, hide=str, most=10_000)


def text(content: Content) -> str:
    return "\n".join(str(block.get("text")) for block in blocks(content))


def wait_until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


# What is offered


def test_a_tool_is_offered_as_the_api_wants_it(small: LocalServer) -> None:
    add = {tool.name: tool for tool in small.tools}["small__add"]
    assert set(add.definition) == {"name", "description", "input_schema"}
    assert add.definition["description"] == "Add two numbers."
    assert add.definition["input_schema"]["required"] == ["a", "b"]
    assert json.loads(json.dumps(add.definition)) == add.definition


def test_each_call_asks_first_unless_the_reader_said_otherwise(made: Callable[..., LocalServer]) -> None:
    assert {tool.approve for tool in made(*ODD, "pages").tools} == {True}
    assert {tool.approve for tool in made(*ODD, "pages", approve=False).tools} == {False}


def test_only_a_tool_that_changes_nothing_may_run_beside_others(small: LocalServer) -> None:
    assert [tool.name for tool in small.tools if tool.parallel] == ["small__add", "small__look"]


def test_a_name_that_the_api_refuses_is_changed_and_still_calls_its_tool(small: LocalServer) -> None:
    assert text(called(small, "to_upper", text="a")) == "A"


def test_all_pages_of_the_list_are_read(made: Callable[..., LocalServer]) -> None:
    server = made(*ODD, "pages")
    assert [tool.name for tool in server.tools][:3] == ["odd__tool_0_2", "odd__tool_0", "odd__tool_1_2"]
    assert len(server.tools) == 8
    assert text(called(server, "tool_3_2")).startswith("tool.3")


def test_a_list_without_end_is_an_error(made: Callable[..., LocalServer]) -> None:
    with pytest.raises(ServerFailed, match="lists its tools without end"):
        _ = made(*ODD, "endless").tools


def test_a_server_without_tools_offers_none(made: Callable[..., LocalServer]) -> None:
    assert made(*ODD, "none").tools == ()


def test_a_list_that_changed_is_the_new_one(made: Callable[..., LocalServer]) -> None:
    server = made(*SMALL, name="growing")
    assert "growing__more" not in [tool.name for tool in server.tools]
    assert text(called(server, "grow", name="more")) == "grown"
    assert "growing__more" in [tool.name for tool in server.tools]
    assert text(called(server, "more")) == "more"


@given(st.lists(st.text(max_size=200), max_size=12), st.sampled_from(["a", "a-b", "a_b", "x" * 40]))
def test_names_are_legal_and_no_two_are_equal(tools: list[str], server: str) -> None:
    import re

    names = naming.names(server, tools)
    assert len(set(names)) == len(tools) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", name) for name in names)


@given(st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True), unique=True, max_size=8), st.data())
def test_a_legal_name_is_kept_whatever_else_there_is(tools: list[str], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.text(min_size=1, max_size=60).filter(lambda name: "." in name), max_size=5))
    named = dict(zip([*others, *tools], naming.names("s", [*others, *tools]), strict=True))
    assert [named[tool] for tool in tools] == [f"s__{tool}" for tool in tools]


@given(*[st.from_regex(r"[A-Za-z0-9-]+(_[A-Za-z0-9-]+)*", fullmatch=True).filter(lambda n: len(n) <= 40)] * 2)
def test_tools_of_two_servers_never_have_one_name(one: str, other: str) -> None:
    tools = ["a", "_a", "__a", "b__a", "a_"]
    if one != other:
        assert not set(naming.names(one, tools)) & set(naming.names(other, tools))


@pytest.mark.parametrize("name", ["", "a__b", "_a", "a_", "a b", "ä", "a/b", "x" * 41, "a\n"])
def test_a_name_that_cannot_stand_before_a_tool_is_refused(name: str) -> None:
    with pytest.raises(CellError, match="cannot name a server"):
        LocalServer(name, SMALL)


@pytest.mark.parametrize("command", ["", [], "'", ["a\0b"], "  "])
def test_a_command_that_is_none_is_refused(command: Any) -> None:
    with pytest.raises(CellError, match="command"):
        LocalServer("a", command)


@pytest.mark.parametrize("env", [{"A": 1}, {"": "a"}, {"A=B": "a"}, {"A": "a\0"}])
def test_a_variable_that_no_process_can_have_is_refused(env: Mapping[str, Any]) -> None:
    with pytest.raises(CellError, match="variable"):
        LocalServer("a", "python", env=env)


# What a call gives


def test_text_a_number_and_an_object_come_back_as_text(small: LocalServer) -> None:
    assert called(small, "add", a=1, b=2).blocks == ({"type": "text", "text": "3"},)
    assert json.loads(text(called(small, "weather", city="Zürich \U0001f3d4"))) == {
        "city": "Zürich \U0001f3d4",
        "degrees": 21,
    }


def test_a_picture_is_an_image_block(small: LocalServer) -> None:
    (block,) = blocks(called(small, "picture"))
    assert (block["type"], block["source"]["media_type"]) == ("image", "image/png")


def test_files_and_links_are_passed_on_and_what_the_api_does_not_take_is_named(small: LocalServer) -> None:
    found = blocks(called(small, "attached"))
    assert [block["type"] for block in found] == ["text"] * 4 + ["document"] + ["text"] * 3
    said = [block["text"] for block in found if block["type"] == "text"]
    assert said[:4] == ["see below", "[file:///notes.txt]", "a note", "[file:///a.pdf]"]
    assert said[4] == "[link to more: https://example.com/more: further reading]"
    assert said[5] == "[audio/wav, 3 bytes: not sent. the API takes images, PDFs and text.]"
    assert said[6] == "<svg/>"


def test_structured_content_that_no_text_holds_is_added(made: Callable[..., LocalServer]) -> None:
    assert text(called(made(*ODD, "pages"), "tool_0")) == 'tool_0\n{"n": "no number"}'


def test_a_tool_that_fails_says_why_in_its_own_words(small: LocalServer) -> None:
    failed = called(small, "fail", reason="no way <b>through</b>\nat all")
    assert failed.failed
    assert text(failed).endswith("no way <b>through</b>\nat all")


def test_wrong_arguments_are_an_error_that_names_them(small: LocalServer) -> None:
    failed = called(small, "add", a="x", b=1)
    assert failed.failed
    assert "valid integer" in text(failed)


def test_a_result_that_breaks_its_own_schema_is_kept_with_a_word_on_that(made: Callable[..., LocalServer]) -> None:
    given = called(made(*ODD, "wrong"), "tool_0_2")
    assert not given.failed
    assert text(given).split("\n") == [
        "tool.0",
        '{"n": "no number"}',
        "(The result is not as the tool's outputSchema says: 'no number' is not of type 'integer')",
    ]


def test_a_list_that_is_none_is_an_error(made: Callable[..., LocalServer]) -> None:
    with pytest.raises(ServerFailed, match="what the protocol does not know"):
        _ = made(*ODD, "broken").tools


def test_several_calls_run_at_once(made: Callable[..., LocalServer], tmp_path: Path) -> None:
    server, notes = made(*SMALL, name="small"), [tmp_path / f"{n}" for n in range(8)]
    _ = server.tools
    ended: list[str] = []

    def call(note: Path) -> None:
        try:
            called(server, "wait", seconds=300, note=str(note))
        except ServerFailed as error:
            ended.append(str(error))

    threads = [threading.Thread(target=call, args=(note,)) for note in notes]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(note.exists() for note in notes), "all have begun, and none has ended")
    assert ended == []
    server.close()
    for thread in threads:
        thread.join(100)
    assert ["ended before it answered" in error for error in ended] == [True] * 8


# What can go wrong


def test_noise_on_both_outputs_is_no_harm_and_nothing_is_printed(
    small: LocalServer, capfd: pytest.CaptureFixture[str]
) -> None:
    assert text(called(small, "flood", megabytes=20)) == "flooded"
    assert text(called(small, "add", a=2, b=2)) == "4"
    assert capfd.readouterr() == ("", "")


def test_a_server_that_dies_in_a_call_is_named_with_its_last_words(made: Callable[..., LocalServer]) -> None:
    server = made(*SMALL, name="small", env={"SETTING": "hush-hush-hush"})
    with pytest.raises(ServerFailed) as caught:
        called(server, "die", words="out of \x1b[31mluck, hush-hush-hush")
    line = str(caught.value)
    assert line.startswith("the MCP server small ended before it answered: ")
    assert "luck, ***" in line
    assert line.endswith("It is started again when it is next used.")
    assert "\x1b" not in line
    assert "\n" not in line
    assert not server.running


def test_a_server_that_died_is_started_again_by_its_next_use(made: Callable[..., LocalServer]) -> None:
    server = made(*SMALL, name="small")
    first = int(text(called(server, "pid")))
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not server.running, "its end is noticed")
    assert int(text(called(server, "pid"))) != first


def test_a_server_that_ends_at_once_is_an_error_with_its_words(made: Callable[..., LocalServer]) -> None:
    with pytest.raises(ServerFailed) as caught:
        _ = made(*ODD, "crash", env={"SETTING": "hush-hush-hush"}).tools
    line = str(caught.value)
    assert line.startswith("the MCP server odd did not start: ")
    assert "the settings are missing: ***" in line
    assert "\x1b" not in line


def test_a_command_that_does_not_exist_is_named(made: Callable[..., LocalServer]) -> None:
    with pytest.raises(ServerFailed, match=r"did not start: 'no-such-program: No such file or directory'"):
        _ = made("no-such-program").tools


def test_a_folder_that_does_not_exist_is_an_error(made: Callable[..., LocalServer]) -> None:
    with pytest.raises(ServerFailed, match="did not start: No such file or directory"):
        _ = made(*ODD, "pages", cwd="no-such-folder").tools


@pytest.mark.parametrize("kind", ["silent", "half"])
def test_a_server_that_never_answers_is_ended(kind: str, made: Callable[..., LocalServer]) -> None:
    server = made(*ODD, kind, start_timeout=1.0)
    with pytest.raises(ServerFailed, match=r"does not answer|did not start"):
        _ = server.tools
    assert not server.running


def test_a_call_that_takes_too_long_is_cancelled(made: Callable[..., LocalServer], tmp_path: Path) -> None:
    server, note = made(*SMALL, name="small"), tmp_path / "note"
    _ = server.tools
    server.timeout = 5.0
    with pytest.raises(ServerFailed, match="did not answer within 5 s"):
        called(server, "wait", seconds=300, note=str(note))
    wait_until(lambda: note.exists() and note.read_text() == "cancelled", "the server is told")
    assert server.running


def test_ending_it_twice_or_unstarted_is_no_error(made: Callable[..., LocalServer]) -> None:
    server = made(*ODD, "pages")
    server.close()
    _ = server.tools
    server.close()
    server.close()
    assert not server.running
    assert len(server.tools) == 8


def test_a_server_that_nobody_holds_is_ended(made: Callable[..., LocalServer]) -> None:
    server = LocalServer("small", SMALL)
    pid = int(text(called(server, "pid")))
    del server
    import gc

    gc.collect()
    wait_until(lambda: not is_running(pid), "the process ends")


def test_the_same_name_again_ends_the_earlier_server() -> None:
    first = start_server("small", SMALL)
    pid = int(text(called(first, "pid")))
    second = start_server("small", SMALL)
    wait_until(lambda: not is_running(pid), "the process ends")
    assert second.running
    second.close()


def test_a_fork_has_a_server_of_its_own_and_leaves_its_parents_alone() -> None:
    code = f"""
        import asyncio, os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from claude_magic.tools.mcp.server import LocalServer
        server = LocalServer("small", {SMALL!r})
        def pid():
            return asyncio.run({{t.name: t for t in server.tools}}["small__pid"].run({{}})).blocks[0]["text"]
        mine = pid()
        child = os.fork()
        if child == 0:
            other = pid()
            server.close()
            os._exit(0 if other != mine else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert pid() == mine
        print("well")
    """
    assert run(code) == "well\n"


def run(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# The environment


def test_a_server_has_the_variables_it_was_given_and_no_key(
    monkeypatch: pytest.MonkeyPatch, made: Callable[..., LocalServer]
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", KEY)
    monkeypatch.setenv("MCP_TOKEN", "another-secret")
    seen = json.loads(text(called(made(*SMALL, name="small", env={"MODE": "wörk"}), "environment")))
    assert set(seen) <= {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "MODE", "LC_CTYPE"}
    assert seen["MODE"] == "wörk"


def test_a_missing_package_is_one_line_that_says_what_to_install() -> None:
    code = """
        import importlib.util
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if name == "mcp" else found(name, *more)
        from claude_magic.tools.mcp.server import LocalServer
        try:
            LocalServer("a", "python").tools
        except Exception as error:
            print(type(error).__name__, error)
    """
    assert run(code) == "SettingsError the package mcp is missing. pip install 'claude-magic[mcp]'.\n"
    assert issubclass(SettingsError, Exception)


def test_the_package_is_imported_only_when_a_server_starts() -> None:
    code = """
        import sys
        from claude_magic.magics.mcp import Server
        Server("a", "python")
        print([name for name in ("mcp", "anyio", "pydantic") if name in sys.modules])
    """
    assert run(code) == "[]\n"


# What is seen


def test_it_is_shown_as_a_table_of_its_tools(small: LocalServer) -> None:
    with_table = Shown("small", SMALL)
    assert "not running" in repr(with_table)
    with_table.start()
    shown = with_table._repr_mimebundle_()
    with_table.close()
    assert "small__add" in shown["text/plain"]
    assert "Add two numbers." in shown["text/html"]
    assert "a, b" in shown["text/plain"]


HOSTILE = """
import mcp.server.mcpserver
server = mcp.server.mcpserver.MCPServer("hostile")
@server.tool(description="<script>alert(1)</script>\\x1b]0;owned\\x07\\u202e $x$")
def hostile(a: int = 1) -> str:
    return ""
server.run()
"""


def test_what_a_server_says_of_itself_reaches_no_page_and_no_terminal_unescaped(tmp_path: Path) -> None:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    server = Shown("h", [sys.executable, "hostile.py"], cwd=str(tmp_path))
    server.start()
    shown = server._repr_mimebundle_()
    server.close()
    assert "<script" not in shown["text/html"]
    assert "h__hostile" in shown["text/html"]
    assert not {"\x1b", "\x07", "\u202e"} & set(shown["text/plain"] + shown["text/html"])


def test_neither_the_command_nor_its_variables_are_shown() -> None:
    server = Shown("a", ["python", "--token=hush-hush"], env={"TOKEN": "hush-hush"})
    assert "hush" not in str(server._repr_mimebundle_()) + repr(server) + str(server)


# In a kernel


@pytest.fixture
def shell(endpoint: Server) -> Iterator[Kernel]:
    """A kernel that has started the small server, and knows the process of it."""
    with Kernel() as made:  # its process is stopped and ended
        assert made.run("%load_ext claude_magic\nfrom claude_magic import claude").error is None
        ran = made.run(f"small = claude.mcp('small', {SMALL!r}, approve=False)\nsmall")
        assert ran.error is None
        assert "small__add" in ran.data("text/html")[-1]
        pid = "next(tool for tool in small.tools if tool.name == 'small__pid').run({})"
        made.pid = int(made.run(f"print((await {pid}).blocks[0]['text'])").stdout)  # type: ignore[attr-defined]
        yield made


def result(received: Received) -> dict[str, Any]:
    """The first result in the last message of a request."""
    block = received.json["messages"][-1]["content"][0]
    assert block["type"] == "tool_result"
    return dict(block)


def test_claude_calls_a_server_and_reads_what_it_gave(shell: Kernel, endpoint: Server) -> None:
    for line in ("%%claude --mcp small\nhi", "%%claude --tools small\nhi", "_ = claude('hi', tools=small)"):
        endpoint.received.clear()
        endpoint.answers(asks(("small__add", {"a": 20, "b": 3}), ("small__picture", {})), reply("done"))
        assert shell.run(line).error is None, line
        assert shell.run("print(claude.last.text)").stdout == "done\n"
        offered = {tool["name"]: tool for tool in endpoint.received[0].json["tools"]}
        assert offered["small__add"]["input_schema"]["properties"]["a"]["type"] == "integer"
        first, second = endpoint.received[1].json["messages"][-1]["content"]
        assert first["content"] == [{"type": "text", "text": "23"}]
        assert second["content"][0]["type"] == "image"


def test_a_tool_that_fails_and_a_server_that_dies_are_told_and_the_turn_goes_on(
    shell: Kernel, endpoint: Server
) -> None:
    endpoint.answers(
        asks(("small__fail", {"reason": "no way"})), asks(("small__die", {"words": "aargh"})), reply("a pity")
    )
    ran = shell.run("print(claude('hi', tools=small).text)")
    assert (ran.error, ran.stdout) == (None, "a pity\n")
    failed, died = (result(received) for received in endpoint.received[1:])
    assert failed["is_error"] is True
    assert failed["content"][0]["text"].endswith("no way")
    assert died["is_error"] is True
    assert "the MCP server small ended before it answered" in died["content"][0]["text"]
    assert "aargh" in died["content"][0]["text"]


@pytest.mark.parametrize("tools", [["wait"], ["wait", "look"]])
def test_stop_ends_the_wait_at_once_and_the_server_is_told(
    tools: list[str], shell: Kernel, endpoint: Server, tmp_path: Path
) -> None:
    notes = [tmp_path / name for name in tools]
    given = [(f"small__{tool}", {"seconds": 300, "note": str(note)}) for tool, note in zip(tools, notes, strict=True)]
    if len(tools) > 1:  # two that may run at the same time
        given = [("small__look", arguments) for _, arguments in given]
    endpoint.answers(asks(*given), reply("never"))

    def interrupt() -> None:
        wait_until(lambda: all(note.exists() for note in notes), "the calls have begun")
        os.kill(shell.manager.provisioner.pid, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    ran = shell.run("claude('hi', tools=small)")
    interrupting.join()
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    for note in notes:
        wait_until(lambda note=note: note.read_text() == "cancelled", "the server is told")
    endpoint.answers(asks(("small__add", {"a": 1, "b": 1})), reply("two"))
    assert shell.run("print(claude('hi', tools=small).text)").stdout == "two\n"


def test_a_start_that_is_stopped_is_one_line_and_leaves_no_process(shell: Kernel, tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    def interrupt() -> None:
        wait_until(lambda: note.exists() and bool(note.read_text()), "the server has begun")
        os.kill(shell.manager.provisioner.pid, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    ran = shell.run(f"claude.mcp('silent', [{sys.executable!r}, '-c', {script!r}])")
    interrupting.join()
    assert ran.error is not None
    assert ran.error[2] == ["Interrupted: stopped while the MCP server silent was asked for its tools."]
    wait_until(lambda: not is_running(int(note.read_text())), "the process ends")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("smal", "there is no such variable. Did you mean small?"),
        ("nothing", "there is no such variable."),
        ("claude", "a ClaudeHandle is no MCP server"),
        ("http://example.com", "must be at https://"),
    ],
)
def test_what_is_no_server_is_refused_and_nothing_is_sent(line: str, why: str, endpoint: Server) -> None:
    with Shell() as kernel:
        kernel.run("%load_ext claude_magic\nfrom claude_magic import claude")
        kernel.user_ns["small"] = Shown("small", SMALL)
        ran = kernel.run(f"%%claude --mcp {line}\nhi")
    assert ran.error is not None
    assert why in ran.error[1]
    assert endpoint.received == []


def test_a_remote_server_is_passed_to_the_api_beside_what_else_is_offered(endpoint: Server) -> None:
    endpoint.answers(reply("fine"))
    with Shell(MCP_TOKEN="hush-hush-hush") as kernel:
        kernel.run("%load_ext claude_magic")
        ran = kernel.run("%%claude --mcp https://mcp.linear.app/mcp --web-search --header anthropic-beta a\nhi")
    assert ran.error is None
    sent = endpoint.last.json
    assert sent["mcp_servers"] == [
        {
            "type": "url",
            "url": "https://mcp.linear.app/mcp",
            "name": "linear_app",
            "authorization_token": "hush-hush-hush",
        }
    ]
    assert {"type": "mcp_toolset", "mcp_server_name": "linear_app"} in sent["tools"]
    assert len(sent["tools"]) == 2
    assert endpoint.last.headers["anthropic-beta"] == "a,mcp-client-2025-11-20"
    assert "hush" not in json.dumps(ran.outputs)


def test_a_server_ends_with_its_kernel(shell: Kernel) -> None:
    shell.manager.shutdown_kernel()
    wait_until(lambda: not is_running(shell.pid), "the server ends")  # type: ignore[attr-defined]


def test_a_server_ends_when_its_kernel_is_killed(shell: Kernel) -> None:
    shell.manager.shutdown_kernel(now=True)
    wait_until(lambda: not is_running(shell.pid), "the server ends")  # type: ignore[attr-defined]


@pytest.mark.skipif(os.name != "posix", reason="POSIX: Windows ends it by its job")
@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), 9)", "server.close()", "pass"])
def test_a_server_that_obeys_nothing_is_ended_too(ending: str, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"""
        import asyncio, os
        from claude_magic.tools.mcp.server import LocalServer
        server = LocalServer("small", [*{SMALL!r}, "--stubborn"])
        tools = {{tool.name: tool.run for tool in server.tools}}
        open({str(note)!r}, "w").write(asyncio.run(tools["small__pid"]({{}})).blocks[0]["text"])
        {ending}
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=100)
    wait_until(lambda: not is_running(int(note.read_text())), "the server ends")
