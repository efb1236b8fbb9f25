"""Tools: what Claude asks for is run when it may be, answered whatever happens, and seen."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest

from tests.conftest import KEY
from tests.notebook_kernel import Kernel, Ran
from tests.server import STREAM, Answer, Server, event, failure, reply, text_events
from tests.tool_streams import asks, tool_events

WEATHER = '''
ran = []

@claude.tool(approve=False)
def weather(city: str, days: int = 1) -> str:
    """How warm it is.

    Args:
        city: Where.
        days: How many.
    """
    ran.append((city, days))
    return f"{city}: 18 degrees"
'''


@pytest.fixture
def tools(kernel: Kernel) -> Kernel:
    """A kernel with a function that may be called without asking."""
    defined(kernel, WEATHER)
    return kernel


def defined(kernel: Kernel, code: str) -> None:
    ran = kernel.run(f"from claude_magic import claude\n{code}")
    assert ran.error is None, ran.error


def sent(server: Server, number: int = -1) -> list[Any]:
    """The messages of a request."""
    return list(server.received[number].json["messages"])


def results(server: Server, number: int = -1) -> list[Any]:
    """The results in the last message of a request, their text joined."""
    found = []
    for block in sent(server, number)[-1]["content"]:
        assert block["type"] == "tool_result"
        text = "".join(b.get("text", f"<{b['type']}>") for b in block["content"])
        found.append((block["tool_use_id"], text, block.get("is_error", False)))
    return found


def html(ran: Ran) -> str:
    return "".join(ran.data("text/html"))


def test_a_function_is_described_from_its_signature(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("No need."))
    tools.run("%%claude --tools weather\nHow warm is it?")
    assert endpoint.last.json["tools"] == [
        {
            "name": "weather",
            "description": "How warm it is.",
            "input_schema": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Where."},
                    "days": {"type": "integer", "description": "How many.", "default": 1},
                },
                "required": ["city"],
                "additionalProperties": False,
            },
        }
    ]


def test_a_call_is_run_and_its_result_goes_back(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"}), text="Let me look."), reply("It is 18 degrees in Oslo."))
    ran = tools.run("%%claude --tools weather -o said\nHow warm is it in Oslo?")
    assert ran.error is None
    assert tools.value("ran") == [["Oslo", 1]]
    assert sent(endpoint) == [
        {"role": "user", "content": "How warm is it in Oslo?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {
                    "type": "tool_use",
                    "id": "toolu_0",
                    "name": "weather",
                    "input": {"city": "Oslo"},
                    "caller": {"type": "direct"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_0",
                    "content": [{"type": "text", "text": "Oslo: 18 degrees"}],
                }
            ],
        },
    ]
    assert tools.value("said") == "It is 18 degrees in Oslo."
    assert "2 requests: 113 tokens" in html(ran)
    assert "Oslo: 18 degrees" in html(ran)


def test_parallel_calls_are_answered_in_one_message_in_their_order(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
import threading
both = threading.Barrier(2, timeout=100)

@claude.tool(approve=False, parallel=True)
def meet(name: str):
    both.wait()
    return name
""",
    )
    endpoint.answers(asks(("meet", {"name": "a"}), ("meet", {"name": "b"})), reply("done"))
    assert kernel.run("%%claude --tools meet\nhi").error is None
    assert results(endpoint) == [("toolu_0", "a", False), ("toolu_1", "b", False)]


def test_one_at_a_time_unless_the_function_allows_more(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "a"}), ("weather", {"city": "b"})), reply("done"))
    tools.run("%%claude --tools weather\nhi")
    assert [text for _, text, _ in results(endpoint)] == ["a: 18 degrees", "b: 18 degrees"]
    assert tools.value("ran") == [["a", 1], ["b", 1]]


