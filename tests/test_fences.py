"""Code and tagged text, taken out of a reply."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.wire.fences import code, tag_content


@pytest.mark.parametrize(
    ("text", "language", "source"),
    [
        ("a\n```python\nx = 1\n\ny\n```\nb", "", "x = 1\n\ny"),
        ("```sh\nls\n```\n~~~py\nx\n~~~", "python", "x"),
        ("````md\n```\ninner\n```\n````", "", "```\ninner\n```"),
        ("~~~~\n~~~\n```\n~~~~~", "", "~~~\n```"),
        ("```Python title=x\nx\n```", "python", "x"),
        ("```PY\nx\n```", "Python", "x"),
        ("```{python}\nx\n```", "py", "x"),
        ("```{.js .numberLines}\nx\n```", "javascript", "x"),
        ("```rust,no_run\nx\n```", "rust", "x"),
        ("```c++\nx\n```", "c++", "x"),
        ("~~~ sh `ls`\nls\n~~~", "shell", "ls"),
        ("no `code` here\n```\nplain\n```", "", "plain"),
        ("``` not `a fence\n```\nplain\n```", "", "plain"),
        ("   ```\n   x\n     y\n   ```", "", "x\n  y"),
        ("    ```\n    indented code\n    ```\n\n```\nx\n```", "", "x"),
        ("```\na\n    ```\n```", "", "a\n    ```"),
        ("```\r\na\r\nb\r\n```\r\n", "", "a\nb"),
        ("```\na\u2028b\x0cc\n```", "", "a\u2028b\x0cc"),
        ("```\n```", "", ""),
    ],
)
def test_the_first_block_that_fits_is_taken(text: str, language: str, source: str) -> None:
    assert code(text, language) == source


@pytest.mark.parametrize(
    "text",
    [
        "1. first\n   ```python\n   if x:\n       y\n   ```",
        "- ```js\n  if x:\n      y\n  ```",
        "10) a\n    - b\n\n      ```\n      if x:\n          y\n      ```\n",
        "- - ~~~\n    if x:\n        y\n    ~~~",
        "1. first\n   ```python\nif x:\n    y\n```\nafter",
        "-\t```\n\tif x:\n\t    y\n\t```",
    ],
)
def test_a_block_in_a_list_loses_the_indent_of_its_item(text: str) -> None:
    assert code(text) == "if x:\n    y"


@pytest.mark.parametrize("text", ["```python\ncut off", "```python\ncut off\n", "```python\ncut off\n``"])
def test_a_last_block_that_was_cut_counts(text: str) -> None:
    assert code(text) == "cut off"


def test_a_missing_language_names_those_that_are_there() -> None:
    with pytest.raises(CellError, match="the reply contains no rust code block: its code blocks are sh, unnamed"):
        code("```sh\nls\n```\n```\nx\n```\n```sh\n```", "rust")
    with pytest.raises(CellError, match="the reply contains no code block: it has no code blocks"):
        code("words")


LINES = st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])), min_size=1)


@given(LINES, st.sampled_from("`~"), st.integers(0, 3), st.sampled_from(["", "- ", "7. ", "  * "]))
def test_whatever_is_fenced_comes_back(lines: list[str], mark: str, indent: int, marker: str) -> None:
    fence = mark * (3 + max(line.count(mark) for line in lines))
    before = " " * (len(marker) + indent)
    written = "\n".join([f"{marker}{' ' * indent}{fence}x", *(before + line for line in lines), before + fence])
    assert code(f"Before\n\n{written}\nafter") == "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("a <x>b</x> <x>c</x>", "b"),
        ("<x>\nb\n</x>", "b"),
        ("<x>\r\n\n b\n\r\n</x>", "\n b\n"),
        ('<x class="y">b <x>c</x> d</x>', "b <x>c</x> d"),
        ("<x>b <x/> d</x>", "b <x/> d"),
        ("</x><x>b</x>", "b"),
        ("<xy>no</xy><x></x>", ""),
        ("<x />", ""),
        ("I write <x> tags: <x>b</x>", "b"),
        ("<x\nid=1>b</x\n>", "b"),
    ],
)
def test_the_first_element_is_taken_balanced(text: str, inner: str) -> None:
    assert tag_content(text, "x") == inner


def test_a_missing_tag_names_those_that_are_there() -> None:
    with pytest.raises(CellError, match=r"the reply contains no <x>\.\.\.</x>: its tags are a, b-1\. "):
        tag_content("<a>1</a><b-1 c> 3 <4 >", "x")
    with pytest.raises(CellError, match=r"the reply contains no <x\.\*>\.\.\.</x\.\*>: it has no tags"):
        tag_content("words", "x.*")


def test_a_tag_that_was_cut_says_so() -> None:
    with pytest.raises(CellError, match="<x> in the reply is not closed"):
        tag_content("<x>cut o", "x")


HOSTILE = {
    "tags": "<x>" * 100_000,
    "fences": "```\n" * 100_001,
    "angles": "<" * 1_000_000,
    "ticks": "`" * 1_000_000,
    "ticks, then one": "```" + "a" * 1_000_000 + "`",
    "ends": "</x>" * 100_000,
    "openings": "<x " * 300_000,
    "nested": "<x>" * 100_000 + "</x>" * 100_000,
    "lists": "- " * 500_000,
    "deeper lists": "\n".join(" " * n + "- a" for n in range(1_400)),
    "spaces": " " * 1_000_000 + "x",
    "tabs": "```\n" + "\t" * 1_000_000,
    "space in a tag": "<x" + " " * 1_000_000,
    "names": "<a" * 500_000,
    "languages": "".join(f"```l{n}\n```\n" for n in range(50_000)),
}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    began = time.process_time()
    for take in (lambda: code(text, "none"), lambda: tag_content(text, "x")):
        with contextlib.suppress(CellError):
            take()
    assert time.process_time() - began < 20


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_error_is_short_whatever_the_reply(text: str) -> None:
    for take in (lambda: code(text, "none"), lambda: tag_content(text, "y")):
        with pytest.raises(CellError) as error:
            take()
        assert len(str(error.value)) < 1_500
