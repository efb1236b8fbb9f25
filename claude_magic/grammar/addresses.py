"""Bare URLs and mail addresses in a text.

Source: https://github.github.com/gfm/#autolinks-extension-
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_START = re.compile(r"https?://|www\.", re.I)
_NON_SPACE = re.compile(r"[^\s<]{1,4000}")
_DOMAIN = re.compile(r"[^\W_][\w-]*(?:\.[\w-]+)*")
_TAIL = re.compile(r"(?:[?!.,:*_~'\"]|&[A-Za-z0-9]{1,31};|;)$")
_QUOTES = frozenset("“”„«»")
_MAILBOX = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_")
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")
_PAIRS = {")": "(", "]": "["}


def bare_address(text: str, at: int) -> str:
    """The URL that begins at `at`, without the punctuation of the sentence around it; `""` for none."""
    start = _START.match(text, at)
    if not start:
        return ""
    www, before = start[0][0] in "wW", text[at - 1 : at] if at else ""
    if before.isascii() and (before.isalnum() or (www and before and not before.isspace() and before not in "*_~([")):
        return ""
    after_scheme = at if www else start.end()
    match = _NON_SPACE.match(text, after_scheme)
    rest = _until_full_width(match[0]) if match else ""
    if not _is_domain(rest, needs_dot=www):
        return ""
    return text[at:after_scheme] + _trim(rest)


def _until_full_width(url: str) -> str:
    """`url` up to full-width punctuation, or a quotation mark, which URLs do not have."""
    if url.isascii():
        return url
    return url[: next((at for at, letter in enumerate(url) if letter in _QUOTES or _is_wide(letter)), len(url))]


def _is_wide(letter: str) -> bool:
    """Whether this is full-width punctuation."""
    return (
        not letter.isascii() and unicodedata.category(letter)[0] == "P" and unicodedata.east_asian_width(letter) in "WF"
    )


def _is_domain(text: str, *, needs_dot: bool) -> bool:
    """Whether `text` begins with a domain name."""
    domain = _DOMAIN.match(text)
    segments = domain[0].split(".") if domain else []
    return bool(segments) and not any("_" in segment for segment in segments[-2:]) and len(segments) > needs_dot


def _trim(url: str) -> str:
    """`url` without unmatched closing brackets and the punctuation of a sentence at its end."""
    surplus = {closing: url.count(closing) - url.count(opening) for closing, opening in _PAIRS.items()}
    while url:
        if surplus.get(url[-1], 0) > 0:
            surplus[url[-1]] -= 1
            url = url[:-1]
            continue
        tail = _TAIL.search(url, max(0, len(url) - 40))
        if tail:
            url = url[: tail.start()]
        elif not url[-1].isascii() and unicodedata.category(url[-1])[0] == "P":
            url = url[:-1]
        else:
            break
    return url


def mail_addresses(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each mail address in `text`."""
    end, at = 0, text.find("@")
    while at > 0:
        start = at
        while start > end and text[start - 1] in _MAILBOX:
            start -= 1
        host = _HOST.match(text, at + 1) if start < at else None
        if host and host[0][-1] not in "-_":
            end = host.end()
            yield start, end
        else:
            end = at + 1
        at = text.find("@", end)
