"""Growing Markdown: what is open is closed, so that no half marker is seen."""

from __future__ import annotations

import re

import pytest

from claude_magic.display.live.pages import LivePages
from claude_magic.display.live.unfinished import completed
from claude_magic.display.reply.reply import passages
from tests.replaying import exchange

TEXT = """# A **heading** of two

Some *words*, **bold *and italic* ones**, `code ** here`, ~~gone~~ and [a **link**](https://example.org/a_b).

- **one** item
- another **one**
  1. and **nested**

| a | **b** |
|---|---|
| `x` | **y** |

> **quoted**: text

**重要：** 列表可以**修改**，元组不可以。これは**重要**です。😀**🎉**

2 * 3 * 4 and **2** is snake_case, `a`**b**

***

The **end**.
"""


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("This is **bo", "This is **bo**"),
        ("This is **bold*", "This is **bold**"),
        ("a **b *c", "a **b *c***"),
        ("word **", "word"),
        ("**", ""),
        ("`co ** x", "`co ** x`"),
        ("~~st", "~~st~~"),
        ("2**10 and 5*3", "2**10 and 5*3"),
        ("**重点：中", "**重点：中**"),
        ("foo [te](http://e", "foo te"),
        ("intro:\n-", "intro:"),
        ("| a | b", "| a | b\n|---|---|"),
        ("| a | b |\n|--", "| a | b |\n|---|---|"),
        ("- | a | b", "- | a | b\n  |---|---|"),
        ("| a | b |\n|---|---|\n| x | **y", "| a | b |\n|---|---|\n| x | **y**"),
        ("```py\n**x", "```py\n**x"),
        ("**a\n\nb", "**a\n\nb"),
        ("It is **whole**.", "It is **whole**."),
    ],
)
def test_what_is_open_is_closed(source: str, seen: str) -> None:
    assert completed(source) == seen


def test_no_marker_is_seen_at_any_length() -> None:
    for end in range(len(TEXT)):
        html = _shown(TEXT[:end])
        words = re.sub(r"<code.*?</code>|<[^>]*>", "", html, flags=re.DOTALL)
        assert not re.search(r"\*\*|~~|\]\(|\|--", words), (TEXT[:end][-60:], words[-60:])


def _shown(text: str) -> str:
    arrived = passages(exchange(text).message)
    return LivePages().tail_html(arrived, raw=False)
