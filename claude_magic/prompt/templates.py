r"""`{{name}}` in a cell's text: a notebook variable, inserted as data.

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

import difflib
import inspect
import keyword
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import BuiltinMethodType, MethodType
from typing import Any
from unicodedata import normalize

from ..errors import CellError, did_you_mean
from . import secrets
from .python_braces import Expression, expression, is_call
from .values import FormattedValue

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
_LOOK = " Look at the value."
_MAX_NAMES = 2000  # names or keys that are compared to find similar ones


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One step from a value to a value in it."""

    typed: str
    key: str | int
    is_attribute: bool


@dataclass(frozen=True, kw_only=True)
class _Template:
    """A template in a text, from `start` to `end`.

    Attributes:
        name: The variable; `""` if `literal` is inserted instead.
        python: The Python expression that the braces hold, if it is more than a path to data; else `None`.
    """

    start: int
    end: int
    name: str = ""
    steps: tuple[_Step, ...] = ()
    literal: str = ""
    python: Expression | None = None

    def place(self, steps: int | None = None) -> str:
        return "{{" + self.name + "".join(step.typed for step in self.steps[:steps]) + "}}"


def fill_template(
    text: str,
    namespace: Mapping[str, Any],
    write: Callable[[Any], str],
    *,
    allow_secret: bool = False,
    tell: Callable[[str], None] | None = None,
) -> str:
    """`text` with its templates filled from `namespace`.

    Args:
        write: Converts a value to the text that is inserted.
        tell: Called with a note for each value that was cut, as `df: first 50 of 200 rows sent; Claude.table_rows`.

    Raises:
        CellError: A variable, attribute or item does not exist or is a method, or the value looks like a secret.
    """
    templates = list(_templates(text))
    refuse_python(text, namespace)
    _refuse_missing([template for template in templates if template.name], namespace)
    pieces, position = [], 0
    for template in templates:
        pieces += [text[position : template.start], template.literal]
        if template.name:
            inserted = _insertion(template, namespace[template.name], write, allow_secret)
            if tell is not None and isinstance(inserted, FormattedValue) and inserted.cut:
                tell(f"{template.place().strip('{}')}: {inserted.cut}")
            pieces.append(inserted)
        position = template.end
    return "".join((*pieces, text[position:]))


def refuse_python(text: str, namespace: Container[str]) -> None:
    """Checks that no braces look like Python that is more than a path to data.

    Raises:
        CellError: Some do.
    """
    for template in _templates(text):
        if template.python is not None and template.python.is_meant(namespace):
            place = " ".join(template.literal.split())
            place = place if len(place) <= 80 else f"{place[:76]}…}}}}"
            why = "called" if is_call(template.literal.strip("{}")) else "computed"
            raise CellError(
                f"{place} is refused: nothing in braces is {why}. Assign it to a variable first, x = ..., and write "
                f"{{{{x}}}}; or write \\{place} for the braces themselves."
            )


def names(text: str) -> list[str]:
    """The names of the variables in `text`, without repetition, in order."""
    return list(dict.fromkeys(template.name for template in _templates(text) if template.name))


def insert_values(text: str, values: Mapping[str, str]) -> str:
    """`text` with `{{name}}` replaced by these values; other templates stay.

    A value that itself holds `{{name}}` is escaped where that is possible: fill the result and compare to be sure.
    """
    pieces, position = [], 0
    for template in _templates(text):
        if template.name in values and not template.steps:
            pieces += [text[position : template.start], escape(values[template.name])]
            position = template.end
    return "".join((*pieces, text[position:]))


def escape(text: str) -> str:
    """`text` escaped so that filling it gives `text` again; except for an odd number of backslashes before braces."""
    pieces, position = [], 0
    for template in _templates(text):
        if template.name or template.python is not None:
            pieces += [text[position : template.start], "\\"]
            position = template.start
    return "".join((*pieces, text[position:]))


def _templates(text: str) -> Iterator[_Template]:
    inserted = 0  # where the last template ended: no command reaches beyond it
    for typed in _BRACES.finditer(text):
        match = typed
        if match[1] is None and not match[0].isascii():  # Python reads a letter in two characters as one
            match = _BRACES.fullmatch(normalize("NFKC", typed[0])) or typed
        before = text[max(inserted, typed.start() - _REACH) : typed.start()]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            yield _Template(start=typed.start() - 1, end=typed.end(), literal=typed[0])
        elif match[1] is None:
            expr = None if _is_latex(before) else expression(match[3])
            if expr is not None:
                yield _Template(start=typed.start(), end=typed.end(), literal=typed[0], python=expr)
        elif not _is_latex(before):
            steps = tuple(_steps(match[2]))
            if not any(map(keyword.iskeyword, (match[1], *(str(s.key) for s in steps if s.is_attribute)))):
                yield _Template(start=typed.start(), end=typed.end(), name=match[1], steps=steps)
                inserted = typed.end()


