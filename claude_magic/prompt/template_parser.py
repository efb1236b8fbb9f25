r"""Finds the templates `{{name}}` in a text.

A template is a plain name, and after it any chain of `.name`, `[0]`, `[-1]`, `["key"]` and
`['key']`, within one line; blanks are allowed only beside the braces. Text is filled in one pass:
inserted text is not filled again. Nothing is called and nothing is evaluated.

Braces that look like other Python are an error: `{{f(x)}}`, `{{x[0:2]}}`, `{{x + 1}}`, `{{x:.2f}}`. Everything else
stays as typed: `{single}` and `{{{triple}}}` braces, `{{}}`, `{{"a": 1}}`, `{{x|e}}`, `{{#if x}}`, and Python's
keywords, such as `{{else}}`.
`\{{name}}` is a literal `{{name}}`; two backslashes are two backslashes before what is inserted.

LaTeX groups in the same braces, so these stay as typed as well:

- what follows a command and its arguments: `\mathbf{{a}}`, `\frac{{a}}{{b}}`, `\sqrt[3]{{x}}`
  (but not `\n`, `\r`, `\t`, which are pieces of a string);
- what follows the commands most used and a blank: `\frac {{a}}{b}`, `\sqrt`, `\math...`, `\text...`;
- what follows a `^`: `e^{{n}}`, or stands within it: `e^{-{{n}}}`;
- what follows a `_` after a single letter, a command or a closing bracket: `x_{{i}}`,
  `\beta_{{i}}`, `f(x)_{{i}}`; in `report_{{year}}`, `{{a}}_{{b}}` and `_{{title}}_` it is text.

Where braces mean both (Jinja, GitHub Actions, BibTeX), a name that no variable has is an error.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from .python_braces import Expression, expression

_NAME = r"[^\W\d]\w*"
_STEP = re.compile(rf"""\.({_NAME})|\[[ ]*(?:(-?[0-9]{{1,18}})|"([^"\\\n]*)"|'([^'\\\n]*)')[ ]*\]""")
_NESTED = r"(?:[^{}]|\{[^{}]*\}(?!\}\}\}))+"  # with a dict or a set in it
_STEPS = re.sub(r"\((?!\?)", "(?:", _STEP.pattern)
_BRACES = re.compile(rf"(?<!\{{)\{{\{{(?:[ \t]*({_NAME})((?:{_STEPS})*)[ \t]*|([^{{}}]*|{_NESTED}))\}}\}}")
_LATEX = re.compile(
    r"""(?: \\(?![nrt]\Z)[A-Za-z]+\*?                                               # a command
          | \\(?:[dt]?frac|[dt]?binom|sqrt|math[a-z]+|text[a-z]*|operatorname)\*?[ ]+
          | \S\^                                                                    # a superscript
          | (?: \\[A-Za-z]+ | (?<![^\W\d])[A-Za-z]'* | [)\]}] )_                    # a subscript
          | [\^_]\{[^{}\n]*                                                         # within one of them
        )\Z""",
    re.VERBOSE,
)
_REACH = 400  # characters before braces that are searched for a command; bounded, so that long texts stay fast


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step from a value to a value in it."""

    typed: str
    key: str | int
    is_attribute: bool


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template in a text, from `start` to `end`.

    Attributes:
        name: The variable; `""` if `literal` is inserted instead.
        python: The Python expression that the braces hold, if it is more than a path to data; else `None`.
    """

    start: int
    end: int
    name: str = ""
    steps: tuple[Step, ...] = ()
    literal: str = ""
    python: Expression | None = None

    def place(self, steps: int | None = None) -> str:
        return "{{" + self.name + "".join(step.typed for step in self.steps[:steps]) + "}}"


def parse_templates(text: str) -> Iterator[Template]:
    """The templates of a text, in order."""
    inserted = 0  # where the last template ended: no command reaches beyond it
    for typed in _BRACES.finditer(text):
        match = typed
        if match[1] is None and not match[0].isascii():  # Python reads a letter in two characters as one
            match = _BRACES.fullmatch(normalize("NFKC", typed[0])) or typed
        before = text[max(inserted, typed.start() - _REACH) : typed.start()]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            yield Template(start=typed.start() - 1, end=typed.end(), literal=typed[0])
        elif match[1] is None:
            expr = None if _is_latex(before) else expression(match[3])
            if expr is not None:
                yield Template(start=typed.start(), end=typed.end(), literal=typed[0], python=expr)
        elif not _is_latex(before):
            steps = tuple(_steps(match[2]))
            if not any(map(keyword.iskeyword, (match[1], *(str(s.key) for s in steps if s.is_attribute)))):
                yield Template(start=typed.start(), end=typed.end(), name=match[1], steps=steps)
                inserted = typed.end()


def _steps(typed: str) -> Iterator[Step]:
    for match in _STEP.finditer(typed):
        attribute, number, *quoted = match.groups()
        text = next((t for t in (attribute, *quoted) if t is not None), "")
        yield Step(typed=match[0], key=text if number is None else int(number), is_attribute=attribute is not None)


def _is_latex(before: str) -> bool:
    """Whether braces after `before` are a LaTeX argument; groups before them may also be arguments."""
    while before.endswith(("}", "]")) and (start := _group(before)) is not None:
        before = before[:start]
    return _LATEX.search(before[-60:]) is not None


def _group(before: str) -> int | None:
    """Where the group that ends `before` begins."""
    depth = 0
    for index in range(len(before) - 1, -1, -1):
        depth += (before[index] in "}]") - (before[index] in "{[")
        if depth == 0:
            return index
    return None
