"""Splits a pasted command into words as bash and zsh do, and runs nothing: what only a shell can know is refused.

It reads quotes of all kinds (`$'...'` is what browsers copy), continued lines, comments, one here-document, and
ignores a `|` or `>` at the end. `shlex` cannot serve: it does not know `$'...'`, keeps the backslash of `"\\$"`, takes
`a#b` for a comment, does not tell a `$KEY` in single quotes from one that a shell would replace, and takes time
quadratic in a word's length (8 s for 800 KB, as of an attachment in base64).
Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
Source: https://www.gnu.org/software/bash/manual/bash.html#ANSI_002dC-Quoting
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from ...errors import CellError
from ...wire import fix_surrogates

_TOKEN = re.compile(
    r"""
      (?P<continued> [\\^`] [ \t]* (?: \r?\n | \Z ) )
    | (?P<blank> [ \t\r]+ )
    | (?P<hash> \# )
    | (?P<heredoc> <<(?P<tabs>-?)[ ]*(?P<mark> '[^'\n]+' | "[^"\n]+" | [\w.+-]+ ) )
    | (?P<pipe> (?: \| (?!\|) | (?<![^ \t\r\n]) [0-9&]* > ) (?: \\\n | [^\n] )* )
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
_SEPARATORS = {"blank", "pipe"}
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
# What means something else to cmd.exe or PowerShell, whose continued lines end with ^ or `.
_DIFFERS_ON_WINDOWS = re.compile(r"\\\\|\\\r?\n|''|\$'|%\w+%")


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a command.

    Attributes:
        text: With the names of variables in place of their values, as `$NAME`.
        variables: Whether a shell would insert the values of variables.
    """

    text: str
    variables: bool = False


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command.

    Attributes:
        heredoc: The here-document that it reads as standard input.
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
        elif token.lastgroup == "continued" and token[0][0] != "\\" and _DIFFERS_ON_WINDOWS.search(text):
            raise _for_windows(token[0][0])
        elif token.lastgroup != "end":
            tokens.append(token)
        elif any(t.lastgroup not in _SEPARATORS for t in tokens):
            break
    return tokens, text[position:]


def _inside_a_word(tokens: list[re.Match[str]]) -> bool:
    last = next((t.lastgroup for t in reversed(tokens) if t.lastgroup != "continued"), "blank")
    return last not in {*_SEPARATORS, "heredoc"}


def _words(tokens: list[re.Match[str]]) -> list[Word]:
    words = []
    for is_separator, group in itertools.groupby(
        (t for t in tokens if t.lastgroup not in {"continued", "heredoc"}), lambda t: t.lastgroup in _SEPARATORS
    ):
        if not is_separator:
            pieces = [_word(token) for token in group]
            text = "".join(piece.text for piece in pieces)
            words.append(Word(text=text, variables=any(piece.variables for piece in pieces)))
    return words


def _refusal(text: str) -> CellError:
    """Why the command cannot be read on from `text`."""
    if text[0] in "'\"" or text in {"$'", '$"'}:
        return CellError("the curl command cannot be read: a quote in it is not closed. Copy the whole command.")
    if text[0] == "^":
        return _for_windows("^")
    if text[0] == "<":
        return CellError("the curl command reads a file with <, and no file is read here. Paste the body with -d.")
    return _needs_shell(text)


def _for_windows(sign: str) -> CellError:
    return CellError(f'the curl command is one for Windows: it holds a {sign}. Copy it "as cURL (bash)".')


def _needs_shell(text: str) -> CellError:
    return CellError(
        f"the curl command needs a shell: it holds a {text[0]} outside of single quotes, and nothing is run here. "
        "Put there what the shell would."
    )


def _word(token: re.Match[str]) -> Word:
    groups = token.groupdict()
    if groups["variable"]:
        return Word(text=re.sub(r"[{}]", "", groups["variable"]), variables=True)
    if groups["ansi"] is not None:
        return Word(text=fix_surrogates(_ANSI.sub(_ansi, groups["ansi"])))
    if groups["double"] is not None:
        return _expand(groups["double"], '$`"\\')
    return Word(text=next(groups[kind] for kind in ("single", "escaped", "plain", "hash") if groups[kind] is not None))


def _ansi(escape: re.Match[str]) -> str:
    if escape["bytes"]:
        codes = re.findall(r"\\(?:x([0-9a-fA-F]+)|([0-7]+))", escape["bytes"])
        return bytes(int(x, 16) if x else int(o, 8) & 255 for x, o in codes).decode(errors="replace")
    if code := escape["u"] or escape["U"]:
        return chr(min(int(code, 16), 0x10FFFF))
    letter = escape["letter"]
    return _LETTERS.get(letter) or (letter if letter in "\\'\"?" else f"\\{letter}")


def _expand(text: str, escapable: str) -> Word:
    """The text of double quotes or of a here-document, without the backslashes that a shell removes."""
    variables = False

    def replace(match: re.Match[str]) -> str:
        nonlocal variables
        if match["run"]:
            raise _needs_shell(match["run"])
        if match["joined"]:
            return ""
        if escaped := match["kept"]:
            return escaped if escaped in escapable else f"\\{escaped}"
        variables = True
        return f"${match['name'] or match['braced']}"

    return Word(text=_ACTIVE.sub(replace, text), variables=variables)


def _heredoc(start: re.Match[str], rest: str) -> tuple[Word, str]:
    """The here-document that begins `rest`, and the text after it."""
    mark = start["mark"].strip("'\"")
    tabs = "\t*" if start["tabs"] else ""
    end_match = re.match(rf"(?P<body>.*?)^{tabs}{re.escape(mark)}\r?$", rest, re.DOTALL | re.MULTILINE)
    if end_match is None:
        raise CellError(f"the here-document has no end: no line {mark} was seen. Copy the whole command.")
    body = re.sub(r"^\t+", "", end_match["body"], flags=re.MULTILINE) if tabs else end_match["body"]
    is_quoted = start["mark"] != mark
    return (Word(text=body) if is_quoted else _expand(body, "$`\\")), rest[end_match.end() :]
