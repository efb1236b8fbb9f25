"""Model text as plain text, safe for a terminal: no controls, no bidi overrides, nothing invisible.

Joiners (U+200C, U+200D) and variation selectors stay: emoji and many scripts are written with them.
Source: https://www.unicode.org/reports/tr36/ and https://trojansource.codes
"""

from __future__ import annotations

import re

_LINE_END = re.compile("\r\n?|[\u2028\u2029]")
_UNSAFE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]+"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """The text without characters that are unsafe in a terminal; every line end becomes a newline."""
    text = join_surrogates(text)
    return _UNSAFE.sub("", _LINE_END.sub("\n", text))


def reveal_hidden(text: str) -> str:
    r"""JSON with invisible characters written as `\uXXXX`: it means the same, and all of it is visible."""
    return _UNSAFE.sub(lambda match: "".join(map(_escape, match[0])), join_surrogates(text))


def _escape(letter: str) -> str:
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def join_surrogates(text: str) -> str:
    """The text with surrogate pairs joined, and U+FFFD for a lone surrogate, so that it can be encoded."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
