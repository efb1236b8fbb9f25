"""What OpenAI's form of a request drops or changes, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from .table import table, words

_NOTHING = "nothing of this request is dropped or changed in OpenAI's form"


def forms(rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The mime bundle of the table.

    Args:
        rows: Each a field, and what becomes of it.
    """
    cells = [[words(name, 60), words(what, 120)] for name, what in rows] or [["", _NOTHING]]
    return table("", ("field", "in OpenAI's form"), cells, kinds=dict.fromkeys(("field", "in OpenAI's form"), "wrap"))
