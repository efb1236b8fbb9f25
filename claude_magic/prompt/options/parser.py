"""Parses the first line of a cell, option by option.

Text after the options stays exactly as typed: an apostrophe in it is not a quote, and nothing is expanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ...errors import CellError
from .option import Option, Scope
from .options import Options, check, nearest
from .table import find, names

_MORE = re.compile(r"[A-Za-z][\w-]*=")


def parse_line(line: str, *, text_follows: bool = True) -> tuple[Options, str]:
    """The options at the beginning of `line`, and the text after them, exactly as typed.

    Args:
        text_follows: Whether the message may follow on the line, as in `%claude`; then a value that may be omitted is
            written with an equals sign.

    Raises:
        CellError: An option is unknown or its value is invalid.
    """
    values: dict[str, Any] = {}
    position = 0
    while True:
        position = _after_space(line, position)
        name, equals, end = _name(line, position)
        if name == "--":
            return check(Options(**values)), line[end:].removeprefix(" ")
        if not name:
            return check(Options(**values)), line[position:]
        option = _find_option(name, equals)
        words, position = _words(line, end, name, option, equals, text_follows)
        _keep(values, option, _read(option, name, words))


def without_actions(line: str, text: str) -> str:
    """The options of `line` as typed that a snippet stores: without those that only act on the cell, as `--preview`.

    Args:
        text: The cell's text; the line may end with it, as in `%claude --save brief Be brief.`
    """
    parts: list[str] = []
    position = 0
    text_follows = bool(text) and line.endswith(text)
    while True:
        begin = _after_space(line, position)
        name, equals, end = _name(line, begin)
        if not name or name == "--":
            return " ".join(parts)
        option = _find_option(name, equals)
        _, position = _words(line, end, name, option, equals, text_follows=text_follows)
        if Scope.SNIPPET in option.scope:
            parts.append(line[begin:position].strip())


def _find_option(name: str, equals: bool) -> Option:
    option = find(name)
    if option is None:
        raise CellError(f"no option {name}.{nearest(name, names())} In %claude, text after -- may begin with a dash.")
    if equals and not option.words:
        raise CellError(f"{name} takes no value.")
    return option


def _words(
    line: str, position: int, name: str, option: Option, equals: bool, text_follows: bool
) -> tuple[list[str], int]:
    words: list[str] = []
    if option.is_optional and not equals:
        following = line[position:].split(None, 1)
        if option.begins and text_follows:
            is_omitted = not following or not following[0].lstrip("'\"").startswith(option.begins)
        else:
            is_omitted = text_follows or not following or following[0].startswith("-")
        if is_omitted:
            return [option.omitted], position
    for kind in option.words:
        if words or not equals:
            position = _after_space(line, position)
        if position >= len(line):
            raise CellError(f"{name} needs a value: {name} {' '.join(option.words)}.")
        if find(line[position:].split(None, 1)[0]) is not None:
            raise CellError(f"{name} needs a value before {line[position:].split(None, 1)[0]}. Quote it if it is one.")
        word, position = _word(line, position, name, is_json=kind == "JSON")
        while kind == "A,B" and word.endswith(",") and (begin := _after_space(line, position)) < len(line):
            more, position = _word(line, begin, name, is_json=False)
            word += more
        words.append(word)
    while option.several and _MORE.match(line, _after_space(line, position)):
        word, position = _word(line, _after_space(line, position), name, is_json=False)
        words.append(word)
    return words, position


def _read(option: Option, name: str, words: list[str]) -> Any:
    if not words:
        return option.read() if option.read is not str else True
    try:
        return option.read(*words)
    except ValueError as error:
        raise CellError(f"{name} {error}: {words[-1][:80]!r}.") from None


def _keep(values: dict[str, Any], option: Option, value: Any) -> None:
    if option.also:
        values[option.also] = True
    if not option.gather:
        if option.target == "endpoint" and values.get("endpoint", value) != value:
            raise CellError("one cell calls one endpoint, and there are two here. Leave one out.")
        values[option.target] = value
    elif isinstance(value, tuple):
        values[option.target] = {**values.get(option.target, {}), value[0]: value[1]}
    else:
        values[option.target] = (*values.get(option.target, ()), value)


def _after_space(line: str, position: int) -> int:
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def _name(line: str, position: int) -> tuple[str, bool, int]:
    """The option name at `position` (`""` if there is none), whether `=` follows, and where it ends."""
    match = re.compile(r"(--?[A-Za-z][\w-]*|--)(=|(?=\s)|$)").match(line, position)
    return (match[1], match[2] == "=", match.end()) if match else ("", False, position)


def _word(line: str, position: int, name: str, *, is_json: bool) -> tuple[str, int]:
    """The word at `position`, without its quotes, and where it ends."""
    if is_json and (end := _json_end(line, position)) is not None:
        return line[position:end], end
    word = ""
    for piece, end in _pieces(line, position, name):
        word += piece
        position = end
    return word, position


def _pieces(line: str, position: int, name: str) -> Iterator[tuple[str, int]]:
    while position < len(line) and not line[position].isspace():
        character = line[position]
        if character in "'\"":
            pattern = r"'([^']*)'" if character == "'" else r'"((?:[^"\\]|\\.)*)"'
            match = re.compile(pattern, re.DOTALL).match(line, position)
            if match is None:
                raise CellError(f"{name}: a quote is not closed: {line[position : position + 40]!r}.")
            piece = match[1] if character == "'" else re.sub(r'\\(["\\])', r"\1", match[1])
            position = match.end()
        elif character == "\\" and position + 1 < len(line) and line[position + 1] in " '\"\\":
            piece, position = line[position + 1], position + 2
        else:
            piece, position = character, position + 1
        yield piece, position


def _json_end(line: str, position: int) -> int | None:
    """The end of the unquoted JSON at `position`; `None` if there is none."""
    try:
        _, end = json.JSONDecoder().raw_decode(line, position)
    except ValueError:
        return None
    return end if end == len(line) or line[end].isspace() else None