def test_an_async_function_is_awaited(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
import asyncio

@claude.tool(approve=False)
async def later(n: int):
    await asyncio.sleep(0.01)
    return n + 1
""",
    )
    endpoint.answers(asks(("later", {"n": 1})), reply("done"))
    assert kernel.run("%%claude --tools later\nhi").error is None
    assert results(endpoint) == [("toolu_0", "2", False)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("nowhere", {"x": 1}), "There is no tool 'nowhere'. There is: weather."),
        (("weather", {"city": 3}), "city"),
        (("weather", {"days": 3}), "city"),
        (("weather", {"city": "a", "more": 1}), "more"),
        (("weather", '{"city": "Osl'), "broke off"),
    ],
)
def test_a_wrong_call_is_answered_with_what_is_wrong(
    asked: tuple[str, Any], said: str, tools: Kernel, endpoint: Server
) -> None:
    endpoint.answers(asks(asked), reply("sorry"))
    assert tools.run("%%claude --tools weather\nhi").error is None
    ((_, text, wrong),) = results(endpoint)
    assert wrong
    assert said in text
    assert tools.value("ran") == []


def test_an_exception_is_told_with_a_short_traceback(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
@claude.tool(approve=False)
def fails(x: int):
    return 1 // x
""",
    )
    endpoint.answers(asks(("fails", {"x": 0})), reply("I see."))
    ran = kernel.run("%%claude --tools fails\nhi")
    ((_, text, wrong),) = results(endpoint)
    assert ran.error is None
    assert wrong
    assert "ZeroDivisionError" in text
    assert "return 1 // x" in text
    assert 'File "<notebook>", line' in text
    assert "claude_magic" not in text
    assert len(text) < 1000


def test_a_function_that_wants_to_end_the_kernel_only_fails(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
@claude.tool(approve=False)
def leaves():
    raise SystemExit(3)
""",
    )
    endpoint.answers(asks(("leaves", {})), reply("I see."))
    assert kernel.run("%%claude --tools leaves\nhi").error is None
    assert "SystemExit" in results(endpoint)[0][1]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'plain'", "plain"),
        ("3.5", "3.5"),
        ("True", "true"),
        ("None", "null"),
        ("{'a': [1, None]}", '{"a": [1, null]}'),
        ("''", ""),
        ("'x' * 30_000", "10,000 characters left out"),
        ("__import__('pandas').DataFrame({'a': [1]})", "| 0 | 1 |"),
        ("b'abc'", "abc"),
        ("{1, 2}", "{1, 2}"),
        ("'\\ud83d\\ude00 \\udc00'", "\U0001f600 \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_a_function_returns_is_written(expression: str, text: str, kernel: Kernel, endpoint: Server) -> None:
    defined(kernel, f"@claude.tool(approve=False)\ndef f():\n    return {expression}")
    endpoint.answers(asks(("f", {})), reply("done"))
    ran = kernel.run("%%claude --tools f\nhi")
    assert ran.error is None, ran.error
    ((_, said, wrong),) = results(endpoint)
    assert not wrong
    assert text == said if len(text) < 3 else text in said
    assert len(said) < 21_000


@pytest.mark.process  # matplotlib asks the system for its fonts
def test_figures_and_images_are_sent_as_images(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
import matplotlib.pyplot as plt

@claude.tool(approve=False)
def drawn():
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    plt.close(figure)
    return ["a figure", figure]
""",
    )
    endpoint.answers(asks(("drawn", {})), reply("done"))
    assert kernel.run("%%claude --tools drawn\nhi", timeout=120).error is None
    (block,) = sent(endpoint)[-1]["content"]
    assert [b["type"] for b in block["content"]] == ["text", "image"]
    assert block["content"][1]["source"]["media_type"] == "image/png"


