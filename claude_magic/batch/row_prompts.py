"""From the rows of `claude.map` to the texts of their questions.

A template's `{{name}}` is a column, whatever the column is called: also `{{city name}}` and `{{1}}`, which no
variable could be. A cell that holds no value makes no question: `nan` is nothing that one asks for money.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CellError
from ..prompt.templates import fill_template, names, refuse_python
from .rows import COLUMN, Row, is_missing

_BRACES = re.compile(r"(?<![\\{])\{\{[ \t]*([^{}\n]+?)[ \t]*\}\}(?!\})")


@dataclass(frozen=True, kw_only=True)
class RowTemplate:
    """How a row is asked.

    Attributes:
        template: With a variable's name for each column; `None` to send the only column.
        columns: Those that are asked for, by the name that stands for them.
    """

    template: str | None
    columns: dict[str, str]

    def prompt(self, row: Row, write: Callable[[Any], str]) -> str | CellError:
        """The text of a row, or why it has none."""
        for column in self.columns.values():
            if is_missing(row.get(column)):
                return CellError(f"the row has nothing in the column {column!r}.")
        try:
            text = self._text(row, write)
        except CellError as error:
            return error
        return text if text.strip() else CellError("the question is empty.")

    def _text(self, row: Row, write: Callable[[Any], str]) -> str:
        values = {name: row[column] for name, column in self.columns.items()}
        if self.template is None:
            (value,) = values.values()
            return value if isinstance(value, str) else write(value)
        return fill_template(self.template, {**row, **values}, write)


def row_template(template: Any, columns: Sequence[str], *, expected: str | None) -> RowTemplate:
    """How rows with these columns are asked.

    Args:
        columns: None if nothing is known of them, as there are no rows.
        expected: The column that holds what is right, which is not sent where no template says so.

    Raises:
        CellError: The template does not fit them.
    """
    if template is None:
        only = _only_column(list(dict.fromkeys(columns)), expected)
        asked = RowTemplate(template=None, columns={only: only})
    elif isinstance(template, str):
        asked = _from_template(template, columns)
    else:
        raise CellError(f"the template is no text, but {type(template).__name__}. Give one such as 'Hi: {{{{text}}}}'.")
    check_unique(columns, asked.columns.values())
    return asked


def check_unique(columns: Sequence[str], wanted: Collection[str]) -> None:
    """Refuse a column that two have the name of.

    Raises:
        CellError: There is one.
    """
    counts = Counter(columns)
    for name in wanted:
        if counts[name] > 1:
            raise CellError(f"{counts[name]} columns are called {name!r}. Rename them. Nothing was sent.")


def _only_column(columns: list[str], expected: str | None) -> str:
    found = [name for name in columns if name != expected] or columns
    if len(found) > 1 and COLUMN not in found:
        raise CellError(
            f"which column is to be sent? There are {', '.join(found)}. "
            "Give a template such as 'Translate: {{text}}'."
        )
    return found[0] if len(found) == 1 else COLUMN


def _from_template(template: str, columns: Sequence[str]) -> RowTemplate:
    odd = [name for name in columns if not name.isidentifier() or keyword.iskeyword(name)]
    taken = set(columns) - set(odd)
    stands: dict[str, str] = {}
    for column in dict.fromkeys(odd):
        name = "_" + re.sub(r"\W", "_", column)
        while name in taken:
            name += "_"
        taken.add(name)
        stands[column] = name

    def rename(braces: re.Match[str]) -> str:
        name = stands.get(braces[1], "")
        made = f"{{{{{name}}}}}"
        before = template[: braces.start()]
        filled_there = name and name in names(before + made)  # not where templates are left alone, as in LaTeX
        return made if filled_there else braces[0]

    made = _BRACES.sub(rename, template)
    refuse_python(made, {*columns, *stands.values()})
    column_of = {name: column for column, name in stands.items()}
    wanted = {name: column_of.get(name, name) for name in names(made)}
    missing = [column for column in wanted.values() if columns and column not in columns]
    if missing:
        raise CellError(f"no column {missing[0]!r}. There are {', '.join(columns)}. Nothing was sent.")
    if columns and not wanted:
        raise CellError(
            f"the template names no column, so that all rows would be asked the same. Write {{{{{columns[0]}}}}} "
            "where a row's value goes. Nothing was sent."
        )
    return RowTemplate(template=made, columns=wanted)
