"""Model text for a terminal."""

from __future__ import annotations

import pytest

from claude_magic.display.text.plain import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]52;c;eA==\x07", "]52;c;eA=="),
        ("\x9b31m\x85\x7f\0", "31m"),
        ("a\u202eb\u2066c\u200fd\u061ce", "abcde"),
        ("a\u200bb\ufeffc\u00add\u2060e", "abcde"),
        ("\U000e0041\U000e007f", ""),
        ("👨\u200d👩\u200d👧 1\ufe0f\u20e3", "👨\u200d👩\u200d👧 1\ufe0f\u20e3"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("", ""),
    ],
)
def test_only_what_can_be_seen_is_left(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_what_is_plain_stays_as_it_is() -> None:
    text = "Grüße, 世界, مرحبا 🎉\n\tx = 'y' # $5"
    assert plain(text) == text


def test_the_result_can_be_encoded() -> None:
    plain("".join(map(chr, range(0x11000)))).encode()
