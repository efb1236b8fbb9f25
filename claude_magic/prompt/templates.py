r"""`{{name}}` in a cell's text: a notebook variable, inserted as data.

Text is filled in one pass: inserted text is not filled again. Nothing is called and nothing is evaluated. What is a
template and what stays as typed: see `template_parser`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from ..errors import CellError
from . import secrets
from .python_braces import is_call
from .template_parser import Template, parse_templates
from .template_values import suggestion, template_value
from .values import FormattedValue

_OUTPUTS = ("__", "___")  # the last output but one, and the one before


def fill_template(
    text: str,
    namespace: Mapping[str, Any],
    write: Callable[[Any], str],
    *,
    allow_secret: bool = False,
    tell: Callable[[str], None] | None = None,
    escape: str = "\\",
) -> str:
    """`text` with its templates filled from `namespace`.

    Args:
        write: Converts a value to the text that is inserted.
        escape: What the user types before braces that are no template, for messages.
        tell: Called with a note for each value that was cut, as `df: first 50 of 200 rows sent; Claude.table_rows`.

    Raises:
        CellError: A variable, attribute or item does not exist or is a method, or the value looks like a secret.
    """
    templates = list(parse_templates(text))
    refuse_python(text, namespace, escape)
    _refuse_missing([template for template in templates if template.name], namespace, escape)
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


def refuse_python(text: str, namespace: Container[str], escape: str = "\\") -> None:
    """Checks that no braces look like Python that is more than a path to data.

    Raises:
        CellError: Some do.
    """
    for template in parse_templates(text):
        if template.python is not None and template.python.is_meant(namespace):
            place = " ".join(template.literal.split())
            place = place if len(place) <= 80 else f"{place[:76]}…}}}}"
            why = "called" if is_call(template.literal.strip("{}")) else "computed"
            raise CellError(
                f"{place} is refused: nothing in braces is {why}. Assign it to a variable first, x = ..., and write "
                f"{{{{x}}}}; or write {escape}{place} for the braces themselves."
            )


def names(text: str) -> list[str]:
    """The names of the variables in `text`, without repetition, in order."""
    return list(dict.fromkeys(template.name for template in parse_templates(text) if template.name))


def insert_values(text: str, values: Mapping[str, str]) -> str:
    """`text` with `{{name}}` replaced by these values; other templates stay.

    A value that itself holds `{{name}}` is escaped where that is possible: fill the result and compare to be sure.
    """
    pieces, position = [], 0
    for template in parse_templates(text):
        if template.name in values and not template.steps:
            pieces += [text[position : template.start], escape(values[template.name])]
            position = template.end
    return "".join((*pieces, text[position:]))


def escape(text: str) -> str:
    """`text` escaped so that filling it gives `text` again; except for an odd number of backslashes before braces."""
    pieces, position = [], 0
    for template in parse_templates(text):
        if template.name or template.python is not None:
            pieces += [text[position : template.start], "\\"]
            position = template.start
    return "".join((*pieces, text[position:]))


def _refuse_missing(templates: list[Template], namespace: Mapping[str, Any], escape: str) -> None:
    for template in templates:
        if template.name.startswith("__") and template.name not in _OUTPUTS:
            raise CellError(
                f"{template.place()} is refused: a name with two underscores in front. Give it another name."
            )
    missing = [template for template in templates if template.name not in namespace]
    if missing:
        absent = list(dict.fromkeys(template.name for template in missing))
        place = missing[0].place()
        near = suggestion(absent[0], (n for n in namespace if not n.startswith("_")))
        raise CellError(
            f"no variable {' and no '.join(absent)}: the text says {place}.{near} "
            f"Define it first, or write {escape}{place} for the braces themselves."
        )


def _insertion(template: Template, value: Any, write: Callable[[Any], str], allow_secret: bool) -> str:
    value = template_value(template, value)
    if not allow_secret:
        for name in (template.name, *(step.key for step in template.steps)):
            if secrets.named_secret(str(name), value):
                raise CellError(_refusal(template, f"its name says so, {str(name)[:60]!r}"))
    text = write(value)
    if not allow_secret and (kind := secrets.shaped_secret(text)):
        raise CellError(_refusal(template, f"it holds something shaped like {kind}"))
    return text


def _refusal(template: Template, why: str) -> str:
    return f"{template.place()} looks like a secret: {why}. Nothing was sent; if it may be sent, use --allow-secret."
