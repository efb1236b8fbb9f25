"""Growing Markdown is cut where a reader would not see it, and nowhere else unless a block is too long."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from claude_magic.display.live.pages import LivePages
from claude_magic.display.live.slices import Open, Slice, first_slice, tail
from claude_magic.display.markdown import render
from claude_magic.display.reply.reply import Passage

SIZE = 300
BLOCKS = [
    "A paragraph of *some* words\nover two lines.",
    "## A heading",
    "- one\n- two\n  - nested\n\n  a paragraph in it\n- three",
    "1. first\n2. second\n\n   ```python\n   x = 1\n\n   y = 2\n   ```\n\n3. third",
    "```python\ndef f():\n\n    return '```'\n```",
    "~~~~\n~~~\n\n- not a list\n~~~~",
    "> quoted\n>\n> ```sh\n> ls\n>\n> cd\n> ```\n>\n> more",
    "$$\n\\int_0^1 x\\,dx\n= \\frac12\n$$",
    "\\[\na = b\n\\]",
    "| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |",
    "It costs $5 and $10, <b>not</b> more.\n<div>\nhtml\n</div>",
    "***",
    "$$ x = 1 $$ in a line",
    "Zwölf Boxkämpfer 🙂 你好",
]
CORPUS = sorted((Path(__file__).parent / "corpus").glob("**/*.md"))


def slices(text: str, size: int = SIZE, steps: int = 1) -> list[Slice]:
    """All slices of a text that grows in so many steps, the tail last."""
    found: list[Slice] = []
    start, opened = 0, None
    for step in range(1, steps + 1):
        arrived = text[: len(text) * step // steps]
        while (slice_ := first_slice(arrived, start, size, opened)) is not None:
            found.append(slice_)
            start, opened = slice_.end, slice_.opened
    return [*found, tail(text, start, opened)]


def texts() -> list[str]:
    """Texts of random blocks, none of which is as long as a slice: two lists in a row would be one."""
    chance = random.Random(1)
    between = [block for block in BLOCKS if not re.match(r"[-1]", block)]
    return ["\n\n".join(chance.choice((BLOCKS, between)[n % 2]) for n in range(40)) + "\n" for _ in range(40)]


def same(html: str) -> str:
    return re.sub(r"\s+", " ", html).strip()


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 7, 150])
def test_the_slices_together_are_the_text(steps: int) -> None:
    corpus = [path.read_text(encoding="utf-8") for path in CORPUS]
    for text in [*texts(), *corpus, "x" * 5000, "\n" * 5000, "```\n" * 500, "| a |\n|-|\n" * 300, "> " * 2000]:
        assert "".join(slice_.raw for slice_ in slices(text, steps=steps)) == text


@pytest.mark.slow
def test_slices_of_short_blocks_are_rendered_as_the_whole_text_is() -> None:
    for text in texts():
        cut = slices(text, size=SIZE)
        assert len(cut) > 2
        assert same("".join(render(slice_.source) for slice_ in cut)) == same(render(text))


def test_a_slice_ends_at_a_blank_line_unless_it_is_too_long() -> None:
    corpus = [path.read_text(encoding="utf-8") for path in CORPUS]
    for text in [*texts(), *corpus]:
        for slice_ in slices(text)[:-1]:
            clean = slice_.raw.endswith("\n\n") and slice_.opened is None and text[slice_.end] not in " \t"
            assert clean or len(slice_.raw) >= 1.5 * SIZE


def test_no_slice_is_longer_than_two_and_a_half_times_what_is_wanted() -> None:
    for text in ["x" * 5000, "x " * 5000, "- a\n  - b\n" * 500, "```\n" + "y\n" * 3000, "$$\n" + "y\n" * 3000]:
        assert max(len(slice_.raw) for slice_ in slices(text)) <= 2.5 * SIZE


def test_a_line_is_cut_at_a_space() -> None:
    assert all(slice_.raw.endswith("word ") for slice_ in slices("word " * 1000)[:-1])


def test_a_long_fence_is_closed_and_opened_again() -> None:
    first, second, *_, last = slices("```python\n" + "x = 1\n" * 300 + "```\n\nDone.\n")
    assert first.source.endswith("x = 1\n```")
    assert second.source.startswith("```python\nx = 1\n")
    assert last.source.endswith("x = 1\n```\n\nDone.\n")


def test_a_fence_in_a_list_goes_on_at_the_margin() -> None:
    cut = slices("1. So:\n\n   ```python\n" + "   if x:\n       y\n" * 100 + "   ```\n\n   And so on.\n")
    assert cut[1].source.startswith("```python\nif x:\n    y\n") or cut[1].source.startswith("```python\n    y\n")
    assert cut[1].source.endswith("```")
    assert "\n```\n\n   And so on.\n" in cut[-1].source


def test_a_fence_in_a_quote_goes_on_in_a_quote() -> None:
    cut = slices("> ```sh\n" + "> ls -l\n" * 200 + "> ```\n\nDone.\n")
    assert cut[1].source.startswith("> ```sh\n> ls -l\n")
    assert cut[1].source.endswith("> ls -l\n> ```")
    assert render(cut[1].source).count("<blockquote>") == 1


def test_a_long_table_has_its_header_again() -> None:
    cut = slices("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 200 + "\nDone.\n")
    assert all(slice_.source.startswith("| a | b |\n|---|---|\n| 1 | 2 |\n") for slice_ in cut[1:-1])
    assert all(render(slice_.source).count("<th>") == 2 for slice_ in cut[:-1])


def test_a_long_numbered_list_goes_on_counting() -> None:
    cut = slices("".join(f"{number}. item\n" for number in range(1, 200)))
    number = cut[0].raw.count("\n") + 1
    assert f'<ol start="{number}">' in render(cut[1].source)


def test_a_heading_of_a_huge_table_is_not_repeated() -> None:
    wide = "|" + " a |" * 2000 + "\n|" + "-|" * 2000 + "\n" + "| 1 |\n" * 2000
    assert sum(len(slice_.source) for slice_ in slices(wide)) < 1.2 * len(wide)


def test_the_tail_is_closed_while_it_grows() -> None:
    assert tail("```python\nx = ", 0).source == "```python\nx = \n```"
    assert tail("So $$\nx", 0).source == "So $$\nx\n$$"
    assert tail("Done.", 0).source == "Done."


def test_a_markdown_file_with_fences_in_it_is_one_block_while_it_grows() -> None:
    text = "```markdown\n# T\n\n```bash\nls\n```\n\nThen\n"
    assert tail(text, 0).opened == Open(kind="fence", opener="```markdown\n", closer="```")
    assert render(tail(text, 0).source).count("<pre>") == 1


def test_what_only_looks_open_is_not() -> None:
    for text in ["It costs $$ or so.\n\nNo.", "`$$`", "``` not ` a fence", "    ```\n    indented code\n"]:
        assert tail(text, 0).opened is None


def test_what_is_open_is_known() -> None:
    assert tail("````md\n```\n", 0).opened == Open(kind="fence", opener="````md\n", closer="````")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        *("x" * 400_000, "`" * 400_000, "- " * 200_000, "|-" * 200_000, "$$" * 200_000, "[" * 400_000),
        *("```a\n```b\n```\n" * 30_000, "```md\n```a\n" * 40_000, "- ```\na\n" * 50_000, "> ```\n" * 60_000),
        *("| a |\n|-|\n" * 40_000, "$$\n- a\n" * 50_000, "[^1]: a\n" * 50_000, "<a>\n" * 100_000),
    ],
)
def test_hostile_text_is_cut_quickly(text: str) -> None:
    began = time.process_time()
    slices(text, size=3000, steps=20)
    assert time.process_time() - began < 60


def test_a_finished_page_is_rendered_once() -> None:
    text = "\n\n".join(BLOCKS * 20)
    live, seen = LivePages(), set[str]()
    for end in range(0, len(text), 100):
        live = live.advance([Passage(kind="text", source=text[:end])], raw=False)
        assert seen <= set(live.pages)
        seen = set(live.pages)
    assert len(live.pages) == 3