def test_a_key_in_a_result_is_not_sent(kernel: Kernel, endpoint: Server) -> None:
    defined(kernel, "@claude.tool(approve=False)\ndef f():\n    return 'sk-' + 'ant-api03-abcdefghijklmnop'")
    endpoint.answers(asks(("f", {})), reply("done"))
    assert kernel.run("%%claude --tools f\nhi").error is None
    assert b"api03-abcdefghijklmnop" not in endpoint.last.body


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyError(os.environ['ANTHROPIC_API_KEY'])",
        "raise claude_magic.CellError('no: ' + os.environ['ANTHROPIC_API_KEY'])",
        "return 'x' * 14_990 + os.environ['ANTHROPIC_API_KEY'] + 'y' * 20_000",
        "return {'headers': {'x-api-key': os.environ['ANTHROPIC_API_KEY']}}",
        "return Content(blocks=({'type': 'document', 'source': {'type': 'text', 'media_type': 'text/plain', "
        "'data': 'a ' + os.environ['ANTHROPIC_API_KEY']}},))",
    ],
    ids=["exception", "error", "at the cut", "json", "document"],
)
def test_the_key_is_in_no_result_and_on_no_page_however_it_came(body: str, kernel: Kernel, endpoint: Server) -> None:
    head = "import os, claude_magic\nfrom claude_magic.wire.tool import Content\n"
    defined(kernel, f"{head}@claude.tool(approve=False)\ndef f():\n    {body}")
    endpoint.answers(asks(("f", {})), reply("done"))
    ran = kernel.run("%%claude --tools f\nhi")
    assert ran.error is None, ran.error[1]
    assert len(endpoint.received) == 2
    for half in (KEY, KEY[:10]):
        assert half.encode() not in endpoint.last.body
        assert half not in str(ran.messages)


