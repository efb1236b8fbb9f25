"""Steps of a reply: the call, its state and its result, in the page, in plain text and in a terminal."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from claude_magic.display.reply.conversation import messages_bundle
from claude_magic.display.reply.reply import passages, reply_bundle
from claude_magic.display.terminal.terminal import Terminal
from claude_magic.wire import Exchange, Fold
from claude_magic.wire.tool import EDIT_NOTE, EDITED, Call
from tests.browser.hostile import SNIPPETS
from tests.exchange_fields import exchange_of
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell
from tests.replaying import exchange

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
USE: dict[str, Any] = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "get_weather",
    "input": {"city": "Paris", "days": 3},
}
ALLOWED = {
    *("div", "style", "details", "summary", "span", "pre", "code", "p", "a", "sup", "ol", "ul", "li", "section"),
    *("blockquote", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "i", "br", "hr", "del", "input"),
    *("img", "h1", "h2", "h3", "h4", "h5", "h6"),
}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def call(state: str = "done", *content: Any, **fields: Any) -> Call:
    blocks = tuple(text(each) if isinstance(each, str) else each for each in content)
    known = {"id": "toolu_1", "name": "get_weather", "arguments": USE["input"], "state": state, "content": blocks}
    return Call(**{**known, **fields})


def with_calls(whole: Exchange, state: str, *content: Any, **fields: Any) -> Exchange:
    return replace(whole, calls=(call(state, *content, **fields),))


def bundle(content: list[dict[str, Any]], *calls: Call, **fields: Any) -> dict[str, str]:
    reason = fields.pop("stop_reason", "tool_use" if calls else "end_turn")
    return reply_bundle(exchange(content, stop_reason=reason, calls=calls), name="test", **fields)


def without_style(html: str) -> str:
    return re.sub("(?s)<style>.*?</style>", "", html)


def summaries(html: str) -> list[str]:
    """What folded lines say, as text."""
    found = re.findall("(?s)<summary[^>]*>(.*?)</summary>", html)
    return [re.sub("<[^>]*>", "", each).replace("&quot;", '"') for each in found]


class Seen(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def assert_harmless(html: str) -> None:
    """Nothing in it can run or fetch."""
    for tag, attributes in Seen(html).tags:
        assert tag in ALLOWED
        assert not [name for name in attributes if name.startswith("on") or name in ("srcset", "formaction")]
        assert re.match(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$", attributes.get("src") or "") or (
            "src" not in attributes
        )
        assert re.match(r"https?://|mailto:|#cm-", attributes.get("href") or "") or "href" not in attributes
        assert "url(" not in (attributes.get("style") or "")


# A call that runs here


def test_a_finished_call_is_one_closed_line_with_call_result_seconds_and_tokens() -> None:
    shown = bundle([text("Let me see."), USE], call("done", "18 °C, rain", seconds=0.31))
    html = without_style(shown["text/html"])
    assert summaries(html) == ['get_weather(city="Paris", days=3) → "18 °C, rain" · 0.3 s']
    assert "<details open" not in html
    assert '"city": "Paris"' in html
    assert shown["text/plain"] == ('Let me see.\n\n  get_weather(city="Paris", days=3) → "18 °C, rain" · 0.3 s')


@pytest.mark.parametrize(
    ("state", "content", "said"),
    [
        ("waiting", [], "waiting for you"),
        ("running", [], "running…"),
        ("done", [], "→ nothing"),
        ("done", ["42"], "→ 42"),
        ("done", ['{"sky": "grey", "wind": [1, 2]}'], '→ {"sky": "grey", "wind": …}'),
        ("failed", ["ValueError: no such city"], "failed: ValueError: no such city"),
        ("refused", ["not now"], "refused: not now"),
        ("not run", [], "not run"),
    ],
)
def test_every_state_is_told_in_words(state: str, content: list[str], said: str) -> None:
    shown = bundle([USE], call(state, *content))
    line = summaries(shown["text/html"])[0]
    assert line.removeprefix('get_weather(city="Paris", days=3) ').split(" · ")[0] == said
    assert f") {said}" in shown["text/plain"]


def test_without_a_call_the_arguments_alone_are_shown_and_what_is_waited_for() -> None:
    shown = bundle([USE], stop_reason="tool_use")
    assert summaries(shown["text/html"]) == ['get_weather(city="Paris", days=3)']
    assert "waiting for a tool (tool_use)" in shown["text/html"]
    assert "waiting for a tool" not in bundle([USE], call("waiting"))["text/html"]


def test_edited_arguments_and_the_note_are_shown() -> None:
    edited = call("done", "rain", arguments={"city": "Lyon"}, note="arguments edited by you")
    (line,) = summaries(bundle([USE], edited)["text/html"])
    assert line == 'get_weather(city="Lyon") → "rain" · arguments edited by you'


def test_json_results_are_a_tree_and_images_are_shown_from_their_bytes() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/svg+xml", "data": PIXEL}}
    html = bundle([USE], call("done", '{"sky": ["grey"]}', image))["text/html"]
    assert 'class="cm-tree"' in html
    assert f'<img src="data:image/png;base64,{PIXEL}"' in html


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(b"<svg onload=alert(1)>").decode(),
        base64.b64encode(b"RIFF1234WAVE").decode(),
        'iVBORw0KGgo" onerror="top.__hacked=1',
        "iVBORw0KGgo=\n<script>",
        "",
        "not base64 !",
        PIXEL + "A" * 2_000_000,
        None,
        7,
    ],
)
def test_what_is_no_image_or_too_large_is_not_shown_as_one(data: Any) -> None:
    html = bundle([USE], call("done", {"type": "image", "source": {"data": data, "media_type": "image/png"}}))
    assert "<img" not in html["text/html"]
    assert len(html["text/html"]) < 30_000
    assert_harmless(html["text/html"])


# Tools of the API


SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "tea"}}


def server(name: str, asked: dict[str, Any], result: Any, kind: str = "") -> list[dict[str, Any]]:
    return [
        {"type": "server_tool_use", "id": "s1", "name": name, "input": asked},
        {"type": kind or f"{name}_tool_result", "tool_use_id": "s1", "content": result},
    ]


def test_a_search_and_its_results_are_one_step_with_linked_titles() -> None:
    found = [
        {"type": "web_search_result", "title": "On <tea>", "url": "https://tea.example/a", "page_age": "May 2026"},
        {"type": "web_search_result", "title": "bad", "url": "javascript:alert(1)", "encrypted_content": "E" * 900},
    ]
    html = without_style(bundle(server("web_search", {"query": "tea"}, found))["text/html"])
    assert summaries(html) == ['web_search(query="tea") → 2 results']
    assert '<a href="https://tea.example/a"' in html
    assert ">On &lt;tea&gt;</a>" in html
    assert "May 2026" in html
    assert 'href="javascript' not in html
    assert "EEEE" not in html


@pytest.mark.parametrize(
    ("name", "asked", "result", "line", "inside"),
    [
        (
            "web_fetch",
            {"url": "https://a.example/"},
            {
                "type": "web_fetch_result",
                "url": "https://a.example/",
                "content": {
                    "type": "document",
                    "title": "A page",
                    "source": {"type": "text", "media_type": "text/plain", "data": "fetched words"},
                },
            },
            'web_fetch(url="https://a.example/") → A page',
            "fetched words",
        ),
        (
            "code_execution",
            {"code": "print(1)"},
            {
                "type": "code_execution_result",
                "stdout": "1\n",
                "stderr": "a warning",
                "return_code": 2,
                "content": [{"type": "code_execution_output", "file_id": "file_abc"}],
            },
            'code_execution(code="print(1)") → return code 2 · 1 · 1 file',
            'language-python"><span class="nb">print</span>',
        ),
        (
            "bash_code_execution",
            {"command": "ls"},
            {"type": "bash_code_execution_result", "stdout": "", "stderr": "", "return_code": 0, "content": []},
            'bash_code_execution(command="ls") → no output',
            "language-bash",
        ),
        (
            "text_editor_code_execution",
            {"command": "create", "path": "a.py", "file_text": "x = 1\n"},
            {"type": "text_editor_code_execution_create_result", "is_file_update": False},
            'text_editor_code_execution(command="create", path="a.py", file_text="x = 1") → file written',
            "language-python",
        ),
        (
            "tool_search_tool_regex",
            {"pattern": "weather"},
            {
                "type": "tool_search_tool_search_result",
                "tool_references": [{"type": "tool_reference", "tool_name": "get_weather"}],
            },
            'tool_search_tool_regex(pattern="weather") → 1 tool',
            "get_weather",
        ),
    ],
)
def test_each_kind_of_result_is_shown_in_its_own_way(
    name: str, asked: dict[str, Any], result: dict[str, Any], line: str, inside: str
) -> None:
    kind = "tool_search_tool_result" if name.startswith("tool_search") else ""
    html = without_style(bundle(server(name, asked, result, kind))["text/html"])
    assert summaries(html)[0] == line
    assert inside in html
    assert_harmless(html)


def test_an_error_of_the_api_is_told_in_words() -> None:
    result = {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
    shown = bundle(server("web_search", {"query": "tea"}, result))
    (line,) = summaries(shown["text/html"])
    assert line.endswith("failed: it reached the limit of uses of the request (max_uses_exceeded)")
    unknown = {"type": "web_fetch_tool_result_error", "error_code": "brand_new_reason"}
    assert "failed: brand new reason (brand_new_reason)" in bundle(server("web_fetch", {}, unknown))["text/plain"]


def test_a_result_of_an_unknown_kind_stays_json() -> None:
    shown = bundle(server("dream", {"of": "tea"}, {"type": "dream_result", "vividness": 11}))
    assert '"vividness": 11' in shown["text/html"]
    assert summaries(shown["text/html"]) == ['dream(of="tea") → dream_result']


def test_parallel_calls_each_get_their_own_result_and_mcp_names_its_server() -> None:
    blocks = [
        {"type": "mcp_tool_use", "id": "a", "name": "read", "server_name": "files", "input": {"path": "x"}},
        {"type": "mcp_tool_use", "id": "b", "name": "read", "server_name": "files", "input": {"path": "y"}},
        {"type": "mcp_tool_result", "tool_use_id": "b", "is_error": True, "content": [text("gone")]},
        {"type": "mcp_tool_result", "tool_use_id": "a", "is_error": False, "content": [text("here")]},
    ]
    assert summaries(bundle(blocks)["text/html"]) == [
        'files · read(path="x") → "here"',
        'files · read(path="y") failed: gone',
    ]


def test_a_result_without_its_call_is_a_step_of_its_own() -> None:
    (_, result) = server("web_search", {}, [])
    assert summaries(bundle([result])["text/html"]) == ["web_search() → 0 results"]


# What the real API sent


def recorded_exchange(folder: Path, name: str) -> Iterator[Exchange]:
    """The reply as it grows, and at last whole."""
    fold = Fold()
    for line in (folder / "streams" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("data:"):
            fold.add(json.loads(line[5:]))
            yield exchange_of(request=exchange().request, message=fold.message, status=200)


@pytest.mark.parametrize(
    ("name", "lines", "sources"),
    [
        ("pydantic_pydantic-ai__test_anthropic_code_execution_tool_stream__0", ["→ -428330955.97745"], 0),
        ("pydantic_pydantic-ai__test_pause_turn_web_search_streaming_vcr__0", ["→ 9 results", "→ 10 results"], 0),
        ("pydantic_pydantic-ai__test_pause_turn_web_search_streaming_vcr__1", ["→ 8 results"], 15),
        ("crmne_ruby_llm__chat_citations_with_anthropic_claude-haiku-4-5_streams_citations__0", [], 1),
        ("simonw_llm-anthropic__test_stream_events_tool_calls__0", ["("], 0),
    ],
)
def test_recorded_streams_are_shown_in_page_and_terminal(
    recorded: Path, capsys: pytest.CaptureFixture[str], name: str, lines: list[str], sources: int
) -> None:
    terminal = Terminal()
    for grown in recorded_exchange(recorded, f"{name}.sse"):
        terminal.show(grown)
    terminal.finish(grown)
    printed = capsys.readouterr().out
    shown = reply_bundle(grown, name="test")
    for written in (printed, shown["text/plain"]):
        assert [line for line in lines if line not in written] == []
        assert len(re.findall(r"(?m)^  \[\d+\] ", written)) == sources
    html = without_style(shown["text/html"])
    assert len(re.findall('<li id="cm-test-source-', html)) == sources
    assert_harmless(html)
    marks = {int(number) for number in re.findall(r'href="#cm-test-source-(\d+)"', html)}
    assert marks == set(range(1, sources + 1))
    assert (
        re.sub(r"\s+", " ", printed).startswith(re.sub(r"\s+", " ", shown["text/plain"])[:2000])
        or "thinking" in (printed[:20])
    )


# Safety and size


def test_hostile_text_of_a_tool_can_do_nothing() -> None:
    """In names, arguments, results, titles, addresses, errors, and data of images."""
    for hostile in SNIPPETS:
        results = [
            {"type": "web_search_result", "title": hostile, "url": hostile, "page_age": hostile},
            {"type": "web_search_result", "title": hostile, "url": f"https://e.org/{hostile}"},
        ]
        ran = {"type": "code_execution_result", "stdout": hostile, "stderr": hostile, "return_code": hostile}
        fetched = {"title": hostile, "source": {"type": "text", "data": hostile, "media_type": hostile}}
        blocks = [
            {**USE, "name": hostile, "input": {hostile: hostile, "nested": {hostile: [hostile]}}},
            *server("web_search", {"query": hostile}, results),
            *server("code_execution", {"code": hostile}, {**ran, "content": [{"file_id": hostile}]}),
            *server("web_fetch", {"url": hostile}, {"type": "web_fetch_result", "url": hostile, "content": fetched}),
            *server(hostile, {}, {"error_code": hostile, "error_message": hostile}, f"{hostile}_tool_result"),
            {"type": "mcp_tool_use", "id": hostile, "name": hostile, "server_name": hostile, "input": hostile},
        ]
        image = {"type": "image", "source": {"media_type": hostile, "data": hostile}}
        known = call(
            "failed", hostile, json.dumps({hostile: hostile}), image, {"type": hostile, hostile: 1}, note=hostile
        )
        for calls in ((), (known,)):
            shown = bundle(blocks, *calls)
            assert_harmless(without_style(shown["text/html"]))
            assert "\x1b" not in shown["text/plain"]
        message = {"role": hostile, "content": [{"type": hostile, "name": hostile, "input": {hostile: hostile}}]}
        assert_harmless(without_style(messages_bundle([message])["text/html"]))


def test_no_key_is_shown_and_nothing_steers_a_terminal() -> None:
    key = "sk-" + "ant-api03-" + "a1B2" * 20
    secret = f"{key} \x1b]52;c;eA==\x07\u202e"
    blocks = [{**USE, "name": secret, "input": {secret: secret}}, *server("web_search", {"query": secret}, [])]
    shown = bundle(blocks, call("done", secret, arguments={secret: secret}, note=secret))
    for written in shown.values():
        assert key not in written
        assert "a1B2" not in written
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", written)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        [text("word " * 2_000_000)],
        [text("x" * 10_000_000)],
        [text(json.dumps([{"number": number, "name": "n" * 50} for number in range(5_000)]))],
        [text(f"result {number}") for number in range(5_000)],
        [{"type": "brand_new", "deep": json.loads("[" * 900 + "]" * 900)}],
    ],
)
def test_a_huge_result_is_shown_in_a_bounded_size_and_time(content: list[dict[str, Any]]) -> None:
    began = time.process_time()
    shown = bundle([USE], call("done", *content))
    assert time.process_time() - began < 20
    assert len(shown["text/html"]) < 200_000
    assert len(shown["text/plain"]) < 2_000
    assert len(summaries(shown["text/html"])[0]) < 400


@pytest.mark.slow
def test_many_steps_stay_bounded_and_say_what_is_left_out() -> None:
    uses = [{**USE, "id": f"t{number}", "input": {"text": "word " * 4_000}} for number in range(5_000)]
    calls = [call("done", "result " * 3_000, id=f"t{number}", arguments={}) for number in range(5_000)]
    shown = bundle(uses, *calls)
    assert len(shown["text/html"]) < 2_000_000
    assert "4,600 more steps not shown" in shown["text/html"]
    assert "there is too much in this reply" in shown["text/html"]


def test_many_search_results_are_bounded() -> None:
    results = [{"type": "web_search_result", "title": "t" * 999, "url": f"https://e.org/{n}"} for n in range(5_000)]
    shown = bundle(server("web_search", {"query": "x"}, results))
    assert summaries(shown["text/html"]) == ['web_search(query="x") → 5,000 results']
    assert "4,950 more" in shown["text/html"]
    assert len(without_style(shown["text/html"])) < 40_000


@pytest.mark.parametrize("odd", [None, 7, [], "x", {"a": 1}, [None, 3, "x"], [[]], True])
def test_odd_shapes_are_shown_not_raised(odd: Any) -> None:
    kinds = ("web_search", "web_fetch", "code_execution", "bash_code_execution", "text_editor_code_execution")
    for kind in kinds:
        bundle(server(kind, odd, odd))
        bundle(server(kind, {"path": odd, "code": odd}, {"type": f"{kind}_result", "content": odd, "stdout": odd}))
    bundle(server("web_fetch", {}, {"type": "web_fetch_result", "content": {"source": odd, "title": odd}, "url": odd}))
    bundle([{"type": "tool_use", "id": odd, "name": odd, "input": odd}, {"type": "mcp_tool_result", "content": odd}])
    bundle([{"type": "text", "text": "x", "citations": odd}, {"type": "text", "text": "y", "citations": [odd]}])
    assert messages_bundle([{"role": odd, "content": odd}])["text/plain"]


# The page and the terminal


@pytest.fixture
def page_kernel() -> Iterator[Kernel]:
    with Shell() as kernel:
        setup = "from tests.test_steps import *; from claude_magic.display.live.page import Page; from dataclasses import replace"
        assert kernel.run(setup).error is None
        yield kernel


def displays(ran: Ran) -> list[dict[str, Any]]:
    assert ran.error is None, ran.error
    return [output["data"] for output in ran.outputs if output["type"] == "display_data"]


@pytest.mark.parametrize("owns_cell", [True, False])
@pytest.mark.parametrize("panel", [True, False])
@pytest.mark.parametrize("live", [True, False])
def test_a_finished_reply_is_drawn_again_in_its_place(
    page_kernel: Kernel, owns_cell: bool, panel: bool, live: bool
) -> None:
    ran = page_kernel.run(
        f"page = Page(owns_cell={owns_cell}, raw=False, panel={panel}); page._not_before = 0\n"
        "whole = exchange([text('Let me see.'), USE], stop_reason='tool_use')\n"
        f"if {live}: page.show(whole)\n"
        "page.finish(with_calls(whole, 'waiting'))\n"
        "display({'text/plain': 'below'}, raw=True)\n"
        "for state in ('running', 'done', 'done'): page.update(with_calls(whole, state, 'rain'))"
    )
    reply, *rest = displays(ran)
    assert summaries(reply["text/html"]) == ['get_weather(city="Paris", days=3) → "rain"']
    assert [bundle["text/plain"] for bundle in rest][-1] == "below"
    assert len(rest) == 1 + 2 * panel
    updates = [message for _, message in ran.messages if message["msg_type"] == "update_display_data"]
    assert len(updates) == 2 + live * (1 + 0 * panel)


def test_another_cell_and_another_thread_may_draw_it_again(page_kernel: Kernel) -> None:
    first = page_kernel.run(
        "page = Page(owns_cell=True, raw=False, panel=False)\n"
        "whole = exchange([USE], stop_reason='tool_use'); page.finish(with_calls(whole, 'waiting'))"
    )
    shown = next(output for output in first.outputs if output["type"] == "display_data")
    second = page_kernel.run(
        "import threading\n"
        "thread = threading.Thread(target=page.update, args=(with_calls(whole, 'done', 'rain'),)); thread.start(); thread.join()"
    )
    (update,) = [message["content"] for _, message in second.messages if message["msg_type"] == "update_display_data"]
    assert update["transient"]["display_id"] == shown["id"]
    assert "rain" in update["data"]["text/plain"]


def test_nothing_is_drawn_again_where_nothing_was_shown(page_kernel: Kernel) -> None:
    ran = page_kernel.run(
        "from claude_magic.errors import ConnectionFailed\n"
        "page = Page(owns_cell=True, raw=False, panel=False); page.update(with_calls(exchange([USE]), 'done'))\n"
        "page.finish(exchange([], status=None, error=ConnectionFailed('refused')))\n"
        "page.update(with_calls(exchange([USE]), 'done'))"
    )
    assert displays(ran) == []


def test_a_call_that_grows_is_a_line_on_the_live_page(page_kernel: Kernel) -> None:
    ran = page_kernel.run(
        "page = Page(owns_cell=True, raw=False, panel=False); page._not_before = 0\n"
        "page.show(exchange([{**USE, 'input': {'city': 'Par'}}]))"
    )
    (shown,) = displays(ran)
    assert summaries(shown["text/html"]) == ['get_weather(city="Par")']


def test_arguments_that_grow_long_are_not_sent_again_and_again(page_kernel: Kernel) -> None:
    ran = page_kernel.run(
        "import types; from claude_magic.display.live import page as page_module\n"
        "clock = [0.0]; page_module.time = types.SimpleNamespace(monotonic=lambda: clock[0])\n"
        "page = Page(owns_cell=True, raw=False, panel=True)\n"
        "for end in range(0, 400_000, 1_000):\n"
        "    clock[0] += 0.1\n"
        "    page.show(exchange([text('word ' * 300), {**USE, 'input': {'code': 'x = 1\\n' * (end // 6)}}], seconds=clock[0]))\n"
        "page.finish(exchange([USE], stop_reason='tool_use', calls=(call('running'),)))\n"
        "import time; page_module.time = time"
    )
    assert ran.error is None
    assert sum(len(str(message["content"])) for _, message in ran.messages) < 2_000_000


def test_a_terminal_prints_what_changed_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    whole = exchange([text("Let me see."), USE], stop_reason="tool_use")
    terminal.show(whole)
    terminal.finish(with_calls(whole, "waiting"))
    printed = capsys.readouterr().out
    assert printed.startswith('Let me see.\n\n  get_weather(city="Paris", days=3)\n\nclaude-opus-5-5')
    for _ in range(2):
        terminal.update(with_calls(whole, "done", "18 °C\nrain", seconds=2.0))
    assert capsys.readouterr().out == (
        '  get_weather(city="Paris", days=3) → 2 lines · 2.0 s\n      18 °C\n      rain\n'
    )


def test_a_result_that_comes_after_another_call_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [{**SEARCH, "id": name, "input": {"query": name}} for name in ("a", "b")]
    results = [{"type": "web_search_tool_result", "tool_use_id": name, "content": []} for name in ("b", "a")]
    terminal = Terminal()
    for end in range(1, 5):
        terminal.show(exchange([*asked, *results][:end]))
    terminal.finish(exchange([*asked, *results, text("Done.")], stop_reason="end_turn"))
    printed = capsys.readouterr().out
    assert printed.count("→ 0 results") == 2


def test_a_huge_result_is_a_few_lines_in_a_terminal() -> None:
    (passage,) = passages(exchange([USE]).message, [call("done", "a line\x1b[2J of words\n" * 100_000)])
    assert passage.step is not None
    lines = passage.step.lines
    assert len(lines) == 6
    assert max(map(len, lines)) < 200
    assert lines[-1].strip() == "… 99,996 more"


def test_messages_are_shown_with_roles_and_blocks() -> None:
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}]},
        {"role": "assistant", "content": [text("It <rains>.")]},
    ]
    shown = messages_bundle(messages)
    assert shown["text/plain"].splitlines() == [
        "1 · user · Weather?",
        '2 · assistant · tool_use get_weather(city="Paris", days=3)',
        "3 · user · tool_result",
        "4 · assistant · It <rains>.",
    ]
    assert shown["text/html"].count("<details") == shown["text/html"].count(" open>") == 4
    assert '"tool_use_id": "toolu_1"' in shown["text/html"]
    assert len(messages_bundle([{"role": "user", "content": "x" * 10**6}] * 3_000)["text/html"]) < 2_000_000


# One line for each call

TRACEBACK = """Traceback (most recent call last):
  File "<notebook>", line 4, in population
    return PEOPLE[city]
           ~~~~~~^^^^^^
