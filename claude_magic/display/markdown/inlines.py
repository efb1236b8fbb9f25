"""Emphasis, code, links, mathematics: a text read into tokens, in place of Python-Markdown's patterns.

One pass; brackets and runs of `*`, `_` and `~` become marks that may turn out to open or close elements. Time
is linear: every search either uses up what it passes or remembers what it found.
Source: https://spec.commonmark.org/0.31.2/#appendix-a-parsing-strategy and https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from markdown.util import AtomicString

from .delimiters import Mark, Run, pair
from .links import ENTITY, bare_link, entity, link, written
from .marks import Sources, is_mark, unsigned
from .mathematics import add_text, formula, formula_element
from .references import LABEL, References, inline_link, label

Token = str | Mark | Element
_SPECIAL = re.compile(r"[\\`*_~\[\]!<&$\n]|https?://|www\.", re.I)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_TICKS = re.compile("`+")
_ADDRESS = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,2000})>")
_MAIL = re.compile(r"<([\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8})>", re.A)
_BREAK = re.compile(r"<br[ \t]*/?>", re.I)
_TAG = re.compile(
    r"""<(?:[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^'<]*'|"[^"<]*"))?){0,50}\s*/?"""
    r"|/[A-Za-z][A-Za-z0-9-]*\s*)>"
)
_DECLARATIONS = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">"))


class _Bracket:
    """An opening bracket that waits for its closing one."""

    __slots__ = ("end", "holds_bracket", "is_image", "mark", "runs")

    def __init__(self, mark: Mark, end: int, runs: int) -> None:
        self.mark, self.end, self.runs = mark, end, runs
        self.is_image = mark.text == "!["
        self.holds_bracket = False