def test_a_turn_ends_at_its_most_requests_with_every_call_answered(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"})))
    tools.run("%config Claude.max_tool_steps = 3")
    ran = tools.run("%%claude -c --tools weather\nhi")
    assert ran.error is None
    assert len(endpoint.received) == 3
    assert len(tools.value("ran")) == 2
    assert "stopped after 3 requests" in html(ran)
    endpoint.answers(reply("fine"))
    tools.run("%%claude -c --tools weather\ngo on")
    assert_every_call_is_answered(sent(endpoint))


def assert_every_call_is_answered(messages: list[Any]) -> None:
    """As the API demands: the message after one with calls answers them, and roles take turns."""
    for before, after in pairwise(messages):
        assert before["role"] != after["role"]
        asked = [b["id"] for b in blocks(before) if b["type"] == "tool_use"]
        answered = [b["tool_use_id"] for b in blocks(after) if b["type"] == "tool_result"]
        assert asked == answered
    assert not [b for b in blocks(messages[-1]) if b["type"] == "tool_use"]


def blocks(message: dict[str, Any]) -> list[Any]:
    content = message["content"]
    return content if isinstance(content, list) else []


def test_stop_in_a_function_answers_every_call(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
import time
ran = []

@claude.tool(approve=False)
def slow(n: int):
    ran.append(n)
    print("has begun")
    time.sleep(200)
""",
    )
    endpoint.answers(asks(("slow", {"n": 1}), ("slow", {"n": 2})), reply("fine"))
    ran = kernel.run("%%claude -c --tools slow\nhi", stop_when="has begun")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert ran.seconds < 100
    assert kernel.value("ran") == [1]
    assert kernel.value("[c.state for c in claude.last.calls]") == ["not run", "not run"]
    kernel.run("%%claude -c --tools slow\nand now?")
    assert_every_call_is_answered(sent(endpoint))
    assert "stopped" in json.dumps(sent(endpoint))


def test_stop_while_a_call_is_only_shown_as_running_is_one_line(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"})), reply("fine"), reply("fine"))
    stopped = tools.run("%%claude -c --tools weather\nhi", stop_when="running")
    assert stopped.error is None or stopped.error[0] == "Interrupted"
    assert tools.run("%%claude -c --tools weather\nand now?").error is None
    assert_every_call_is_answered(sent(endpoint))


def test_stop_in_an_async_function_cancels_it(kernel: Kernel, endpoint: Server) -> None:
    defined(
        kernel,
        """
import asyncio
seen = []

@claude.tool(approve=False)
async def slow():
    print("has begun")
    try:
        await asyncio.sleep(200)
    finally:
        seen.append("cleared up")
""",
    )
    endpoint.answers(asks(("slow", {})), reply("fine"))
    ran = kernel.run("%%claude --tools slow\nhi", stop_when="has begun")
    assert ran.error is not None
    assert ran.seconds < 100
    assert kernel.value("seen") == ["cleared up"]


def test_a_stream_that_is_cut_within_arguments_runs_nothing(tools: Kernel, endpoint: Server) -> None:
    pieces = [event(e) for e in tool_events([("weather", {"city": "Oslo"})])][:5]
    endpoint.answers(Answer(headers=STREAM, pieces=pieces, ending="cut"))
    ran = tools.run("%%claude --tools weather\nhi")
    assert ran.error is not None
    assert tools.value("ran") == []
    assert len(endpoint.received) == 1


def test_a_message_that_ended_for_its_length_runs_nothing(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"}), stop_reason="max_tokens"))
    ran = tools.run("%%claude --tools weather\nhi")
    assert ran.error is None
    assert tools.value("ran") == []
    assert len(endpoint.received) == 1


def test_a_failure_in_the_middle_keeps_what_was_done(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"})), failure(400, "invalid_request_error", "no"))
    ran = tools.run("%%claude -c --tools weather\nhi")
    assert ran.error is not None
    assert ran.error[0] == "APIError"
    endpoint.answers(reply("fine"))
    tools.run("%%claude -c --tools weather\ngo on")
    assert [m["role"] for m in sent(endpoint)] == ["user", "assistant", "user"]
    assert_every_call_is_answered(sent(endpoint))


def test_a_conversation_remembers_calls_and_results(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"})), reply("18"), reply("fine"))
    tools.run("%%claude -c --tools weather\nhi")
    tools.run("%%claude -c --tools weather\nthanks")
    assert [m["role"] for m in sent(endpoint)] == ["user", "assistant", "user", "assistant", "user"]
    assert_every_call_is_answered(sent(endpoint))


def test_a_paused_reply_is_gone_on_with(kernel: Kernel, endpoint: Server) -> None:
    paused = Answer(headers=STREAM, pieces=[event(e) for e in text_events(["Looking"], stop_reason="pause_turn")])
    endpoint.answers(paused, reply("Found."))
    ran = kernel.run("%%claude --web-search -c\nlook")
    assert ran.error is None
    assert sent(endpoint)[-1] == {"role": "assistant", "content": [{"type": "text", "text": "Looking"}]}
    assert "Found." in html(ran)
    assert "Looking" in html(ran)
    endpoint.answers(reply("ok"))
    kernel.run("%%claude -c\nmore")
    assert [m["role"] for m in sent(endpoint)] == ["user", "assistant", "assistant", "user"]


def test_server_tools_have_short_names(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("%%claude --web-search --web-fetch --code-execution --param web_search '{\"max_uses\": 2}'\nlook")
    assert endpoint.last.json["tools"] == [
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 2},
        {"type": "web_fetch_20260318", "name": "web_fetch"},
        {"type": "code_execution_20260521", "name": "code_execution"},
    ]
    assert "web_search" not in endpoint.last.json


@pytest.mark.parametrize(
    ("choice", "body"),
    [
        ("auto", {"type": "auto"}),
        ("any", {"type": "any"}),
        ("none", {"type": "none"}),
        ("weather", {"type": "tool", "name": "weather"}),
    ],
)
def test_the_choice_of_a_tool_is_sent(choice: str, body: dict[str, str], tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    tools.run(f"%%claude --tools weather --tool-choice {choice}\nhi")
    assert endpoint.last.json["tool_choice"] == body


def test_a_forced_choice_is_forced_once(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"})), reply("18"))
    tools.run("%%claude --tools weather --tool-choice any\nhi")
    assert "tool_choice" in endpoint.received[0].json
    assert "tool_choice" not in endpoint.received[1].json


def test_a_model_that_refuses_a_forced_choice_is_told_with_the_way_out(tools: Kernel, endpoint: Server) -> None:
    said = "tool_choice: forced tool use is not supported on this model"
    endpoint.answers(failure(400, "invalid_request_error", said))
    ran = tools.run("%%claude --tools weather --tool-choice any\nhi")
    assert ran.error is not None
    assert said in ran.error[1]
    assert "--tool-choice auto" in ran.error[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--tools wether", "Did you mean weather?"),
        ("--tools weather.nothing", "'nothing'"),
        ("--tools spec --tools again", "two tools are called 'spec'"),
        ("--tools weather --tool-choice wether", "Did you mean weather?"),
        ("--tool-choice any", "no tool to choose"),
        ("--tools number", "cannot be called"),
        ("--tools weather --times 2", "--times"),
    ],
)
def test_what_cannot_be_offered_is_named_before_anything_is_sent(
    line: str, said: str, tools: Kernel, endpoint: Server
) -> None:
    tools.run("number = 3; spec = {'name': 'spec', 'input_schema': {}}; again = dict(spec)")
    ran = tools.run(f"%%claude {line}\nhi")
    assert ran.error is not None
    assert ran.error[0] == "CellError"
    assert said in ran.error[1]
    assert endpoint.received == []


def test_a_definition_without_a_function_is_sent_as_it_is_and_run_by_nobody(kernel: Kernel, endpoint: Server) -> None:
    kernel.run("spec = {'name': 'look', 'input_schema': {'type': 'object'}, 'eager_input_streaming': True}")
    endpoint.answers(asks(("look", {"a": 1})))
    ran = kernel.run("%%claude --tools spec\nhi")
    assert ran.error is None
    assert endpoint.last.json["tools"] == [
        {"name": "look", "input_schema": {"type": "object"}, "eager_input_streaming": True}
    ]
    assert len(endpoint.received) == 1


def test_the_budget_is_looked_at_before_every_step(tools: Kernel, endpoint: Server) -> None:
    cell = "%%claude -t 200 --tools weather\nhi"
    endpoint.answers(failure(404, "not_found_error", "no counting here"))
    tools.run("%config Claude.budget_usd = 0.0001")
    refused = tools.run(cell).error
    assert refused is not None
    most = float(re.findall(r"up to \$([0-9.]+)", refused[1])[0])
    tools.run(f"%config Claude.budget_usd = {most + 0.0002}")
    endpoint.received.clear()
    endpoint.answers(asks(("weather", {"city": "Oslo"})), failure(404, "not_found_error", "no counting here"))
    ran = tools.run(cell)
    assert ran.error is not None
    assert ran.error[0] == "OverBudget"
    assert [r.path for r in endpoint.received].count("/v1/messages") == 1
    assert tools.value("claude.last.calls[0].state") == "done"


def test_from_python_a_tool_is_run_if_it_needs_no_approval(tools: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("weather", {"city": "Oslo"})), reply("18"))
    ran = tools.run("print(claude('how warm?', tools=[weather]).text, len(claude.last.earlier))")
    assert ran.stdout == "18 1\n"


def test_from_python_nobody_is_asked(kernel: Kernel, endpoint: Server) -> None:
    kernel.run("from claude_magic import claude\ndef f(): return 1")
    ran = kernel.run("claude('x', tools=f)")
    assert ran.error is not None
    assert "needs your approval" in ran.error[1]
    assert endpoint.received == []
    endpoint.answers(asks(("f", {})), reply("1"))
    assert kernel.run("print(claude('x', tools=f, yes=True).text)").stdout == "1\n"


def test_preview_count_and_code_know_the_definitions(tools: Kernel, endpoint: Server) -> None:
    ran = tools.run("%%claude --tools weather --show python\nhi")
    assert '"name": "weather"' in ran.text
    assert endpoint.received == []
