"""Tab completion: option names, and values after an option or after `{{`.

A name with a blank is completed in quotes, as the line is parsed; the whole word typed so far is replaced, with its
quote.
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
_MOST_ENTRIES = 2_000  # of a folder that are read


def add(shell: Any) -> None:
    """Adds completions for `%claude` lines and `%%claude` cells."""

    @context_matcher(identifier="claude-magic")  # type: ignore[untyped-decorator, unused-ignore]
    def matcher(context: CompletionContext) -> dict[str, Any]:
        fragment, names = _completions(context.line_with_cursor[: context.cursor_position], shell.user_ns)
        completions = [SimpleCompletion(name) for name in names]
        return {"completions": completions, "matched_fragment": fragment, "suppress": bool(completions)}

    shell.Completer.custom_matchers.append(matcher)


def remove(shell: Any) -> None:
    """Removes them."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != "claude-magic"]


def _completions(before: str, namespace: dict[str, Any]) -> tuple[str, list[str]]:
    """The text to replace before the cursor, and the names for it; `[]` if it is no place of ours."""
    if match := _VARIABLE.match(before):
        return match[1], [name for name in _public(namespace) if name.startswith(match[1])]
    line = _LINE.match(before)
    if line is None:
        return "", []
    *earlier, (start, prefix) = _words(before, line.end())
    typed = before[start:]
    if not earlier or not earlier[-1][1].startswith("-"):
        return typed, [name for name in option_names() if typed.startswith("-") and name.startswith(typed)]
    return typed, list(_values_after(earlier[-1][1], prefix, typed[:1] if typed[:1] in ("'", '"') else "", namespace))


def _words(text: str, position: int) -> list[tuple[int, str]]:
    """The position of each word, and the word without quotes; the last one ends at the cursor."""
    words: list[tuple[int, str]] = []
    start, word, quote = position, "", ""
    while position < len(text):
        sign = text[position]
        if not quote and sign.isspace():
            if position > start:
                words.append((start, word))
            start, word = position + 1, ""
        elif sign == quote or (not quote and sign in "'\""):
            quote = "" if quote else sign
        elif sign == "\\" and quote != "'" and position + 1 < len(text):
            position += 1
            word += text[position]
        else:
            word += sign
        position += 1
    return [*words, (start, word)]


def _values_after(name: str, prefix: str, quote: str, namespace: dict[str, Any]) -> Iterator[str]:
    option = find(name)
    if option is None:
        return
    if "endpoints" in option.completes:
        yield from (_quote(path, quote) for path in _endpoint_paths(option.names[-1]) if path.startswith(prefix))
    if "files" in option.completes:
        yield from (_quote(path, quote) for path in _paths(prefix))
    sources = [_SOURCES[source](namespace) for source in option.completes if source in _SOURCES]
    values = chain(option.choices, *sources)
    yield from (_quote(value, quote) for value in values if value.startswith(prefix))


def _paths(prefix: str) -> Iterator[str]:
    """Files and folders with this prefix, in any Unicode composition."""
    folder, start = os.path.split(prefix)
    start = normalize("NFC", start)
    try:
        with os.scandir(Path(os.path.expanduser(folder))) as entries:
            names = sorted((entry.name, entry.is_dir()) for entry in islice(entries, _MOST_ENTRIES))
    except (OSError, ValueError):
        return
    for name, is_folder in names:
        is_hidden = name.startswith(".") and not start.startswith(".")
        if normalize("NFC", name).startswith(start) and not is_hidden:
            yield os.path.join(folder, name) + "/" * is_folder


def _quote(word: str, quote: str) -> str:
    """`word` as it is written on the line; that of a folder ends without its quote, so that one can go on typing."""
    if not quote and not _NEEDS_QUOTES.search(word):
        return word
    quote = '"' if "'" in word else quote or "'"
    if quote == '"':
        word = word.replace("\\", "\\\\").replace('"', '\\"')
    return f"{quote}{word}{'' if word.endswith('/') else quote}"


def _public(namespace: dict[str, Any]) -> list[str]:
    return [name for name in namespace if not name.startswith("_")]


def _models(_: dict[str, Any]) -> Iterable[str]:
    from ...session.model_list import names

    return names(claude.settings)


def _endpoint_paths(option: str) -> Iterable[str]:
    """The paths of the API that `--get` and the like take."""
    from ...api.endpoints.catalog import endpoints

    return [each.path for each in endpoints() if each.verb == option.removeprefix("--").upper()]


def _conversations(_: dict[str, Any]) -> Iterable[str]:
    return list(claude.conversations)


def _snippets(_: dict[str, Any]) -> Iterable[str]:
    return list(claude.snippets)


def _comparable(_: dict[str, Any]) -> Iterable[str]:
    return [f"{option.names[-1].lstrip('-')}=" for option in in_scope(Scope.COMPARE)]


_SOURCES: dict[str, Callable[[dict[str, Any]], Iterable[str]]] = {
    "models": _models,
    "conversations": _conversations,
    "snippets": _snippets,
    "variables": _public,
    "compared": _comparable,
}
