"""Nothing of ours writes megabytes into a notebook, whatever is asked, attached and answered; what is cut is said."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from claude_magic.errors import CellError
from claude_magic.wire import Exchange, Message, Request
from claude_magic.wire.exchange import Code, Events, TimedEvent
from claude_magic.wire.short_text import Array, Bytes, Object
from tests.notebook_shell import Shell
from tests.server import Server, reply, whole

MOST = 100_000
EXPRESSIONS = [
    *("claude.last", "claude.last.request", "claude.last.request.body", "claude.last.request.content"),
    *("claude.last.message", "claude.last.message.body", "claude.last.message.content", "claude.last.events"),
    *("list(claude.last.events)", "[claude.last] * 100", "(claude.last, claude.last)", "{1: claude.last}"),
    *("vars(claude.last)", "vars(claude)", "claude", "claude.last.code()", "claude.last.code('curl')"),
    *("claude.conversation()", "claude.conversation().turns", "claude.conversation().messages", "claude.conversations"),
    *("claude.journal", "claude.journal.last()", "claude.journal.last()[0]", "list(claude.journal.last())"),
    *("claude.journal.exchange(1)", "claude.usage", "claude.snippets", "claude.count(claude.last)"),
]


def size(ran: Any) -> int:
    return len(json.dumps([message["content"] for _, message in ran.messages], default=str))


@pytest.mark.slow
def test_no_output_of_a_cell_is_large_whatever_it_shows(shell: Shell, endpoint: Server) -> None:
    long = "A sentence of many words, said once more. " * 30_000
    endpoint.answers(reply(*[long[at : at + 400] for at in range(0, 60_000, 400)]), reply("ok"), whole("ok"))
    Image.effect_noise((900, 900), 90).save("noise.png")
    Path("long.txt").write_text(long)
    assert shell.run("from claude_magic import claude").error is None
    for options in ("-c", "-c -a noise.png", "-c -a noise.png -a long.txt"):
        assert shell.run(f"%%claude {options} --no-panel\nwhat?").error is None
    too_large = {}
    for expression in EXPRESSIONS:
        ran = shell.run(expression)
        if expression != "claude.count(claude.last)":
            assert ran.error is None, expression
        if size(ran) > (20 * MOST if "* 100" in expression else 4 * MOST):
            too_large[expression] = size(ran)
        plain = sum(len(each) for each in ran.data("text/plain"))
        if plain > MOST:
            too_large[f"{expression} as plain text"] = plain
    assert too_large == {}


def test_an_exchange_of_a_long_answer_shows_its_beginning_and_where_all_of_it_is() -> None:
    body = {"content": [{"type": "text", "text": "x" * 1_000_000}], "stop_reason": "end_turn"}
    exchange = Exchange(request=Request(method="POST", url="u", body={"model": "m"}), message=Message(body=body))
    assert len(repr(exchange)) < 700
    assert "(1,000,000 characters)" in repr(exchange)
    assert "all of it: .text, .request" in repr(exchange)
    assert len(repr([exchange] * 1_000)) < 700_000


def test_what_is_short_is_shown_whole_and_nothing_is_said() -> None:
    request = Request(method="POST", url="u", body={"model": "m", "messages": [{"role": "user", "content": "hi"}]})
    assert repr(request) == (
        "Request(method='POST', url='u', headers=Headers({}), "
        "body={'model': 'm', 'messages': [{'role': 'user', 'content': 'hi'}]})"
    )


@pytest.mark.parametrize(
    ("value", "plain"),
    [(Object({"a": [1, "x" * 999]}), {"a": [1, "x" * 999]}), (Array([{"b": 1}] * 99), [{"b": 1}] * 99)],
)
def test_json_stays_json(value: Any, plain: Any) -> None:
    assert value == plain
    assert json.dumps(value) == json.dumps(plain)
    assert pickle.loads(pickle.dumps(value)) == plain
    assert "shortened; all of it: json.dumps" in repr(value)


def test_bytes_and_events_and_programs_are_bounded() -> None:
    assert len(repr(Bytes(bytes(9_000_000)))) < 1_000
    assert Bytes(b"ab") == b"ab"
    assert len(repr(TimedEvent(1.0, "x", "y" * 1_000_000))) < 700
    assert repr(Events([(0.0, ["a"], ["b"])])).startswith("1 events")
    code = Code("x = 1\n" * 100_000)
    assert len(repr(code)) < 51_000
    assert "shortened: 600,000 characters" in repr(code)
    assert repr(Code("x = 1")) == "x = 1"


def test_an_error_of_any_length_is_a_line_that_says_what_was_cut() -> None:
    error = CellError("x" * 1_000_000)
    assert len(str(error)) < 4_200
    assert "1,000,000 characters" in str(error)
    assert len(error.args[0]) == 1_000_000


JSON = st.recursive(
    st.sampled_from([None, True, 1.5, "", "a'\n", "z" * 100_000]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(lambda item, count: [item] * count, inner, st.sampled_from([1, 30, 1_000]))
        | st.builds(lambda item, count: {str(n): item for n in range(count)}, inner, st.sampled_from([1, 30, 1_000]))
    ),
    max_leaves=5,
)


@given(st.builds(lambda value: {"a": value}, JSON))
def test_the_repr_of_any_json_is_bounded(value: dict[str, Any]) -> None:
    assert len(repr(Object(value))) < 5_000
    assert len(repr(Request(method="POST", url="u", body=value))) < 5_000


def test_a_notebook_that_logs_everything_is_not_filled_with_the_rules_of_markdown(
    shell: Shell, endpoint: Server, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answers(reply("- a **b** `c`\n\n" * 50))
    with caplog.at_level(logging.DEBUG):
        shell.run("%%claude\nhi")
    assert [each.name for each in caplog.records if each.name.startswith(("markdown_it", "MARKDOWN"))] == []
    assert "urllib3.connectionpool" in {each.name for each in caplog.records}