def _steps(typed: str) -> Iterator[_Step]:
    for match in _STEP.finditer(typed):
        attribute, number, *quoted = match.groups()
        text = next((t for t in (attribute, *quoted) if t is not None), "")
        yield _Step(typed=match[0], key=text if number is None else int(number), is_attribute=attribute is not None)


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


def _refuse_missing(templates: list[_Template], namespace: Mapping[str, Any]) -> None:
    for template in templates:
        if template.name.startswith("__"):
            raise CellError(
                f"{template.place()} is refused: a name with two underscores in front. Give it another name."
            )
    missing = [template for template in templates if template.name not in namespace]
    if missing:
        absent = list(dict.fromkeys(template.name for template in missing))
        place = missing[0].place()
        near = _suggestion(absent[0], (n for n in namespace if not n.startswith("_")))
        raise CellError(
            f"no variable {' and no '.join(absent)}: the text says {place}.{near} "
            f"Define it first, or write \\{place} for the braces themselves."
        )


def _insertion(template: _Template, value: Any, write: Callable[[Any], str], allow_secret: bool) -> str:
    for number, step in enumerate(template.steps, 1):
        where = template.place(number)
        value = _attribute(value, str(step.key), where) if step.is_attribute else _item(value, step, where)
    if not allow_secret:
        for name in (template.name, *(step.key for step in template.steps)):
            if secrets.named_secret(str(name), value):
                raise CellError(_refusal(template, f"its name says so, {str(name)[:60]!r}"))
    text = write(value)
    if not allow_secret and (kind := secrets.shaped_secret(text)):
        raise CellError(_refusal(template, f"it holds something shaped like {kind}"))
    return text


def _attribute(value: Any, name: str, where: str) -> Any:
    """The attribute `name` of `value`: an own one, one of its class, a slot or a property.

    A property runs, since its author declared it as data; `__getattr__` and `__getattribute__` never run, since they
    compute their answer.
    """
    if name.startswith("_"):
        raise CellError(f"{where} is refused: an underscore in front says private. Put it in a variable first.")
    is_class = issubclass(type(value), type)
    try:
        inspect.getattr_static(value, name)
    except AttributeError:
        near = _suggestion(name, [*_attributes(value), *_keys(value)])
        raise CellError(f"{where} does not exist: {_kind(value)} holds no {name}.{near or _LOOK}") from None
    try:
        result = type.__getattribute__(value, name) if is_class else object.__getattribute__(value, name)
    except Exception as error:
        raise CellError(f"{where} cannot be read: {type(error).__name__}. Put it in a variable first.") from error
    if isinstance(result, MethodType | BuiltinMethodType) and result.__self__ is value:
        raise CellError(f"{where} is refused: a method, and nothing is called. Put its result in a variable first.")
    return result


def _item(value: Any, step: _Step, where: str) -> Any:
    """The item under the key; `__missing__` of a dictionary is not used."""
    get = getattr(type(value), "__getitem__", None)
    if get is None:
        raise CellError(f"{where} does not exist: {_kind(value)} has no items.{_LOOK}")
    try:
        if isinstance(value, dict) and step.key not in value:
            raise KeyError
        return get(value, step.key)
    except TypeError:
        seen = f"{_kind(value)} does not take {step.typed}"
    except KeyError:
        seen = f"{_kind(value)} has no {step.typed}"
    except IndexError:
        seen = f"{_kind(value)} has no {step.typed} among its {len(value):,} items"
    except Exception as error:
        raise CellError(f"{where} cannot be read: {type(error).__name__}. Put it in a variable first.") from error
    keys = _keys(value)
    there = f" It has {', '.join(key[:40] for key in keys[:5])}." if keys else _LOOK
    raise CellError(f"{where} does not exist: {seen}.{_suggestion(str(step.key), keys) or there}")


def _attributes(value: Any) -> list[str]:
    """The public data attributes of `value`, as a template writes them."""
    with suppress(Exception):
        known = type.__dir__(value) if issubclass(type(value), type) else object.__dir__(value)
        public = [name for name in known if not name.startswith("_")]
        return [f".{name}" for name in public if not inspect.isroutine(inspect.getattr_static(value, name))]
    return []


def _keys(value: Any) -> list[str]:
    """The keys of a mapping or the columns of a table, as a template writes them."""
    with suppress(Exception):
        keys = value if isinstance(value, Mapping) else object.__getattribute__(value, "columns")
        return [f'["{key}"]' if isinstance(key, str) else f"[{key}]" for key in islice(keys, _MAX_NAMES)]
    return []


def _kind(value: Any) -> str:
    return f"the {type(value).__name__}"


def _suggestion(missing: str, known: Iterable[str]) -> str:
    """A sentence that offers the known names most like `wanted`; `""` if none is like it."""
    bare = {name.strip('[".]').casefold(): name for name in islice(known, _MAX_NAMES)}
    near = difflib.get_close_matches(missing.casefold(), bare, n=3, cutoff=0.5)
    return did_you_mean(bare[name] for name in near)


def _refusal(template: _Template, why: str) -> str:
    return f"{template.place()} looks like a secret: {why}. Nothing was sent; if it may be sent, use --allow-secret."
