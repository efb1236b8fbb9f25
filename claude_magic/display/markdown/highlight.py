"""Code in colour: Pygments' own short class names, and no more of them than the style sheet knows.

Some lexers are slow on hostile text, and a regular expression cannot be stopped: so only languages that were
tried, only blocks and lines of a bounded size, and only for a while.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement

from markdown.treeprocessors import Treeprocessor
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from .time_limit import Clock, OutOfTime

_LANGUAGES = """
    bash sh zsh shell console shell-session powershell ps1 bat python py python3 pycon javascript js jsx
    typescript ts tsx json jsonc yaml yml toml ini html xml css scss sql mysql postgresql sqlite3 c cpp c++ csharp
    cs c# java kotlin kt scala swift objective-c go golang rust rs ruby rb php perl lua r julia jl matlab octave
    haskell hs ocaml fsharp clojure elixir erlang dart groovy latex tex diff patch dockerfile docker makefile make
    cmake nginx http graphql protobuf proto terraform hcl nix zig fortran nasm solidity
"""
_OTHER_NAMES = {"jsonc": "json", "kt": "kotlin", "patch": "diff"}
_LANGUAGE = re.compile(r"\W{0,2}([\w+#-]{1,20})")
_BLOCK, _TOTAL, _LINE = 12_000, 120_000, 2_000
_SECONDS = 0.5
_BLANKS = re.compile(r"\s{300}")  # what some lexers take quadratic time for
_CLASSES = {
    Token.Comment: "c",
    Token.Error: "",
    Token.Generic.Deleted: "gd",
    Token.Generic.Heading: "gh",
    Token.Generic.Inserted: "gi",
    Token.Generic.Prompt: "gp",
    Token.Generic.Subheading: "gh",
    Token.Keyword: "k",
    Token.Literal.Number: "m",
    Token.Literal.String: "s",
    Token.Name.Attribute: "na",
    Token.Name.Builtin: "nb",
    Token.Name.Class: "nc",
    Token.Name.Constant: "no",
    Token.Name.Decorator: "nd",
    Token.Name.Function: "nf",
    Token.Name.Tag: "nt",
    Token.Name.Variable: "nv",
    Token.Operator: "o",
    Token.Operator.Word: "k",
}


class Colours(Treeprocessor):
    """Colours the code blocks of a tree, whose `info` is what their fence began with."""

    def run(self, root: Element) -> None:
        highlighter = Highlighter()
        for block in root.iter("pre"):
            info = block.attrib.pop("info", "")
            if info and len(block):
                code = block[0].text or ""
                block.clear()
                highlighter.fill(block, code, info)


class Highlighter:
    """Fills code blocks; the longer they are together, the plainer they get."""

    def __init__(self) -> None:
        self._letters, self._seconds = _TOTAL, _SECONDS

    def fill(self, block: Element, code: str, info: str) -> None:
        """Put `code` into the `pre` element `block`, as the language that the fence's `info` begins with."""
        element = SubElement(block, "code")
        element.text = code
        lexer = _lexer(info)
        if not lexer:
            return
        element.set("class", f"language-{lexer.aliases[0]}")
        too_long = len(code) > min(_BLOCK, self._letters) or max(map(len, code.split("\n"))) > _LINE
        if too_long or self._seconds <= 0 or _BLANKS.search(code):
            return
        self._letters -= len(code)
        clock = Clock(self._seconds)
        try:
            spans = _spans(code, lexer, clock)
        except OutOfTime:
            spans = [("", code)]
        self._seconds = clock.remaining()
        element.text = None
        _append(element, spans)


def _spans(code: str, lexer: Lexer, clock: Clock) -> list[tuple[str, str]]:
    """Class and text of each stretch."""
    tokens = []
    for kind, text in lexer.get_tokens(code):
        clock.check()
        tokens.append((_class(kind), text))
    runs = groupby(tokens, key=lambda span: span[0])
    return [(name, "".join(text for _, text in run)) for name, run in runs]


def _append(element: Element, spans: list[tuple[str, str]]) -> None:
    last: Element | None = None
    for name, text in spans:
        if name:
            last = SubElement(element, "span", {"class": name})
            last.text = text
        elif last is None:
            element.text = text
        else:
            last.tail = text


def _lexer(info: str) -> Lexer | None:
    language = _LANGUAGE.match(info)
    name = language[1].lower() if language else ""
    return _lexer_named(name) if name in _LANGUAGES.split() else None


@cache
def _lexer_named(name: str) -> Lexer | None:
    try:
        lexer: Lexer = get_lexer_by_name(_OTHER_NAMES.get(name, name), stripnl=False, ensurenl=False)
    except ClassNotFound:  # an older Pygments
        return None
    return lexer


@cache
def _class(kind: _TokenType) -> str:
    return next((_CLASSES[wider] for wider in reversed(kind.split()) if wider in _CLASSES), "")
