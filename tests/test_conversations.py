"""Conversations: what is remembered, what is replayed, and what never poisons the next request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from claude_magic import CellError, SettingsError
from claude_magic.prompt.turns import parse_turns
from claude_magic.session.conversation import ConversationTurn, messages_of
from claude_magic.session.conversations import Conversations
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell
from tests.server import STREAM, Answer, Server, event, failure, message, reply, text_events

THINKING = {"type": "thinking", "thinking": "hm", "signature": "sig"}


def turn(cell: str, said: str, *blocks: dict[str, object], frame: str = "f") -> ConversationTurn:
    content = [*blocks, {"type": "text", "text": f"re: {said}"}]
    return ConversationTurn(
        cell=cell, frame=frame, messages=({"role": "user", "content": said}, {"role": "assistant", "content": content})
    )


def said(server: Server) -> list[str]:
    """The texts of the last request's messages."""
    contents = [m["content"] for m in server.last.json["messages"]]
    return [c if isinstance(c, str) else "".join(b["text"] for b in c) for c in contents]


def cell(kernel: Kernel, code: str, cell_id: str) -> Ran:
    """Run a cell as a front end that names its cells does."""
    return kernel.run(code, cell_id=cell_id)


def summaries(ran: Ran) -> str:
    return str(ran.data("text/html"))


