"""From the rows of `claude.map` to the texts of their prompts.

`{{name}}` in a template is a column, whatever its name: also `{{city name}}` and `{{1}}`, which no variable could
have. A row without a value there has no prompt: nobody wants to pay for the text `nan`.
"""

from __future__ import annotations

import functools
import keyword
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CellError
from ..prompt.templates import fill_template, names, refuse_python
from ..session.prompt import write_value
from ..settings import Claude
from .rows import COLUMN, Row, is_missing

_BRACES = re.compile(r"(?<![\\{])\{\{[ \t]*([^{}\n]+?)[ \t]*\}\}(?!\})")


@dataclass(frozen=True, kw_only=True)
class RowTemplate:
    """How the prompt of a row is written.

    Attributes:
        template: With a variable's name for each column; `None` to send the only column.
        columns: The columns that it uses, by the variable's name.
    """

    template: str | None
    columns: dict[str, str]

    def text(self, row: Row, settings: Claude) -> str | CellError:
        """The text of a row's prompt, or why it has none.

        Args:
            settings: How much of a value is inserted.
        """
        for column in self.columns.values():
            if is_missing(row.get(column)):
                return CellError(f"the row has nothing in the column {column!r}.")
        try:
            text = self._fill(row, settings)
        except CellError as error:
            return error
        return text if text.strip() else CellError("the question is empty.")

    def _fill(self, row: Row, settings: Claude) -> str:
        write = functools.partial(write_value, settings=settings)
        values = {name: row[column] for name, column in self.columns.items()}
        if self.template is None:
            (value,) = values.values()
            return value if isinstance(value, str) else write(value)
        return fill_template(self.template, {**row, **values}, write)


def row_template(template: Any, columns: Sequence[str], *, expected: str | None) -> RowTemplate:
    """The template for rows with these columns.

    Args:
        columns: Empty if they are unknown because there are no rows.
        expected: The column with the expected reply, which is sent only if the template names it.

    Raises:
        CellError: The template does not fit them.
    """
    if template is None:
        only = _only_column(list(dict.fromkeys(columns)), expected)
        row = RowTemplate(template=None, columns={only: only})
    elif isinstance(template, str):
        row = _from_template(template, columns)
    else:
        raise CellError(f"the template is no text, but {type(template).__name__}. Give one such as 'Hi: {{{{text}}}}'.")
    check_unique(columns, row.columns.values())
    return row


def check_unique(columns: Sequence[str], wanted: Collection[str]) -> None:
    """Refuses a column whose name another one has.

    Raises:
        CellError: There is one.
    """
    counts = Counter(columns)
    for name in wanted:
        if counts[name] > 1:
            raise CellError(f"{counts[name]} columns are called {name!r}. Rename them. Nothing was sent.")


def _only_column(columns: list[str], expected: str | None) -> str:
    others = [name for name in columns if name != expected] or columns
    if len(others) > 1 and COLUMN not in others:
        raise CellError(
            f"which column is to be sent? There are {', '.join(others)}. "
            "Give a template such as 'Translate: {{text}}'."
        )
    return others[0] if len(others) == 1 else COLUMN


def _from_template(template: str, columns: Sequence[str]) -> RowTemplate:
    odd = [name for name in columns if not name.isidentifier() or keyword.iskeyword(name)]
    in_use = set(columns) - set(odd)
    variables: dict[str, str] = {}
    for column in dict.fromkeys(odd):
        name = "_" + re.sub(r"\W", "_", column)
        while name in in_use:
            name += "_"
        in_use.add(name)
        variables[column] = name

    def rename(braces: re.Match[str]) -> str:
        name = variables.get(braces[1], "")
        variable = f"{{{{{name}}}}}"
        before = template[: braces.start()]
        is_filled = name and name in names(before + variable)  # not where templates are left alone, as in LaTeX
        return variable if is_filled else braces[0]

    text = _BRACES.sub(rename, template)
    refuse_python(text, {*columns, *variables.values()})
    column_of = {name: column for column, name in variables.items()}
    used = {name: column_of.get(name, name) for name in names(text)}
    missing = [column for column in used.values() if columns and column not in columns]
    if missing:
        raise CellError(f"no column {missing[0]!r}. There are {', '.join(columns)}. Nothing was sent.")
    if columns and not used:
        raise CellError(
            f"the template names no column, so that all rows would be asked the same. Write {{{{{columns[0]}}}}} "
            "where a row's value goes. Nothing was sent."
        )
    return RowTemplate(template=text, columns=used)