class Scan:
    """One text, read once; its marks are put back between the tokens, and nothing else looks at them."""

    def __init__(
        self, text: str, references: References, note: Callable[[str], Element | None], sources: Sources
    ) -> None:
        self._text, marks = unsigned(text)
        self._marks = marks[::-1]
        self._references, self._note, self._sources = references, note, sources
        self._at = 0
        self._tokens: list[Token] = []
        self._brackets: list[_Bracket] = []
        self._inert = 0  # so many of the brackets stand before a link: they cannot become one around it
        self._runs: list[Run] = []
        self._found: dict[str, int] = {}
        self._ticks: dict[int, list[int]] | None = None

    def tokens(self) -> list[Token]:
        while special := _SPECIAL.search(self._text, self._at):
            if special.start() > self._at:
                self._literal(special.start() - self._at)
            _READERS.get(self._text[self._at], Scan._bare)(self)
        self._literal(len(self._text) - self._at)
        self._put_marks()
        pair(self._runs)
        return self._tokens

    def _put(self, token: Token, end: int) -> None:
        while isinstance(token, str) and self._marks and self._at < self._marks[-1][0] < end:
            if len(token) != end - self._at:  # an entity stands for another text: the mark comes after it
                break
            here = self._marks[-1][0]
            self._tokens.append(token[: here - self._at])
            token, self._at = token[here - self._at :], here
            self._put_marks()
        self._tokens.append(token)
        self._at = end
        self._put_marks()

    def _put_marks(self) -> None:
        while self._marks and self._marks[-1][0] <= self._at:
            self._tokens.append(self._sources.mark(self._marks.pop()[1]))

    def _literal(self, length: int) -> None:
        self._put(self._text[self._at : self._at + length], self._at + length)

    def _find(self, needle: str, start: int) -> int:
        """Like `str.find`, for a `start` that only grows."""
        known = self._found.get(needle, 0)
        if 0 <= known < start:
            known = self._found[needle] = self._text.find(needle, start)
        return known

    def _escape(self) -> None:
        if self._formula():
            return
        escaped = _ESCAPED.match(self._text, self._at)
        if escaped:
            self._put(escaped[1], escaped.end())
        elif self._text.startswith("\n", self._at + 1):
            self._at += 1
            self._line_ends(hard=True)
        else:
            self._literal(1)

    def _formula(self) -> bool:
        end = formula(self._text, self._at, self._find)
        if end:
            self._put(formula_element(self._text[self._at : end]), end)
        return end > 0

    def _dollar(self) -> None:
        if not self._formula():
            self._literal(2 if self._text.startswith("$$", self._at) else 1)

    def _newline(self) -> None:
        last = self._tokens[-1] if self._tokens else None
        hard = False
        if isinstance(last, str):
            hard = last.endswith("  ")
            self._tokens[-1] = last.rstrip(" \t")
        self._line_ends(hard=hard)

    def _line_ends(self, *, hard: bool) -> None:
        if hard:
            self._tokens.append(Element("br"))
        self._put("\n", self._at + 1)

    def _code(self) -> None:
        if self._ticks is None:
            self._ticks = {}
            for found in _TICKS.finditer(self._text):
                self._ticks.setdefault(len(found[0]), []).append(found.start())
        ticks = _TICKS.match(self._text, self._at)
        length = len(ticks[0]) if ticks else 1
        ends = self._ticks.get(length, [])
        index = bisect_left(ends, self._at + length)
        if index == len(ends):
            self._literal(length)
            return
        code = self._text[self._at + length : ends[index]].replace("\n", " ")
        if code[:1] == code[-1:] == " " and code.strip(" "):
            code = code[1:-1]
        element = Element("code")
        element.text = AtomicString(code)
        self._put(element, ends[index] + length)

    def _delimiters(self) -> None:
        start = end = self._at
        letter = self._text[start]
        while self._text.startswith(letter, end):
            end += 1
        run = Run(self._text[start:end], *self._around(start, end), len(self._tokens))
        if run.can_open or run.can_close:
            self._runs.append(run)
        self._put(run, end)

    def _around(self, start: int, end: int) -> tuple[str, str]:
        """The letters before and after, as GitHub looks for them: past any `~`."""
        while self._text.startswith("~", end):
            end += 1
        while start and self._text[start - 1] == "~":
            start -= 1
        return self._text[max(0, start - 1) : start], self._text[end : end + 1]

    def _open(self) -> None:
        text = "![" if self._text.startswith("![", self._at) else self._text[self._at]
        if text == "!":
            self._literal(1)
            return
        if self._brackets:
            self._brackets[-1].holds_bracket = True
        mark = Mark(text)
        self._put(mark, self._at + len(text))
        self._brackets.append(_Bracket(mark, self._at, len(self._runs)))

    def _close(self) -> None:
        if not self._brackets:
            self._literal(1)
            return
        bracket = self._brackets.pop()
        inert = len(self._brackets) < self._inert and not bracket.is_image
        self._inert = min(self._inert, len(self._brackets))
        target = None if inert else self._target(bracket)
        if target:
            self._link(bracket, *target)
        elif inert or not self._note_of(bracket):
            self._literal(1)

    def _target(self, bracket: _Bracket) -> tuple[str, str, int] | None:
        """Address, title and end of the link that closes here."""
        after = self._at + 1
        if self._text.startswith("(", after):
            found = inline_link(self._text, after)
            if found:
                return found
        named = LABEL.match(self._text, after)
        name = named[1] if named else ""
        if not name and (bracket.holds_bracket or self._at - bracket.end > 999):
            return None
        name = name or self._text[bracket.end : self._at]
        known = self._references.get(label(name)) if name.strip() else None
        return (*known, named.end() if named else after) if known else None

    def _link(self, bracket: _Bracket, url: str, title: str, end: int) -> None:
        pair(self._runs[bracket.runs :])
        del self._runs[bracket.runs :]
        element = link(written(url), written(title))
        if bracket.is_image and self._at == bracket.end:
            self._tokens.append(written(url))
        bracket.mark.text = ""
        closing = Mark("")
        if element is not None:
            bracket.mark.opens.append(element)
            closing.closes = 1
        if not bracket.is_image:
            self._inert = len(self._brackets)
        self._put(closing, end)

    def _note_of(self, bracket: _Bracket) -> bool:
        """Whether this is the mark of a footnote; if so, it is one now."""
        if bracket.is_image or bracket.holds_bracket or not self._text.startswith("^", bracket.end):
            return False
        element = self._note(self._text[bracket.end + 1 : min(self._at, bracket.end + 300)])
        if element is None:
            return False
        marks = list[Token]()
        while (token := self._tokens.pop()) is not bracket.mark:
            if is_mark(token):
                marks.insert(0, token)
        del self._runs[bracket.runs :]
        self._put(element, self._at + 1)
        self._tokens += marks
        return True

    def _angle(self) -> None:
        address = _ADDRESS.match(self._text, self._at) or _MAIL.match(self._text, self._at)
        if address:
            element = link(address[1] if ":" in address[1] else f"mailto:{address[1]}")
            if element is not None:
                add_text(element, address[1])
            self._put(address[1] if element is None else element, address.end())
        elif found := _BREAK.match(self._text, self._at):
            self._put(Element("br"), found.end())
        elif found := _TAG.match(self._text, self._at):
            self._literal(len(found[0]))
        else:
            self._declaration()

    def _declaration(self) -> None:
        """Comments and their like: shown, and their insides are not Markdown."""
        for start, end in _DECLARATIONS:
            if self._text.startswith(start, self._at):
                found = self._find(end, self._at + len(start))
                self._literal(found + len(end) - self._at if found >= 0 else 1)
                return
        self._literal(1)

    def _entity(self) -> None:
        found = ENTITY.match(self._text, self._at)
        if found:
            self._put(entity(found[0]), found.end())
        else:
            self._literal(1)

    def _bare(self) -> None:
        found = None if self._brackets else bare_link(self._text, self._at)
        if found:
            self._put(*found)
        else:
            self._literal(1)


_READERS: Mapping[str, Callable[[Scan], None]] = {
    "\\": Scan._escape,
    "`": Scan._code,
    "$": Scan._dollar,
    "\n": Scan._newline,
    "[": Scan._open,
    "!": Scan._open,
    "]": Scan._close,
    "<": Scan._angle,
    "&": Scan._entity,
} | dict.fromkeys("*_~", Scan._delimiters)
