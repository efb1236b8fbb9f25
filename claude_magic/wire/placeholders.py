"""Placeholders for a key or a password: `sk-ant-your-key-here`, `<your key>`, `xxxx`, `$TOKEN`.

A placeholder is not a secret: documentation, error messages and settings are full of them.
"""

from __future__ import annotations

import re

_PREFIX = re.compile(r"(?:sk|pk|rk)-(?:(?:ant|proj|or|live|test)-)?(?:api\d\d-|admin\d\d-)?|Bearer\s+", re.IGNORECASE)
_SYMBOLS = re.compile(r"\.\.\.|…|[<>{}]|%s|^\$\w+$|^%\w+%$")
_WORDS = re.compile(
    r"\b(?:your|yours|example|placeholder|changeme|change.?me|dummy|fake|sample|insert|replace|redacted|hidden|todo"
    r"|here|paste|none|null|x{3,}|my.*(?:key|token|secret|password))\b"
)


def is_placeholder(text: str) -> bool:
    """Whether `text`, found where a secret is expected, is only a placeholder."""
    bare = _PREFIX.sub("", text.strip().strip("\"'"), count=1)
    if not bare or _SYMBOLS.search(bare):
        return True
    if len(set(re.sub(r"[-_.]", "", bare.lower()))) <= 1 or bare in "01234567890":
        return True
    words = re.sub(r"[-_. ]+", " ", bare).strip()
    is_phrase = all(word.isalpha() and len(word) <= 12 for word in words.split())
    return is_phrase and (words.islower() or words.isupper()) and _WORDS.search(words.lower()) is not None
