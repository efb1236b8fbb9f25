"""Arabic and Hebrew in a reply: each paragraph has the direction of its own words, and others cost nothing."""

from __future__ import annotations

import pytest

from claude_magic.display.reply.style import live_style, style

RULE = "unicode-bidi:plaintext"


@pytest.mark.parametrize("word", ["مرحبا", "שלום", "ﷲ"])
def test_a_reply_in_a_script_from_the_right_has_directions(word: str) -> None:
    assert RULE in style(f"<p>{word}</p>")


def test_other_replies_save_nothing_for_it_and_a_growing_one_is_ready() -> None:
    assert RULE not in style("<p>Oslo, Zürich, 東京 and Ελλάδα 😀</p>")
    assert RULE in live_style()


def test_a_very_long_word_is_broken() -> None:
    assert "overflow-wrap:break-word" in style("<p>word</p>")
