"""Where the tokens of a request are: over real sockets, and against a tokenizer of which everything is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.api.client import Client
from claude_magic.api.endpoints.count_tokens import count
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.token_breakdown import Portion, breakdown, total
from claude_magic.api.transports.http import HTTPTransport, pool
from claude_magic.display.tables.token_counts import token_counts
from claude_magic.errors import APIError, ExchangeError
from claude_magic.wire import Request
from tests.panel_exchange import request
from tests.server import JSON, Answer, Server, failure
from tests.test_panel import HOSTILE, Read

IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.org/" + "x" * 100}}
TEXT = {"type": "text", "text": "look at this"}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def size(value: object) -> int:
    return len(json.dumps(value))


def refused() -> APIError:
    return APIError("refused", status=400)


class API:
    """Counts a character of JSON as a token, 10 around each message and 1000 around tools; refuses what the API does.

    Attributes:
        prefill: Whether a request may end with a reply to go on with.
    """

    def __init__(self, *, prefill: bool = True) -> None:
        self.prefill = prefill
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> int:
        body = dict(request.body or {})
        self.asked.append(body)
        messages = body["messages"]
        if not messages or messages[0]["role"] != "user" or any(not message["content"] for message in messages):
            raise refused()
        if "tool_choice" in body and not body.get("tools"):
            raise refused()
        if messages[-1]["role"] == "assistant" and not self.prefill:
            raise refused()
        for message, following in zip(messages, [*messages[1:], user("")], strict=True):
            if '"type": "tool_use"' in json.dumps(message) and "tool_result" not in json.dumps(following):
                raise refused()
        tools = 1000 + size(body["tools"]) if body.get("tools") else 0
        rest = sum(size(body[name]) for name in ("system", "thinking", "output_config", "tool_choice") if name in body)
        return tools + rest + sum(10 + size(message["content"]) for message in messages)


def told(found: list[Portion]) -> dict[str, int]:
    return {portion.name: portion.tokens for portion in found}


def found(api: API, **body: Any) -> list[Portion]:
    return breakdown(request(**body), api)


def test_each_portion_is_what_it_adds() -> None:
    tools = [{"name": "get_weather", "input_schema": {}}, {"name": "get_time", "input_schema": {"type": "object"}}]
    messages = [user("What is the weather in Prague?"), assistant("Sunny."), user("And tomorrow?")]
    thinking = {"type": "adaptive"}
    got = found(
        API(), system="Be brief.", tools=tools, tool_choice={"type": "auto"}, thinking=thinking, messages=messages
    )
    assert told(got) == {
        "thinking": size(thinking),
        "system prompt": size("Be brief."),
        "tool get_weather": 1000 + size(tools[:1]),
        "tool get_time": size(tools) - size(tools[:1]) + size({"type": "auto"}),
        "message 1, user: What is the weather in Prague?": 10 + size("What is the weather in Prague?"),
        "message 2, assistant: Sunny.": 10 + size("Sunny."),
        "message 3, user: And tomorrow?": 10 + size("And tomorrow?"),
    }
    assert [portion.kind for portion in got] == ["settings", "system", "tools", "tools", *["messages"] * 3]


def test_a_plain_question_takes_one_count() -> None:
    api = API()
    assert told(found(api, messages=[user("hi")])) == {"message 1, user: hi": 14}
    assert len(api.asked) == 1


def test_attachments_are_counted_within_their_message() -> None:
    got = found(API(), messages=[user([IMAGE, IMAGE, TEXT]), assistant("ok"), user([{"type": "document"}, TEXT])])
    first, pictures, _, last, document = got
    assert (pictures.name, pictures.within, pictures.tokens) == ("2 images", first.name, 2 * size(IMAGE) + 4)
    assert (document.name, document.within, document.tokens) == (
        "1 document",
        last.name,
        size({"type": "document"}) + 2,
    )
    assert total(got) == sum(portion.tokens for portion in (first, got[2], last))


def test_attachments_in_the_result_of_a_tool_are_counted() -> None:
    called = assistant([{"type": "tool_use", "id": "1", "name": "see", "input": {}}])
    result = user([{"type": "tool_result", "tool_use_id": "1", "content": [IMAGE, TEXT]}])
    got = found(API(), messages=[user("look"), called, result])
    assert [(portion.name, portion.within) for portion in got] == [
        ("message 1, user: look", ""),
        ("message 2, assistant + message 3, user", ""),
        ("1 image", "message 2, assistant + message 3, user"),
    ]


def test_a_message_of_nothing_but_attachments_is_counted() -> None:
    got = found(API(), messages=[user([IMAGE])])
    assert [(portion.name, portion.within != "") for portion in got] == [("message 1, user", False), ("1 image", True)]


def test_a_reply_that_may_not_come_last_is_counted_with_the_next_message() -> None:
    api = API(prefill=False)
    got = found(api, messages=[user("a"), assistant("b"), user("c"), assistant("d"), user("e")])
    assert [portion.name for portion in got] == [
        "message 1, user: a",
        "message 2, assistant: b + message 3, user: c",
        "message 4, assistant: d + message 5, user: e",
    ]
    assert sum(asked["messages"][-1]["role"] == "assistant" for asked in api.asked) == 1
    assert total(got) == api(request(messages=[user("a"), assistant("b"), user("c"), assistant("d"), user("e")]))


def test_older_messages_are_taken_together() -> None:
    api = API()
    messages = [user(str(number)) if number % 2 == 0 else assistant(str(number)) for number in range(201)]
    got = found(api, system="s", messages=messages)
    assert [portion.name for portion in got][:4] == [
        "system prompt",
        "message 1, user: 0",
        "messages 2 to 184",
        "message 185, user: 184",
    ]
    assert len(api.asked) == 20
    assert total(got) == api(request(system="s", messages=messages))


def test_many_tools_are_taken_together() -> None:
    got = found(API(), tools=[{"name": f"t{number}"} for number in range(9)])
    assert [portion.name for portion in got if portion.kind == "tools"] == ["9 tools"]


def test_a_request_that_is_refused_is_refused_at_once() -> None:
    api = API()
    with pytest.raises(APIError):
        found(api, messages=[assistant("hi")])
    assert len(api.asked) == 1


def test_an_error_that_says_nothing_of_the_request_is_not_hidden() -> None:
    calls: list[Request] = []

    def count(request: Request) -> int:
        calls.append(request)
        if len(calls) == 2:
            raise APIError("rate limited", status=429)
        return 10

    with pytest.raises(APIError, match="rate limited"):
        breakdown(request(system="s"), count)


def test_no_request_is_changed() -> None:
    asked = request(system="s", messages=[user([IMAGE, TEXT]), assistant("a"), user([IMAGE])])
    before = json.dumps(asked.body)
    breakdown(asked, API())
    assert json.dumps(asked.body) == before


contents = st.text(min_size=1, max_size=5) | st.lists(st.sampled_from([IMAGE, TEXT]), min_size=1, max_size=3)
bodies = st.fixed_dictionaries(
    {"messages": st.lists(contents, min_size=1, max_size=60)},
    optional={
        "system": st.text(max_size=5),
        "tools": st.lists(st.just({"name": "t"}), max_size=12),
        "thinking": st.just({"type": "adaptive"}),
        "output_config": st.just({"effort": "low"}),
    },
)


@given(bodies, st.booleans(), st.booleans())
def test_portions_add_up_to_the_total_in_at_most_twenty_counts(
    body: dict[str, Any], prefill: bool, chosen: bool
) -> None:
    body["messages"] = [user(c) if at % 2 == 0 else assistant(c) for at, c in enumerate(body["messages"])][
        : len(body["messages"]) - (len(body["messages"]) + 1) % 2
    ]
    if chosen and body.get("tools"):
        body["tool_choice"] = {"type": "tool", "name": "t"}
    api = API(prefill=prefill)
    got = found(api, **body)
    assert len(api.asked) <= 20
    assert total(got) == api(request(**body))


odd = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "name"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["messages", "system", "tools", "tool_choice", "thinking"]), odd))
def test_odd_bodies_have_portions_too(body: dict[str, Any]) -> None:
    asked = Request(method="POST", url="", body=body)
    assert total(breakdown(asked, lambda request: size(request.body))) == size(body)


# Over the wire


def over(server: Server) -> Callable[[Request], int]:
    made = pool()
    made.close()  # its connections are opened anew
    direct = HTTPTransport(pool=made, credential=None, connect_timeout=100, timeout=100, interrupt=Interrupt())
    client = Client(transport=direct, credential=None)
    return lambda request: count(client, request)


def answer(tokens: int) -> Answer:
    return Answer(headers=JSON, pieces=[json.dumps({"input_tokens": tokens}).encode()], framing="length")


def asked(server: Server, **body: Any) -> Request:
    made = request(**body)
    return Request(method="POST", url=f"{server.url}/v1/messages", headers=made.headers, body=made.body)


def test_what_the_recorded_counts_say_is_told(server: Server) -> None:
    """12 and 20 are what the API counted for this question, without and with this system prompt (ellmer, 2026-08)."""
    server.answers(answer(20), answer(12))
    question = asked(server, system="Answer succinctly", messages=[user("What's the current date?")])
    assert told(breakdown(question, over(server))) == {
        "system prompt": 8,
        "message 1, user: What's the current date?": 12,
    }
    assert [each.path for each in server.received] == ["/v1/messages/count_tokens"] * 2
    assert [sorted(each.json) for each in server.received] == [["messages", "model", "system"], ["messages", "model"]]


def test_what_the_api_refuses_to_count_apart_is_counted_with_the_next(server: Server) -> None:
    server.strict = False  # here the script says what is refused
    server.answers(answer(50), failure(400, "invalid_request_error", "no"), answer(30), answer(35))
    question = asked(server, system="s", messages=[user("a"), assistant("b"), user("c")])
    assert [portion.tokens for portion in breakdown(question, over(server))] == [30, 5, 15]
    assert server.last.json["messages"] == [user("a"), assistant("b")]


def test_an_endpoint_that_does_not_count_says_so(server: Server) -> None:
    server.answers(failure(404, "not_found_error", "Not Found"))
    with pytest.raises(ExchangeError, match="HTTP 404"):
        breakdown(asked(server), over(server))


# The table


def portion(name: str, tokens: int, within: str = "") -> Portion:
    return Portion(kind="messages", name=name, tokens=tokens, within=within)


def test_the_table_has_a_bar_for_each_portion() -> None:
    shown = token_counts(
        [portion("system prompt", 250), portion("message 1", 750), portion("1 image", 500, "message 1")]
    )
    assert shown["text/plain"].split("\n") == [
        "portion           tokens  share",
        "system prompt        250    25%  ██████",
        "message 1            750    75%  ██████████████████",
        "  in it: 1 image     500    50%  ████████████",
        "total              1,000   100%  ████████████████████████",
    ]
    assert 'style="width:25.0%"' in shown["text/html"]


def test_a_negative_portion_has_an_empty_bar() -> None:
    shown = token_counts([portion("a", 110), portion("b", -10)])
    assert shown["text/plain"].split("\n")[2] == "b           -10     0%"


def test_no_portions_are_a_total_of_nothing() -> None:
    assert token_counts([])["text/plain"] == "portion  tokens  share\ntotal         0     0%"


def test_hostile_names_do_nothing() -> None:
    shown = token_counts([portion(HOSTILE, 1), portion("sk-ant-api03-abcdefgh", 10**30, within=HOSTILE)])
    read = Read(shown["text/html"])
    assert read.tags <= {"style", "table", "thead", "tbody", "tr", "th", "td", "span"}
    assert {name for name, _ in read.attributes} <= {"class", "scope", "style"}
    assert shown["text/plain"].replace("\n", "").isprintable()
    assert "abcdefgh" not in "".join(shown.values())
