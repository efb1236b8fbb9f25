"""The blocks that hold text: paragraphs, code, tables and raw HTML, as their lines come in.

Each takes lines until it says no. Text that is to be read for emphasis and links stays a plain string;
text that is final becomes an `AtomicString`, as everywhere in Python-Markdown.
Source: https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

from .highlight import Highlighter
from .lines import Line
from .marks import unsigned

_MATH = {"$$": "$$", r"\[": r"\]"}
_ENVIRONMENT = re.compile(r"\\begin\{(\w{1,20}\*?)\}")
_ROW_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_PIPE = re.compile(r"\\.|\|")
_CELLS = 20_000
RAW_HTML = "cm-html"
_BLANK_ENDS = re.compile(r"(?!)")
_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|"
    "dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|"
    "main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|section|source|summary|table|tbody|td|tfoot|th|"
    "thead|title|tr|track|ul"
)
_VERBATIM = "script|pre|style|textarea"
_ATTRIBUTE = r"""\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?"""
_HTML = (
    (re.compile(rf"<(?:{_VERBATIM})(?:\s|>|$)", re.I), re.compile(rf"</(?:{_VERBATIM})>", re.I)),
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(rf"</?(?:{_TAGS})(?:\s|/?>|$)", re.I), _BLANK_ENDS),
)
_NAME = "[A-Za-z][A-Za-z0-9-]*"
_LONE_TAG = re.compile(rf"<(?:{_NAME}(?:{_ATTRIBUTE}){{0,50}}\s*/?|/{_NAME}\s*)>\s*$")


class Paragraph:
    """Lines of text; what begins with display mathematics is not looked at for other blocks until that ends."""

    def __init__(self, element: Element, text: str) -> None:
        self.element = element
        self.lines = [text]
        environment = _ENVIRONMENT.match(text)
        end = rf"\end{{{environment[1]}}}" if environment else _MATH.get(text[:2], "")
        self._mathematics_ends = "" if end in text[2:] else end

    def takes(self, line: Line) -> bool:
        """Only a line of mathematics for certain: any other may be the start of something else."""
        if not self._mathematics_ends or line.blank:
            return False
        self.add(line.told())
        if self._mathematics_ends in line.words():
            self._mathematics_ends = ""
        return True

    def add(self, text: str) -> None:
        self.lines.append(text)


class Fence:
    """Code between fences."""

    def __init__(self, element: Element, fence: str, info: str, indent: int, highlighter: Highlighter) -> None:
        self._element = element
        self._end = re.compile(rf"{re.escape(fence[0])}{{{min(len(fence), 60_000)},}}[ \t]*$")
        self._info, self._indent, self._highlighter = info, indent, highlighter
        self._lines: list[str] = []
        self._ended = False

    def takes(self, line: Line) -> bool:
        if self._ended:
            return False
        if line.indent < 4 and self._end.match(line.text, line.first):
            self._ended = True
        else:
            line.skip(self._indent)
            self._lines.append(line.rest())
        return True

    def close(self) -> None:
        self._highlighter.fill(self._element, "".join(f"{line}\n" for line in self._lines), self._info)


class Indented:
    """Code four columns in."""

    def __init__(self, element: Element, line: Line) -> None:
        self._element = element
        self._lines: list[str] = []
        self.takes(line)

    def takes(self, line: Line) -> bool:
        if line.indent < 4 and not line.blank:
            return False
        line.skip(4)
        self._lines.append(line.rest())
        return True

    def close(self) -> None:
        while self._lines and not self._lines[-1].strip(" \t"):
            self._lines.pop()
        SubElement(self._element, "code").text = AtomicString("".join(f"{line}\n" for line in self._lines))


class Html:
    """Raw HTML: shown, not obeyed, and its insides are not Markdown."""

    def __init__(self, element: Element, line: Line, end: re.Pattern[str]) -> None:
        self._element, self._end = element, end
        self._lines: list[str] = []
        self._ended = False
        self.takes(line)

    def takes(self, line: Line) -> bool:
        if self._ended or (line.blank and self._end is _BLANK_ENDS):
            return False
        self._lines.append(line.rest())
        self._ended = bool(self._end.search(line.text, line.first))
        return True

    def close(self) -> None:
        self._element.text = AtomicString("\n".join(self._lines).strip("\n"))


def html_end(text: str, *, in_paragraph: bool) -> re.Pattern[str] | None:
    """What ends the raw HTML that begins with `text`; `None` if it is none."""
    for start, end in _HTML:
        if start.match(text):
            return end
    return _BLANK_ENDS if not in_paragraph and _LONE_TAG.match(text) else None


class Table:
    """Rows, after a header and its rule."""

    def __init__(self, element: Element, header: list[str], rule: list[str]) -> None:
        self._element = element
        self._alignments = [_alignment(cell) for cell in rule]
        self._cells = 0
        self._body: Element | None = None
        self._row(SubElement(element, "thead"), "th", header)

    def takes(self, line: Line) -> bool:
        """Never for certain."""
        return False

    def add(self, text: str) -> None:
        if self._body is None:
            self._body = SubElement(self._element, "tbody")
        self._row(self._body, "td", cells(text))

    def _row(self, parent: Element, tag: str, texts: list[str]) -> None:
        row = SubElement(parent, "tr")
        self._cells += len(self._alignments)
        if self._cells < _CELLS:  # beyond, short rows stay short: a wide header and many rows would be quadratic
            texts += [""] * (len(self._alignments) - len(texts))
        for text, alignment in zip(texts, self._alignments, strict=False):
            SubElement(row, tag, {"align": alignment} if alignment else {}).text = text

    def close(self) -> None:
        """Nothing is left to do."""


def _alignment(rule: str) -> str:
    left, right = rule.startswith(":"), rule.endswith(":")
    return "center" if left and right else "left" if left else "right" if right else ""


def table(element: Element, header: str, rule: str) -> Table | None:
    """The table that two lines begin, if they do."""
    if not _ROW_RULE.fullmatch(rule):
        return None
    names, rules = cells(header), cells(rule)
    return Table(element, names, rules) if len(names) == len(rules) else None


def cells(row: str) -> list[str]:
    r"""The texts between the pipes of a row; `\|` is a pipe, also in code."""
    row = row.strip(" \t").removeprefix("|")
    found, start = [], 0
    for pipe in _PIPE.finditer(row):
        if pipe[0] == "|":
            found.append(row[start : pipe.start()])
            start = pipe.end()
    rest = row[start:]
    if unsigned(rest)[0].strip():
        found.append(rest)
    elif found:
        found[-1] = found[-1].rstrip(" \t") + rest.strip()  # a mark after the last pipe
    return [cell.strip(" \t").replace(r"\|", "|") for cell in found]


Leaf = Paragraph | Fence | Indented | Html | Table
