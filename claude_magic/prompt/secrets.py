"""Recognizes secrets in values that a prompt would send: by name, by shape, or by both.

A name alone decides only where it can mean nothing else, as `password` does. `key`, `token` and `secret` are ordinary
words: there the value must also look random. A placeholder, such as `sk-ant-your-key-here`, is not a secret.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

from ..wire.placeholders import is_placeholder

_STRONG = {"password", "passwords", "passwd", "pwd", "passphrase", "credential", "credentials", "apikey", "apikeys"}
_WEAK = {"key", "keys", "token", "tokens", "secret", "secrets", "private"}
_QUALIFIED = {"api", "access", "auth", "bearer", "refresh", "ssh", "signing", "encryption", "secret", "private"}
_MEASURES = {"count", "counts", "length", "len", "size", "limit", "total", "usage", "policy", "type", "index"}
_ORDINARY_KEYS = {"public", "primary", "foreign", "sort", "partition", "cache", "group", "join", "shard", "dict", "row"}
_NO_SECRET = (bool, int, float, type(None), FunctionType, type, ModuleType)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

_NAMED = r"[\w-]{0,60}?(?:passw(?:or)?d|passphrase|secret|api_?key|key|token)[\w-]{0,30}"
_PAIR = re.compile(rf"""(?i)(?<![\w-])({_NAMED})["']?\s{{0,9}}[:=]\s{{0,9}}["']([^"'\n]{{4,500}})["']""")
_BARE_PAIR = re.compile(
    r"(?i)\b(password|passwd|pwd)=(?!(?:None|True|False|str|password|passwd|pwd)\b|(?:self|args|os)\.|\w+[(\[])"
    r"""([^\s&;,()"'\[\]]{3,})"""
)
_IN_URL = re.compile(r"://[^\s/:@]{0,200}:([^\s/@]{1,500})@")
_RULE = re.compile(r"\|(?: --- \|)+")
_BAR = re.compile(r"(?<!\\)\|")
_PRIVATE_KEY = "a private key"
_SHAPES = {
    kind: re.compile(shape)
    for kind, shape in {
        "a key of an AI provider": r"(?<![\w-])sk-(?:ant-[\w-]{8,}|(?=[\w-]*\d)[\w-]{20,})|\bhf_[A-Za-z0-9]{30,}",
        "a key of Google": r"\bAIza[\w-]{30,}",
        "a token of a code host": r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,})",
        "a token of a package index": r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-AgE[\w-]{20,})",
        "a cloud or payment key": r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}\b|[sr]k_live_\w{10,})",
        "a Slack token": r"\bxox[abeoprs]-[\w-]{10,}",
        _PRIVATE_KEY: r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY",
        "a signed web token": r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]*",
    }.items()
}


def named_secret(name: str, value: Any) -> bool:
    """Whether `value` under this name is a secret, judged also by its type and text."""
    if isinstance(value, _NO_SECRET):
        return _is_strong(name) and isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, str | bytes):
        return _is_strong(name)
    text = value if isinstance(value, str) else value.decode("latin-1")
    if is_placeholder(text):
        return False
    if _is_strong(name):
        return True
    return _is_weak(name) and (_is_random(text) or ("secret" in name.lower() and _is_like_a_password(text)))


def shaped_secret(text: str) -> str:
    """The kind of secret that `text` seems to hold, in words; `""` if none."""
    for kind, shape in _SHAPES.items():
        if any(kind == _PRIVATE_KEY or not is_placeholder(match[0]) for match in shape.finditer(text)):
            return kind
    if any(not is_placeholder(match[1]) and match[1].lower() not in _STRONG for match in _IN_URL.finditer(text)):
        return "a URL with a password"
    pairs = [match.groups() for pattern in (_PAIR, _BARE_PAIR) for match in pattern.finditer(text)]
    if any(named_secret(name, value) for name, value in pairs) or _in_a_table(text):
        return "a password"
    return ""


def _in_a_table(text: str) -> bool:
    """Whether a column of a Markdown table in `text` holds secrets, judged by its name and values."""
    header, columns = [""], list[int]()
    before = ""
    for line in text.splitlines() if "| --- |" in text else ():
        if "|" not in line:
            columns = []
        elif _RULE.fullmatch(line.strip()):
            header = [name.strip() for name in _BAR.split(before)]
            columns = [column for column, name in enumerate(header) if _is_strong(name) or _is_weak(name)]
        elif columns:
            cells = [cell.strip() for cell in _BAR.split(line)]
            if any(n < len(cells) and _is_secret_cell(header[n], cells[n]) for n in columns):
                return True
        before = line
    return False


def _is_secret_cell(name: str, cell: str) -> bool:
    return cell not in ("", "None", "nan", "NaN", "<NA>", "True", "False", "null") and named_secret(name, cell)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def _is_strong(name: str) -> bool:
    """Whether a name can only mean a secret: `db_password` and `apiKey2` do, `token` does not."""
    words = _words(name)
    if not words or words[-1] in _MEASURES:
        return False
    if _STRONG.intersection(words):
        return True
    return any(left in _QUALIFIED and right.removesuffix("s") in ("key", "token") for left, right in pairwise(words))


def _is_weak(name: str) -> bool:
    words = _words(name)
    if not words or words[-1] in _MEASURES or _ORDINARY_KEYS.intersection(words):
        return False
    return bool(_WEAK.intersection(words))


def _is_like_a_password(text: str) -> bool:
    """Whether `text` is one word of letters and digits."""
    one_word = len(text) >= 6 and not any(map(str.isspace, text)) and not set("/:") & set(text)
    return one_word and any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _is_random(text: str) -> bool:
    """Whether `text` is one long word of letters and digits with high entropy."""
    text = text.strip()
    if len(text) < 16 or any(map(str.isspace, text)) or _UUID.fullmatch(text):
        return False
    run = max(re.split(r"[-_./:=+]", text), key=len)
    mixed = any(map(str.isdigit, run)) and any(map(str.isalpha, run))
    return mixed and len(run) >= 16 and _entropy(run) >= 3.0


def _entropy(text: str) -> float:
    """Shannon entropy, in bits for each character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
