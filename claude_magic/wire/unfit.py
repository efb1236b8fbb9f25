"""Values and texts told shortly, in one line."""

from __future__ import annotations


def seen(value: object) -> str:
    """`value`, short."""
    try:
        return shortened(repr(value))
    except (ValueError, RecursionError):  # a number of more digits, or lists deeper, than Python writes
        return f"a very large {type(value).__name__}"


def shortened(text: str, limit: int = 80) -> str:
    """`text`, its middle left out if it is long."""
    return text if len(text) <= limit else f"{text[: limit * 2 // 3]}…{text[-limit // 3 :]}"


def one_line(text: str, limit: int = 400) -> str:
    """`text` without controls and line ends, of bounded length."""
    head = text if len(text) <= 4 * limit else text[: 2 * limit] + text[-2 * limit :]
    return shortened(" ".join("".join(c if c.isprintable() else " " for c in head).split()), limit)
