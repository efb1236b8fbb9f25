"""What changed between two exchanges: every change is told, nothing else, and nothing of it runs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.display.reply.diff import diff_bundle
from claude_magic.errors import StreamError
from claude_magic.wire import Exchange, Headers, Message, Request
from tests.exchange_fields import exchange_of
from tests.test_panel import HOSTILE, Read

POEM = "Roses are red,\nviolets are blue,\nsugar is sweet,\nand so are you.\n"


def said(
    text: str = "hi", *, blocks: Any = (), stop_reason: str = "end_turn", model: str = "m", **body: Any
) -> Exchange:
    content = [*blocks, {"type": "text", "text": text}]
    asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}], **body}
    return Exchange(
        request=Request(method="POST", url="https://api.test/v1/messages", body=asked),
        message=Message(
            body={"model": model, "content": content, "stop_reason": stop_reason, "usage": {"output_tokens": 1}}
        ),
    )


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def text(before: Exchange, after: Exchange) -> str:
    return diff_bundle(before, after)["text/plain"]


def test_equal_exchanges_have_changed_in_nothing() -> None:
    assert diff_bundle(said(POEM), said(POEM)) == {
        "text/html": "<div>nothing changed</div>",
        "text/plain": "nothing changed",
    }


def test_tokens_times_and_ids_are_no_change() -> None:
    def tool(name: str) -> list[dict[str, Any]]:
        return [{"type": "tool_use", "id": name, "name": "t", "input": {}}]

    one = exchange_of(
        request=said().request, message=said(blocks=tool("a")).message, seconds=1, headers=Headers([("a", "b")])
    )
    assert text(one, said(blocks=tool("b"))) == "nothing changed"


def test_short_fields_are_told_in_one_line() -> None:
    shown = text(said(max_tokens=9, temperature=1), said(max_tokens=90, thinking={"type": "adaptive"}))
    assert shown.split("\n") == [
        "request",
        "  max_tokens: 9 → 90",
        "  temperature: 1 → none",
        '  thinking: none → {"type": "adaptive"}',
    ]


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), ("1", 1), ([], {})])
def test_values_that_only_python_holds_equal_have_changed(before: object, after: object) -> None:
    assert text(said(x=before), said(x=after)) != "nothing changed"


def test_a_long_text_is_compared_by_lines_with_some_around() -> None:
    lines = [f"line {number}" for number in range(20)]
    shown = text(said("\n".join(lines)), said("\n".join([*lines[:10], "new", *lines[10:]])))
    assert shown.split("\n") == [
        "reply",
        "  text:",
        "    … ",
        *("      line 8", "      line 9", "    + new", "      line 10", "      line 11"),
        "    … ",
    ]


def test_words_that_changed_in_a_line_are_marked() -> None:
    shown = diff_bundle(said(POEM), said(POEM.replace("violets", "poppies")))["text/html"]
    assert '<span class="cm-removed">- <del>violets</del> are blue,</span>' in shown
    assert '<span class="cm-added">+ <ins>poppies</ins> are blue,</span>' in shown


def test_lines_with_nothing_in_common_are_marked_whole() -> None:
    shown = diff_bundle(said(POEM), said(POEM.replace("sugar is sweet,", "I thank")))["text/html"]
    assert '<span class="cm-removed">- <del>sugar is sweet,</del></span>' in shown


def test_a_changed_message_is_named_by_its_number() -> None:
    before = [user("a"), {"role": "assistant", "content": "b"}, user([{"type": "text", "text": "c"}])]
    after = [user("a"), {"role": "assistant", "content": "b"}, user([{"type": "text", "text": "d"}])]
    assert text(said(messages=before), said(messages=after)) == "request\n  message 3, user: c → d"


def test_new_and_gone_messages_are_told() -> None:
    short, long = [user("a")], [user("a"), {"role": "assistant", "content": "b"}]
    assert text(said(messages=short), said(messages=long)) == "request\n  message 2, assistant, new: none → b"
    assert text(said(messages=long), said(messages=short)) == "request\n  message 2, assistant, gone: b → none"


def test_an_image_that_changed_is_told_and_not_shown() -> None:
    def image(end: str) -> list[dict[str, Any]]:
        return [user([{"type": "image", "source": {"type": "base64", "data": "A" * 5000 + end}}])]

    shown = text(said(messages=image("A")), said(messages=image("B")))
    assert shown == "request\n  message 1, user:\n    … changed in a part that is not shown"


def test_the_reply_s_model_thinking_tools_and_end_are_compared() -> None:
    thought = {"type": "thinking", "thinking": "so", "signature": "x"}
    tool = {"type": "tool_use", "id": "1", "name": "t", "input": {"city": "Prague"}}
    after = said(blocks=[thought, tool], stop_reason="tool_use", model="n").with_error(StreamError("broke off."))
    shown = text(said(), after).split("\n")
    assert shown[:3] == ["reply", "  model: m → n", "  thinking: none → so"]
    assert '  blocks: none → [{"type": "tool_use", "name": "t", "input": {"city": "Prague"}}]' in shown
    assert shown[-2:] == ["  stop reason: end_turn → tool_use", "  error: none → StreamError: broke off."]


def test_headers_are_compared_but_for_keys() -> None:
    def sent(*pairs: tuple[str, str]) -> Exchange:
        request = Request(method="POST", url="https://u:p@a.test/x/v1/messages", headers=Headers(pairs), body={})
        return Exchange(request=request)

    shown = text(
        sent(("x-api-key", "one"), ("anthropic-beta", "a")), sent(("X-API-Key", "two"), ("Anthropic-Beta", "b"))
    )
    assert shown == "request\n  header anthropic-beta: a → b"


def test_a_last_newline_is_a_change() -> None:
    assert text(said("a\n"), said("a")).split("\n") == ["reply", "  text:", "      a", "    - "]


def test_a_change_beyond_what_is_compared_is_told() -> None:
    long = "x" * 300_000
    assert "changed in a part that is not shown" in text(said(long + "a" + long), said(long + "b" + long))


def test_only_so_many_lines_are_compared_and_in_time() -> None:
    one = "\n".join(f"a {number % 7} b" for number in range(20_000))
    other = "\n".join(f"a {number % 11} c" for number in range(20_000))
    began = time.process_time()
    shown = diff_bundle(said(one), said(other))
    assert time.process_time() - began < 30
    assert "the lines after the first 1,000 are not compared" in shown["text/plain"]
    assert len(shown["text/html"]) < 500_000


def test_hostile_text_does_nothing() -> None:
    key = "sk-ant-api03-abcdefgh"
    before = said(f"{HOSTILE} a\nx", system=HOSTILE, messages=[{"role": HOSTILE, "content": HOSTILE}], **{HOSTILE: 1})
    after = said(
        f"{HOSTILE} {key}\n{HOSTILE}", system=f"{key}\n{HOSTILE} b", messages=[{"role": key, "content": [HOSTILE]}]
    )
    shown = diff_bundle(before, after)
    read = Read(shown["text/html"])
    assert read.tags <= {"style", "div", "h4", "pre", "span", "del", "ins"}
    assert {name for name, _ in read.attributes} <= {"class"}
    assert "abcdefgh" not in "".join(shown.values())
    assert shown["text/plain"].replace("\n", "").isprintable()


words = st.text(st.sampled_from("ab \n<&"), max_size=40)


@given(words, words)
def test_a_change_is_never_lost(before: str, after: str) -> None:
    """The lines that are gone or equal are the text before, those that are new or equal the text after."""
    shown = diff_bundle(said(system=before), said(system=after))["text/plain"]
    assert (shown == "nothing changed") == (before == after)
    lines = [line[4:] for line in shown.split("\n") if line.startswith("    ")]
    if not lines or any(line.startswith("…") for line in lines):
        return
    assert [line[2:] for line in lines if line[0] in "- "] == [line for line in before.split("\n") if before]
    assert [line[2:] for line in lines if line[0] in "+ "] == [line for line in after.split("\n") if after]


@given(st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.floats() | st.text(), st.lists, max_leaves=3)))
def test_any_fields_are_compared(body: dict[str, Any]) -> None:
    assert set(diff_bundle(said(), said(**{**body, "messages": 1}))) == {"text/html", "text/plain"}
