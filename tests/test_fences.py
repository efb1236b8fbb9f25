"""Code and tagged text, taken out of a reply."""

from __future__ import annotations

import contextlib
import time

import pytest

from claude_magic import CellError
from claude_magic.display.views import html_view, json_view
from claude_magic.wire.fences import code, tagged


@pytest.mark.parametrize(
    ("text", "language", "source"),
    [
        ("a\n```python\nx = 1\n\ny\n```\nb", "", "x = 1\n\ny"),
        ("```sh\nls\n```\n~~~py\nx\n~~~", "python", "x"),
        ("````md\n```\ninner\n```\n````", "", "```\ninner\n```"),
        ("1. first\n   ```python\n   if x:\n       y\n   ```", "", "if x:\n    y"),
        ("- ```js\n  x\n  ```", "javascript", "x"),
        ("```python\ncut off", "", "cut off"),
        ("```Python title=x\nx\n```", "python", "x"),
        ("no `code` here\n```\nplain\n```", "", "plain"),
    ],
)
def test_the_first_block_that_fits_is_taken(text: str, language: str, source: str) -> None:
    assert code(text, language) == source


def test_a_missing_language_names_those_that_are_there() -> None:
    with pytest.raises(CellError, match="no rust code in the reply: its blocks are sh, unnamed"):
        code("```sh\nls\n```\n```\nx\n```", "rust")


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("a <x>b</x> <x>c</x>", "b"),
        ("<x>\nb\n</x>", "b"),
        ('<x class="y">b <x>c</x> d</x>', "b <x>c</x> d"),
        ("</x><x>b</x>", "b"),
        ("<xy>no</xy><x></x>", ""),
    ],
)
def test_the_first_element_is_taken_balanced(text: str, inner: str) -> None:
    assert tagged(text, "x") == inner


def test_a_missing_tag_names_those_that_are_there() -> None:
    with pytest.raises(CellError, match=r"no <x>\.\.\.</x> in the reply: its tags are a, b"):
        tagged("<a>1</a><b>", "x")


@pytest.mark.parametrize("text", ["<x>" * 100_000, "```\n" * 100_001, "<" * 300_000, "`" * 300_000, "</x>" * 100_000])
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    began = time.process_time()
    for take in (lambda: code(text), lambda: tagged(text, "x")):
        with contextlib.suppress(CellError):
            take()
    assert time.process_time() - began < 10


def test_a_tree_shows_values_as_text_and_is_bounded() -> None:
    view = json_view({"<b>": ["<script>", 1, None, {"deep": {}}], "many": list(range(10_000))})
    assert "<script>" not in view["text/html"]
    assert "<b>" not in view["text/html"]
    assert len(view["text/html"]) < 400_000
    assert "more than is shown" in view["text/html"]


def test_a_deep_tree_does_not_end_the_stack() -> None:
    value: object = 1
    for _ in range(900):
        value = [value]
    assert "…" in json_view(value)["text/html"]


def test_a_page_stands_in_a_frame_that_may_do_nothing() -> None:
    page = html_view('"><script>alert(1)</script>')["text/html"]
    assert page.startswith('<iframe sandbox=""')
    assert "<script" not in page
    assert "default-src &#x27;none&#x27;" in page