KeyError: 'Paris'"""


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (TRACEBACK, "failed: KeyError: 'Paris'"),
        ("Traceback (most recent call last):\nValueError: no such city", "failed: ValueError: no such city"),
        (TRACEBACK.replace("KeyError: 'Paris'", "ValueError: no\nsuch city"), "failed: ValueError: no such city"),
        ("… " + TRACEBACK[50:], "failed: KeyError: 'Paris'"),
        ("no such city: Paris", "failed: no such city: Paris"),
        ("Traceback (most recent call last):", "failed: Traceback (most recent call last):"),
    ],
)
def test_a_failure_is_its_error_and_the_traceback_is_folded(report: str, said: str) -> None:
    shown = bundle([USE], call("failed", text(report), seconds=0.21))
    assert html.unescape(summaries(shown["text/html"])[0]) == f'get_weather(city="Paris", days=3) {said} · 0.2 s'
    assert shown["text/plain"] == f'  get_weather(city="Paris", days=3) {said} · 0.2 s'
    folded = html.unescape(shown["text/html"].partition("</summary>")[2])
    assert all(line.strip() in folded for line in report.splitlines())


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({"city": "Oslo", "days": 3}, ' (asked: city="Paris")'),
        ({"city": "Oslo", "days": 1}, ' (asked: city="Paris", days=3)'),
        ({"city": "Paris"}, " (asked: days=3)"),
        ({"city": "Paris", "days": 3, "hours": 2}, ""),
    ],
)
def test_edited_arguments_are_told_with_what_was_asked(arguments: dict[str, Any], asked: str) -> None:
    told = text(f"{EDIT_NOTE}{json.dumps(arguments)}.)")
    edited = call("done", told, text("717000"), seconds=0.2, note=EDITED, arguments=arguments)
    shown = bundle([USE], edited)
    written = ", ".join(f"{name}={json.dumps(each)}" for name, each in arguments.items())
    assert summaries(shown["text/html"]) == [f"get_weather({written}) → 717000 · 0.2 s · edited{asked}"]
    assert "The user changed" not in shown["text/html"]


def test_the_size_of_a_small_result_is_folded() -> None:
    shown = bundle([USE], call("done", text("rain"), seconds=0.2))
    assert "about 1 token" in shown["text/html"].partition("</summary>")[2]
    assert "token" not in shown["text/plain"]
    assert "about 250 tokens" in bundle([USE], call("done", text("rain " * 200)))["text/plain"]


def test_a_terminal_writes_each_call_when_it_is_requested_and_once_with_its_result(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal, asked = Terminal(), exchange([USE], stop_reason="tool_use")
    for state in ("waiting", "running", "running"):
        shown = replace(asked, calls=(call(state),))
        terminal.finish(shown) if state == "waiting" else terminal.update(shown)
    for _ in range(2):
        terminal.update(replace(asked, calls=(call("failed", text(TRACEBACK), seconds=0.2),)))
    lines = [line for line in capsys.readouterr().out.splitlines() if "get_weather" in line]
    assert lines == [
        '  get_weather(city="Paris", days=3)',
        "  get_weather(city=\"Paris\", days=3) failed: KeyError: 'Paris' · 0.2 s",
    ]


def test_messages_that_are_shown_elsewhere_are_not_shown_again() -> None:
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}]},
        {"role": "assistant", "content": [text("It rains.")]},
    ]
    assert messages_bundle(messages, replies_from=1)["text/plain"].splitlines() == [
        "1 · user · Weather?",
        "2 · assistant · the reply above",
        "3 · user · tool_result",
        "4 · assistant · the reply above",
    ]
    assert "It rains." not in messages_bundle(messages, replies_from=1)["text/html"]
    assert messages_bundle(messages[:3], first=2, replies_from=0)["text/plain"] == "3 · user · tool_result"
    assert messages_bundle(messages, first=3, replies_from=0) == {}
    assert messages_bundle(messages, replies_from=3)["text/plain"].count("the reply above") == 1
