"""A command, split into words as a shell does it, and nothing run: what only a shell could know is refused.

Understood are quotes of all kinds (`$'...'` is what browsers copy), continued lines (also those of Windows,
with `^`), comments, one here-document, and a `|` or `>` at the end, which is passed over.
Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
Source: https://www.gnu.org/software/bash/manual/bash.html#ANSI_002dC-Quoting
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from ...errors import CellError
from ...wire import sound

_TOKEN = re.compile(
    r"""
      (?P<continued> [\\^] [ \t]* (?: \r?\n | \Z ) )
    | (?P<blank> [ \t\r]+ )
    | (?P<hash> \# )
    | (?P<heredoc> <<(?P<tabs>-?)[ ]*(?P<mark> '[^'\n]+' | "[^"\n]+" | [\w.+-]+ ) )
    | (?P<onward> (?: \| (?!\|) | (?<![^ \t\r\n]) [0-9&]* > ) (?: \\\n | [^\n] )* )
    | (?P<end> [\n;&|] )
    | ' (?P<single> [^']* ) '
    | \$' (?P<ansi> (?: [^'\\] | \\. )* ) '
    | \$? " (?P<double> (?: [^"\\] | \\. )* ) "
    | \\ (?P<escaped> . )
    | (?P<variable> \$ (?: [A-Za-z0-9_]+ | \{[A-Za-z0-9_]+\} | [\#?$!@*-] ) )
    | (?P<plain> [^\s\\^'"$`|&;<>()]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_BETWEEN = {"blank", "onward"}
_ANSI = re.compile(
    r"(?P<bytes>(?:\\x[0-9a-fA-F]{1,2}|\\[0-7]{1,3})+)|\\u(?P<u>[0-9a-fA-F]{1,4})|\\U(?P<U>[0-9a-fA-F]{1,8})"
    r"|\\(?P<letter>.)",
    re.DOTALL,
)
_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ACTIVE = re.compile(
    r"(?P<joined>\\\r?\n)|\\(?P<kept>.)|\$(?:(?P<name>[A-Za-z0-9_]+|[#?$!@*-])|\{(?P<braced>[A-Za-z0-9_]+)\})"
    r"|(?P<run>\$[({]|`)",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a command.

    Attributes:
        text: With the names of variables in their place, as `$NAME`.
        variables: Whether a shell would put values there.
    """

    text: str
    variables: bool = False


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command.

    Attributes:
        heredoc: What it reads from standard input.
    """

    words: list[Word]
    heredoc: Word | None


def command(text: str) -> Command:
    """The one command in `text`, which may begin with a prompt.

    Raises:
        CellError: It is not one, or a shell would have to run or read something.
    """
    tokens, rest = _first_command(re.sub(r"\A\s*(?:[$%>] |!)(?=\s*curl)", "", text))
    heredoc = None
    for token in tokens:
        if token.lastgroup == "heredoc":
            heredoc, rest = _heredoc(token, rest)
    if any(line.strip() and not line.lstrip().startswith("#") for line in rest.split("\n")):
        raise CellError(
            "the text holds more than one command. Keep the curl command only, with a \\ at the end of its lines."
        )
    return Command(words=_words(tokens), heredoc=heredoc)


def _first_command(text: str) -> tuple[list[re.Match[str]], str]:
    """The tokens of the first command, and the text after it."""
    tokens: list[re.Match[str]] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _refusal(text[position : position + 2])
        position = token.end()
        if token.lastgroup == "hash" and not _inside_a_word(tokens):  # a comment
            position = text.find("\n", position) if "\n" in text[position:] else len(text)
        elif token.lastgroup != "end":
            tokens.append(token)
        elif any(t.lastgroup not in _BETWEEN for t in tokens):
            break
    return tokens, text[position:]


def _inside_a_word(tokens: list[re.Match[str]]) -> bool:
    last = next((t.lastgroup for t in reversed(tokens) if t.lastgroup != "continued"), "blank")
    return last not in {*_BETWEEN, "heredoc"}


def _words(tokens: list[re.Match[str]]) -> list[Word]:
    words = []
    for between, group in itertools.groupby(
        (t for t in tokens if t.lastgroup not in {"continued", "heredoc"}), lambda t: t.lastgroup in _BETWEEN
    ):
        if not between:
            pieces = [_word(token) for token in group]
            text = "".join(piece.text for piece in pieces)
            words.append(Word(text=text, variables=any(piece.variables for piece in pieces)))
    return words


def _refusal(seen: str) -> CellError:
    if seen[0] in "'\"" or seen in {"$'", '$"'}:
        return CellError("the curl command cannot be read: a quote in it is not closed. Copy the whole command.")
    if seen[0] == "^":
        return CellError('the curl command is one for Windows: it holds a ^. Copy it "as cURL (bash)".')
    if seen[0] == "<":
        return CellError("the curl command reads a file with <, and no file is read here. Paste the body with -d.")
    return _runs(seen)


def _runs(seen: str) -> CellError:
    return CellError(
        f"the curl command needs a shell: it holds a {seen[0]} outside of single quotes, and nothing is run here. "
        "Put there what the shell would."
    )


def _word(token: re.Match[str]) -> Word:
    found = token.groupdict()
    if found["variable"]:
        return Word(text=re.sub(r"[{}]", "", found["variable"]), variables=True)
    if found["ansi"] is not None:
        return Word(text=sound(_ANSI.sub(_ansi, found["ansi"])))
    if found["double"] is not None:
        return _expand(found["double"], '$`"\\')
    return Word(text=next(found[kind] for kind in ("single", "escaped", "plain", "hash") if found[kind] is not None))


def _ansi(escape: re.Match[str]) -> str:
    if escape["bytes"]:
        codes = re.findall(r"\\(?:x([0-9a-fA-F]+)|([0-7]+))", escape["bytes"])
        return bytes(int(x, 16) if x else int(o, 8) & 255 for x, o in codes).decode(errors="replace")
    if code := escape["u"] or escape["U"]:
        return chr(min(int(code, 16), 0x10FFFF))
    letter = escape["letter"]
    return _LETTERS.get(letter) or (letter if letter in "\\'\"?" else f"\\{letter}")


def _expand(text: str, escapable: str) -> Word:
    """What a shell makes of text in double quotes or in a here-document."""
    variables = False

    def word(match: re.Match[str]) -> str:
        nonlocal variables
        if match["run"]:
            raise _runs(match["run"])
        if match["joined"]:
            return ""
        if kept := match["kept"]:
            return kept if kept in escapable else f"\\{kept}"
        variables = True
        return f"${match['name'] or match['braced']}"

    return Word(text=_ACTIVE.sub(word, text), variables=variables)


def _heredoc(start: re.Match[str], rest: str) -> tuple[Word, str]:
    mark = start["mark"].strip("'\"")
    tabs = "\t*" if start["tabs"] else ""
    found = re.match(rf"(?P<body>.*?)^{tabs}{re.escape(mark)}\r?$", rest, re.DOTALL | re.MULTILINE)
    if found is None:
        raise CellError(f"the here-document has no end: no line {mark} was seen. Copy the whole command.")
    body = re.sub(r"^\t+", "", found["body"], flags=re.MULTILINE) if tabs else found["body"]
    quoted = start["mark"] != mark
    return (Word(text=body) if quoted else _expand(body, "$`\\")), rest[found.end() :]
