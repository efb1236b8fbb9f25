"""`--cache`: which blocks are marked for prompt caching, and what the summary says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from claude_magic.session.prompt_cache import with_marks
from tests.notebook_shell import Shell
from tests.server import JSON, Answer, Server, reply, whole

MARK = {"type": "ephemeral"}
LONG = "A long text that is asked about. "


def marks(body: dict[str, Any]) -> list[str]:
    """Where the marks of a request are."""
    found = [f"tool {tool['name']}" for tool in body.get("tools", ()) if "cache_control" in tool]
    system = body.get("system")
    found += ["system" for block in system if "cache_control" in block] if isinstance(system, list) else []
    for number, each in enumerate(body["messages"]):
        content = each["content"] if isinstance(each["content"], list) else []
        found += [f"message {number} {block['type']}" for block in content if "cache_control" in block]
    return found


def cached(text: str = "Hi", *, read: int = 0, written: int = 0, sent: int = 10, **fields: Any) -> Answer:
    """A whole answer with these counts."""
    usage = {"input_tokens": sent, "output_tokens": 5, "cache_read_input_tokens": read}
    return whole(text, usage={**usage, "cache_creation_input_tokens": written}, **fields)


def summary(ran: Any) -> str:
    return str(ran.data("text/html")[0])


def test_system_tools_and_attachments_are_marked(shell: Shell, endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(reply("Hi"))
    (tmp_path / "notes.txt").write_text(LONG * 10)
    shell.run("def add(a: int, b: int) -> int:\n    return a + b\ndef sub(a: int) -> int:\n    return a")
    shell.run(f"%%claude --cache -s 'Be brief.' --tools add,sub -a '{tmp_path / 'notes.txt'}'\nhi")
    assert marks(endpoint.last.json) == ["tool sub", "system", "message 0 document"]
    assert endpoint.last.json["diagnostics"] == {"previous_message_id": None}


def test_earlier_turns_are_marked_and_the_new_question_is_not(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one", id="msg_1"), reply("two", id="msg_2"), reply("three", id="msg_3"))
    for number in range(3):
        shell.run(f"%%claude --cache -c talk\nquestion {number}")
    bodies = [each.json for each in endpoint.received]
    assert [marks(body) for body in bodies] == [[], ["message 1 text"], ["message 3 text"]]
    assert [body["diagnostics"]["previous_message_id"] for body in bodies] == [None, "msg_1", "msg_2"]


def test_without_the_option_nothing_is_marked(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    shell.run("%%claude --cache -c talk -s x\none")
    shell.run("%%claude -c talk -s x\ntwo")
    assert marks(endpoint.last.json) == []
    assert endpoint.last.json["system"] == "x"
    assert "diagnostics" not in endpoint.last.json


def test_at_most_four_blocks_are_marked_and_marks_of_the_user_stay() -> None:
    own = [{"type": "text", "text": "x", "cache_control": {**MARK, "ttl": "1h"}}] * 3
    body = {
        "system": own,
        "tools": [{"name": "add"}],
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": [{"type": "text", "text": "two"}, {"type": "thinking", "thinking": "t"}]},
            {"role": "user", "content": [{"type": "image", "source": {}}, {"type": "text", "text": "three"}]},
        ],
    }
    marked = with_marks(body, None)
    assert marks(marked) == ["system"] * 3 + ["message 1 text"]
    assert marked["system"] == own
    del body["system"]
    assert marks(with_marks(body, None)) == ["tool add", "message 1 text", "message 2 image"]
    assert json.dumps(body).count("cache_control") == 0


def test_the_summary_tells_what_was_read_and_written_and_what_it_saved(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(cached(read=100_000, written=200), cached(written=100_000))
    ran = shell.run("%%claude --cache --no-stream -m claude-opus-5-5\nhi")
    # at 4 dollars a million tokens, 0.20 from the cache, 5 into it: 100,000 x 3.80 - 200 x 1.00
    assert "cache: 100,000 tokens read, 200 written: saved $0.3798" in summary(ran)
    ran = shell.run("%%claude --cache --no-stream -m claude-opus-5-5\nhi")
    assert "cache: 0 tokens read, 100,000 written: $0.1000 more now" in summary(ran)


def test_a_prompt_that_is_too_short_is_told(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(cached(sent=300))
    ran = shell.run("%%claude --cache --no-stream -m claude-opus-5-5\nhi")
    assert "cache: nothing kept: this prompt has 300 tokens, and claude-opus-5-5 keeps no fewer than 512" in summary(
        ran
    )


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            {"type": "system_changed", "cache_missed_input_tokens": 4000},
            "missed (4,000 tokens): the system prompt changed",
        ),
        ({"type": "previous_message_not_found"}, "missed: the API no longer knows the request before"),
        ({"type": "weather_changed"}, "missed: weather_changed"),
    ],
)
def test_a_miss_says_why(shell: Shell, endpoint: Server, reason: dict[str, Any], told: str) -> None:
    endpoint.answers(cached(sent=5_000, diagnostics={"cache_miss_reason": reason}))
    ran = shell.run("%%claude --cache --no-stream\nhi")
    assert f"cache: nothing read, nothing written · {told}" in summary(ran)


def test_a_cell_that_runs_again_is_compared_with_its_last_run(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one", id="msg_1"), reply("two", id="msg_2"))
    for system in ("a", "b"):
        shell.run(f"%%claude --cache -s {system}\nhi", cell_id="the-cell")
    assert endpoint.last.json["diagnostics"] == {"previous_message_id": "msg_1"}


def test_a_recorded_answer_is_found_whatever_it_was_compared_with(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("one", id="msg_1"))
    shell.run("%%claude --cache -s x\nhi", cell_id="the-cell")
    shell.run("%config Claude.replay = 'only'")
    ran = shell.run("%%claude --cache -s x\nhi", cell_id="the-cell")
    assert ran.error is None
    assert len(endpoint.received) == 1


def test_to_finish_a_cut_reply_sends_no_mark_again(shell: Shell, endpoint: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(LONG)
    endpoint.answers(reply("one", stop_reason="max_tokens"), reply("two"))
    shell.run(f"%%claude --cache -a '{tmp_path / 'notes.txt'}'\nhi")
    shell.run("%claude --finish")
    assert marks(endpoint.last.json) == []


def test_tokens_are_counted_without_what_the_endpoint_does_not_take(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=JSON, pieces=[b'{"input_tokens": 9}'], framing="length"))
    shell.run("%%claude --cache --count -s x\nhi")
    assert "diagnostics" not in endpoint.received[0].json


def test_map_marks_what_its_rows_share(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole("ok"))
    shell.run("from claude_magic import claude\nclaude.map(['a', 'b'], cache=True, system='Be brief.')")
    assert [marks(each.json) for each in endpoint.received] == [["system"], ["system"]]


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("--cache", {"type": "ephemeral"}),
        ("--cache 5m", {"type": "ephemeral"}),
        ("--cache 1h", {"type": "ephemeral", "ttl": "1h"}),
        ("--cache=1h", {"type": "ephemeral", "ttl": "1h"}),
    ],
)
def test_the_time_that_a_prefix_is_kept_may_be_chosen(
    shell: Shell, endpoint: Server, line: str, mark: dict[str, str]
) -> None:
    endpoint.answers(reply("Hi"))
    for cell in (f"%%claude -s 'Be brief.' {line}\nhello", f"%claude -s 'Be brief.' {line} hello"):
        assert shell.run(cell).error is None
        assert endpoint.last.json["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
        assert endpoint.last.json["messages"][0]["content"] == "hello"


def test_an_hour_is_chosen_from_python_and_another_time_is_refused(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hi"))
    assert shell.run("from claude_magic import claude\nlast = claude('hi', cache='1h', system='S')").error is None
    assert endpoint.last.json["system"][0]["cache_control"]["ttl"] == "1h"
    error = shell.run("%%claude --cache 2h\nhi").error
    assert error is not None
    assert "--cache is one of 5m, 1h: '2h'" in error[1]


def test_what_is_written_for_an_hour_has_its_own_price(shell: Shell, endpoint: Server) -> None:
    """Twice the price of input, where five minutes cost a quarter more than it."""
    usage = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 1_000_000}
    hour = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_000_000}
    model = "claude-opus-5-5"
    endpoint.answers(whole("a", model=model, usage={**usage, "cache_creation": hour}))
    endpoint.answers(*endpoint.script, whole("b", model=model, usage=usage))
    shell.run(
        "from claude_magic import claude\none, other = claude('a', cache='1h', system='S'), claude('b', cache=True)"
    )

    assert shell.value("[one.usd, other.usd]") == [8.0, 5.0]
