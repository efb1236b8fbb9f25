"""The Tab key: option names, and what can stand after an option or after `{{`.

A name with a blank is completed in quotes, as the line reads it; what is replaced is the whole word as typed so far,
with its quote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unicodedata import normalize

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from ...prompt.options.option import Scope
from ...prompt.options.table import find, in_scope
from ...prompt.options.table import names as option_names
from ..claude import claude

_LINE = re.compile(r"\s*%%?claude(?=\s)")
_VARIABLE = re.compile(r".*\{\{\s*(\w*)$", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"[\s'\"\\]")
_MOST = 2_000  # entries of a folder that are looked at


def add(shell: Any) -> None:
    """Answer the Tab key on our lines."""

    @context_matcher(identifier="claude-magic")  # type: ignore[untyped-decorator, unused-ignore]
    def matcher(context: CompletionContext) -> dict[str, Any]:
        fragment, found = _completions(context.line_with_cursor[: context.cursor_position], shell.user_ns)
        shown = [SimpleCompletion(text) for text in found]
        return {"completions": shown, "matched_fragment": fragment, "suppress": bool(shown)}

    shell.Completer.custom_matchers.append(matcher)


def remove(shell: Any) -> None:
    """Leave the Tab key alone."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != "claude-magic"]


def _completions(before: str, namespace: dict[str, Any]) -> tuple[str, list[str]]:
    """What is replaced, and by what, where the cursor stands after `before`; `[]` if that is not for us to say."""
    if match := _VARIABLE.match(before):
        return match[1], [name for name in _public(namespace) if name.startswith(match[1])]
    line = _LINE.match(before)
    if line is None:
        return "", []
    *earlier, (start, begun) = _words(before, line.end())
    typed = before[start:]
    if not earlier or not earlier[-1][1].startswith("-"):
        return typed, [name for name in option_names() if typed.startswith("-") and name.startswith(typed)]
    return typed, list(_values_after(earlier[-1][1], begun, typed[:1] if typed[:1] in ("'", '"') else "", namespace))


def _words(text: str, position: int) -> list[tuple[int, str]]:
    """Where each word begins, and what it says without quotes; the last one ends at the cursor."""
    found: list[tuple[int, str]] = []
    start, word, quote = position, "", ""
    while position < len(text):
        sign = text[position]
        if not quote and sign.isspace():
            if position > start:
                found.append((start, word))
            start, word = position + 1, ""
        elif sign == quote or (not quote and sign in "'\""):
            quote = "" if quote else sign
        elif sign == "\\" and quote != "'" and position + 1 < len(text):
            position += 1
            word += text[position]
        else:
            word += sign
        position += 1
    return [*found, (start, word)]


def _values_after(option: str, begun: str, quote: str, namespace: dict[str, Any]) -> Iterator[str]:
    found = find(option)
    if found is None:
        return
    if "files" in found.completes:
        yield from (_quoted(path, quote) for path in _paths(begun))
    sources = [_SOURCES[source](namespace) for source in found.completes if source in _SOURCES]
    names = chain(found.choices, *sources)
    yield from (_quoted(name, quote) for name in names if name.startswith(begun))


def _paths(begun: str) -> Iterator[str]:
    """Files and folders that begin so, however their letters are composed."""
    place, wanted = os.path.split(begun)
    wanted = normalize("NFC", wanted)
    try:
        with os.scandir(Path(os.path.expanduser(place))) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in islice(entries, _MOST))
    except (OSError, ValueError):
        return
    for name, is_folder in found:
        hidden = name.startswith(".") and not wanted.startswith(".")
        if normalize("NFC", name).startswith(wanted) and not hidden:
            yield os.path.join(place, name) + "/" * is_folder


def _quoted(word: str, quote: str) -> str:
    """`word` as the line reads it; that of a folder ends within its quote, so that one may type on."""
    if not quote and not _NEEDS_QUOTES.search(word):
        return word
    quote = '"' if "'" in word else quote or "'"
    if quote == '"':
        word = word.replace("\\", "\\\\").replace('"', '\\"')
    return f"{quote}{word}{'' if word.endswith('/') else quote}"


def _public(namespace: dict[str, Any]) -> list[str]:
    return [name for name in namespace if not name.startswith("_")]


def _models(_: dict[str, Any]) -> Iterable[str]:
    from ..model_list import names

    return names(claude.settings)


def _conversations(_: dict[str, Any]) -> Iterable[str]:
    return list(claude.conversations)


def _snippets(_: dict[str, Any]) -> Iterable[str]:
    return list(claude.snippets)


def _compared(_: dict[str, Any]) -> Iterable[str]:
    return [f"{option.names[-1].lstrip('-')}=" for option in in_scope(Scope.COMPARE)]


_SOURCES: dict[str, Callable[[dict[str, Any]], Iterable[str]]] = {
    "models": _models,
    "conversations": _conversations,
    "snippets": _snippets,
    "variables": _public,
    "compared": _compared,
}
