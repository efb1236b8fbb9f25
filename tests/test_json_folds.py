"""JSON that folds: its text stays the JSON, and its elements are closed whatever is cut."""

from __future__ import annotations

import re
from html import unescape

import pytest

from claude_magic.display.panel.tabs import live_tabs, tabs
from claude_magic.display.text.excerpt import pretty
from claude_magic.display.text.json_folds import folds
from tests.panel_exchange import exchange, request

TAGS = re.compile(r"<[^>]+>")
TOOL = {"name": "population", "input_schema": {"properties": {f"city_{n}": {"type": "string"} for n in range(12)}}}
BODY = {"model": "m", "messages": [{"role": "user", "content": "a <b> & c, " * 12}], "tools": [TOOL], "stop": []}


@pytest.mark.parametrize("limit", [20_000, 400, 200, 90])
def test_the_text_of_the_element_is_the_json(limit: int) -> None:
    text = pretty(BODY, limit)
    html = folds(text)

    assert unescape(TAGS.sub("", html)) == text
    assert html.count("<details") == html.count("</details>") == html.count("<summary>") > 0


def test_only_what_takes_several_lines_folds_and_a_large_part_is_folded_at_first() -> None:
    html = folds(pretty(BODY))

    assert re.findall(r'<details( open)?><summary>\s*("\w+"|\{)', html) == [
        (" open", '"messages"'),
        (" open", "{"),
        (" open", '"tools"'),
        (" open", "{"),
        ("", '"input_schema"'),
        ("", '"properties"'),
    ]
    assert folds('{"a": 1}') == '{"a": 1}'


def test_hostile_strings_are_only_text() -> None:
    html = folds(pretty({"a": ["</pre><img src=x onerror=alert(1)>{", "[" * 90, "]" * 90], "}": "{"}))

    assert set(re.findall(r"</?(\w+)", html)) == {"details", "summary"}


def test_the_deepest_value_is_shown() -> None:
    deep: list[object] = ["the end " * 20]
    for _ in range(39):
        deep = [deep]

    assert "the end" in folds(pretty(deep))


def test_request_and_response_of_the_panel_fold_live_and_saved() -> None:
    content = [{"type": "text", "text": "word " * 30}, {"type": "text", "text": "more"}]
    sent = exchange(request=request(messages=[{"role": "user", "content": content}]))
    saved = tabs(sent)

    assert '<details open><summary>  "messages": [\n</summary>' in saved["Request"]
    assert '<details open><summary>  "messages": [\n</summary>' in live_tabs(sent, saved)["Request"]