def test_a_cell_stands_alone_unless_it_says_otherwise(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    kernel.run("%%claude\nfirst")
    kernel.run("%%claude\nsecond")
    assert said(endpoint) == ["second"]


def test_continue_replays_the_turns_before(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    kernel.run("%%claude -c\nfirst")
    kernel.run("%%claude --continue\nsecond")
    kernel.run("%%claude -c main\nthird")
    assert said(endpoint) == ["first", "one", "second", "two", "third"]


def test_conversations_do_not_mix(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    kernel.run("%%claude -c a\nfirst")
    kernel.run("%%claude -c b\nsecond")
    kernel.run("%claude -c=a third")
    assert said(endpoint) == ["first", "one", "third"]


def test_on_a_line_the_word_after_c_is_text(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%claude -c hello there")
    assert said(endpoint) == ["hello there"]


def test_new_begins_afresh(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    kernel.run("%%claude -c\nfirst")
    kernel.run("%%claude --new\nsecond")
    kernel.run("%%claude -c\nthird")
    assert said(endpoint) == ["second", "two", "third"]


def test_continuing_can_be_the_default(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    kernel.run("%config Claude.conversation = 'main'")
    kernel.run("%%claude\nfirst")
    kernel.run("%%claude\nsecond")
    assert said(endpoint) == ["first", "one", "second"]


def test_running_a_cell_again_replaces_its_turn_and_drops_the_later_ones(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(*(reply(str(n)) for n in range(6)))
    for number in range(3):
        cell(kernel, f"%%claude -c\nq{number}", f"cell-{number}")
    ran = cell(kernel, "%%claude -c\nq1 edited", "cell-1")
    assert said(endpoint) == ["q0", "0", "q1 edited"]
    assert "re-run: turn 2 replaced, turn 3 removed" in summaries(ran)
    cell(kernel, "%%claude -c\nq4", "cell-4")
    assert said(endpoint) == ["q0", "0", "q1 edited", "3", "q4"]


def test_where_cells_have_no_name_two_of_equal_text_are_two_turns(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    for text in ("first", "second", "second"):
        shell.run(f"%%claude -c\n{text}")
    assert said(endpoint) == ["first", "one", "second", "two", "second"]
    shell.run("from claude_magic import claude")
    assert len(shell.user_ns["claude"].conversation()) == 3


def test_questions_of_one_cell_are_turns_of_their_own(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(*(reply(str(n)) for n in range(9)))
    for _ in range(2):
        cell(kernel, "for _ in range(3):\n    %claude -c again", "loop")
    assert said(endpoint) == ["again", "3", "again", "4", "again"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (failure(400, "invalid_request_error", "no"), "as it was"),
        (reply("sorry", stop_reason="refusal"), "a refusal is not remembered"),
        (reply("", stop_reason="end_turn"), "as it was"),
        (reply(stop_reason="end_turn"), "as it was"),
        (Answer(headers=STREAM, pieces=[event(e) for e in text_events(["ab"])][:4], ending="cut"), "as it was"),
        (reply("wait", stop_reason="tool_use"), "waits for a tool"),
    ],
    ids=["failed", "refused", "empty text", "no text", "cut", "tool"],
)
def test_a_turn_that_is_not_whole_leaves_the_conversation_as_it_was(
    kernel: Kernel, endpoint: Server, answer: Answer, why: str
) -> None:
    endpoint.answers(reply("one"), answer, reply("three"))
    kernel.run("%%claude -c\nfirst")
    ran = kernel.run("%%claude -c\nbad")
    assert why in summaries(ran) or ran.error is not None
    kernel.run("%%claude -c\nthird")
    assert said(endpoint) == ["first", "one", "third"]


def test_an_interrupted_turn_is_not_remembered(kernel: Kernel, endpoint: Server) -> None:
    begun = [event(e) for e in text_events(["stopped here"])][:4]
    endpoint.answers(Answer(headers=STREAM, pieces=[*begun, 60.0]), reply("two"))
    kernel.run("%%claude -c\nfirst", stop_when="stopped here")
    kernel.run("%%claude -c\nsecond")
    assert said(endpoint) == ["second"]


def stream(*blocks: dict[str, object]) -> Answer:
    events: list[dict[str, object]] = [{"type": "message_start", "message": message()}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}})
    events.append({"type": "message_stop"})
    return Answer(headers=STREAM, pieces=[event(e) for e in events])


def test_blocks_are_replayed_as_they_came_and_empty_text_is_left_out(kernel: Kernel, endpoint: Server) -> None:
    unknown = {"type": "crystal", "facets": [1, {"a": None}]}
    blocks = [THINKING, {"type": "text", "text": ""}, unknown, {"type": "text", "text": "said"}]
    endpoint.answers(stream(*blocks), reply("two"))
    kernel.run("%%claude -c\nfirst")
    kernel.run("%%claude -c\nsecond")
    assert endpoint.last.json["messages"][1] == {
        "role": "assistant",
        "content": [THINKING, unknown, {"type": "text", "text": "said"}],
    }


@pytest.mark.parametrize(
    "options", ["-m claude-haiku-5-5", "-s other", '--param tools [{"name":"t","input_schema":{}}]']
)
def test_thinking_is_left_out_where_it_is_not_bound_to(kernel: Kernel, endpoint: Server, options: str) -> None:
    endpoint.answers(stream(THINKING, {"type": "text", "text": "said"}), reply("two"))
    kernel.run("%%claude -c\nfirst")
    kernel.run(f"%%claude -c {options}\nsecond")
    assert endpoint.last.json["messages"][1]["content"] == [{"type": "text", "text": "said"}]


def test_a_cut_reply_goes_on_and_is_shown_joined(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one tw", stop_reason="max_tokens"), reply("o three"))
    ran = kernel.run("%%claude -c\ncount")
    assert "--finish" in summaries(ran)
    ran = kernel.run("%%claude -c --finish -o text")
    assert said(endpoint)[:2] == ["count", "one tw"]
    assert kernel.value("text") == "one two three"
    assert "one two three" in summaries(ran)


def test_a_cut_reply_without_a_conversation_goes_on_too(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one tw", stop_reason="max_tokens"), reply("o th", stop_reason="max_tokens"), reply("ree"))
    cell(kernel, "%%claude\ncount", "a")
    for name in ("b", "b"):
        cell(kernel, "%%claude --finish -o text", name)
    assert said(endpoint)[:2] == ["count", "one tw"]
    assert kernel.value("text") == "one twree"


def test_nothing_to_go_on_with_is_an_error(kernel: Kernel, endpoint: Server) -> None:
    ran = kernel.run("%%claude --finish")
    assert ran.error is not None
    assert "there is no reply to go on with" in ran.error[1]


def test_turns_can_be_written_by_hand(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("done"))
    kernel.run(
        "%%claude --turns -m claude-haiku-4-5\nsystem: Be brief.\nuser: hi\n  there\nassistant: hello\nuser: a: b\nassistant: {"
    )
    assert endpoint.last.json["system"] == "Be brief."
    assert [(m["role"], m["content"]) for m in endpoint.last.json["messages"]] == [
        ("user", "hi\n  there"),
        ("assistant", "hello"),
        ("user", "a: b"),
        ("assistant", "{"),
    ]


def test_refused_prefill_shows_the_way_out(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "This model does not support assistant message prefill."))
    ran = kernel.run("%%claude --turns -m claude-next\nuser: hi\nassistant: {")
    assert ran.error is not None
    assert "end with a user turn" in ran.error[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello\nuser: hi", "text before the first marker"),
        ("no marker", "text before the first marker"),
        ("assistant: hi", "there is no user turn"),
        ("user:\nassistant: x\nuser: y", "an empty turn after user:"),
        ("system: x", "there is no user turn"),
    ],
)
def test_wrong_turns_are_one_line(text: str, why: str) -> None:
    with pytest.raises(CellError, match=why):
        parse_turns(text)


def test_markers_count_only_at_the_start_of_a_line() -> None:
    assert parse_turns("user: the user: said\n assistant: no")[1] == [
        {"role": "user", "content": "the user: said\n assistant: no"}
    ]


def test_python_sees_and_edits_conversations(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    kernel.run("from claude_magic import claude")
    kernel.run("claude('first', conversation='main'); claude('second', conversation='main')")
    kernel.run("main = claude.conversation('main'); b = main.fork('b'); main.undo()")
    assert kernel.value("[len(main), len(b), [m['role'] for m in main.messages]]") == [1, 2, ["user", "assistant"]]
    kernel.run("b.save('b.json'); c = claude.load('b.json', 'c')")
    assert kernel.value("c.messages == b.messages") is True
    assert json.loads((tmp_path / "b.json").read_text())["turns"][0]["messages"][0]["content"] == "first"
    shown = kernel.run("claude.conversations").data("text/plain")[0]
    assert [line.split()[:2] for line in shown.splitlines()] == [
        ["name", "turns"],
        ["main", "1"],
        ["b", "2"],
        ["c", "2"],
    ]
    page = kernel.run("b").data("text/html")[0]
    assert page.count("<details") == 2
    assert "first" in page


def test_a_conversation_shows_no_live_html(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("<img src=x onerror=alert(1)>"))
    kernel.run("%%claude -c\n<script>alert(1)</script>")
    page = kernel.run("from claude_magic import claude; claude.conversation()").data("text/html")[0]
    assert "<script" not in page
    assert "<img" not in page


def test_a_name_in_use_is_not_overwritten() -> None:
    conversations = Conversations()
    main = conversations.open("main")
    main.add(main.plan("a"), turn("a", "q"))
    with pytest.raises(SettingsError, match="'main' has turns already"):
        main.fork("b").fork("main")


def test_two_cells_at_once_cannot_both_be_next() -> None:
    main = Conversations().open("main")
    first, second = main.plan("a"), main.plan("b")
    main.add(first, turn("a", "q"))
    with pytest.raises(CellError, match="was changed while this reply was written"):
        main.add(second, turn("b", "r"))
    assert [t.cell for t in main.turns] == ["a"]


def test_thinking_after_a_turn_edited_in_its_file_is_left_out(tmp_path: Path) -> None:
    conversations = Conversations()
    main = conversations.open("main")
    for name in "abc":
        main.add(main.plan(name), turn(name, name, THINKING))
    path = main.save(tmp_path / "talk.json")
    path.write_text(path.read_text().replace("re: b", "edited"))
    messages = messages_of(conversations.load(path, "edited").plan("x").turns, "f")
    assert [THINKING in m["content"] for m in messages if m["role"] == "assistant"] == [True, False, False]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"form": "claude-magic conversation 1", "turns": [{}]}', "\x00"])
def test_a_file_that_is_no_conversation_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="not a conversation"):
        Conversations().load(path)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Conversations().load(tmp_path / "none.json")


def finished(kernel: Kernel, *requests: str) -> list[dict[str, object]]:
    """The outputs of requests that were sent one right after the other."""
    waiting, outputs = set(requests), []
    while waiting:
        received = kernel.client.get_iopub_msg(timeout=100)
        parent = received["parent_header"].get("msg_id")
        if received["msg_type"] in ("display_data", "update_display_data") and parent == requests[-1]:
            outputs.append(received["content"])
        if received["msg_type"] == "status" and received["content"]["execution_state"] == "idle":
            waiting.discard(parent)
    return outputs


def queued(kernel: Kernel, names: Sequence[str]) -> list[str]:
    """The requests of equal cells that are sent at once."""
    return [kernel.submit("%%claude -c\nhi", cell_id=name) for name in names]


@pytest.mark.kernel
@pytest.mark.parametrize(("names", "turns"), [(("a", "a"), 1), (("a", "b"), 2), (("", ""), 2)])
def test_equal_cells_that_are_queued_are_all_asked_and_only_a_named_one_replaces_its_turn(
    names: tuple[str, str], turns: int, kernel: Kernel, endpoint: Server
) -> None:
    pieces = [event(e) for e in text_events(["once"])]
    endpoint.answers(Answer(headers=STREAM, pieces=[*pieces[:4], 0.3, *pieces[4:]]), reply("twice"))
    assert "twice" in str(finished(kernel, *queued(kernel, names)))
    assert len(endpoint.received) == 2
    kernel.run("from claude_magic import claude")
    assert kernel.value("len(claude.conversation())") == turns
