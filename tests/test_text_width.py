"""Columns of text are below each other in a terminal, whatever script their words are written in."""

from __future__ import annotations

from claude_magic.cost.usage import Usage
from claude_magic.display.tables.table import table
from claude_magic.session.conversations import Conversations
from claude_magic.wire.text_width import align, cells, fit

NAMES = ("Oslo", "東京の人口", "한국", "Zu\u0308rich", "😀")


def ends(lines: list[str]) -> set[int]:
    return {cells(line) for line in lines}


def test_a_column_is_as_wide_as_its_widest_text_on_the_screen() -> None:
    assert align([("a", "1"), ("東京", "23")], (False, True)) == ["a      1", "東京  23"]
    assert len(ends(align([(name, "1") for name in NAMES], (False, True)))) == 1


def test_a_text_is_cut_to_the_cells_that_there_are() -> None:
    assert [fit("東京の人口", width) for width in (0, 3, 4, 10, 11)] == ["", "東", "東京", "東京の人口", "東京の人口"]
    assert [fit("Zu\u0308rich", width) for width in (2, 6)] == ["Zu\u0308", "Zu\u0308rich"]
    assert fit("a" * 100_000, 3) == "aaa"


def test_tables_conversations_and_usage_are_aligned() -> None:
    used, conversations = Usage(), Conversations()
    for name in NAMES:
        used.add({}, 0.25, conversation=name)
        conversations.open(name)
    shown = table("", ("name", "size"), [[name, "10"] for name in NAMES], kinds={"size": "number"})["text/plain"]
    assert len(ends(shown.split("\n"))) == 1
    assert len(ends(repr(conversations).split("\n"))) == 1
    assert len(ends([line.rpartition("  ")[0] for line in repr(used).split("\n")])) == 1
