"""A notebook file as text that a model reads: the sources of its cells, without their outputs.

Source: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import CellError

_TICKS = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)


def sources(text: str, where: str) -> str:
    """The cells of the notebook whose JSON is `text`, numbered, code in fences.

    Raises:
        CellError: It is not the JSON of a notebook of format 4.
    """
    try:
        made = json.loads(text)
        language = _language(made.get("metadata"))
        cells = [_cell(number, cell, language) for number, cell in enumerate(made["cells"], 1)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CellError(
            f"{where}: not a notebook of format 4. Open and save it in Jupyter, or give the file another ending."
        ) from None
    return "\n\n".join(filter(None, cells))


def _cell(number: int, cell: dict[str, Any], language: str) -> str:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    if not source.strip():
        return ""
    kind = cell["cell_type"]
    if kind != "code":
        return f"[cell {number}, {kind}]\n{source}"
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in _TICKS.findall(source))])
    return f"[cell {number}, {kind}]\n{fence}{language}\n{source}\n{fence}"


def _language(metadata: Any) -> str:
    for place in ("language_info", "kernelspec"):
        told = metadata.get(place) if isinstance(metadata, dict) else None
        name = told.get("name" if place == "language_info" else "language") if isinstance(told, dict) else None
        if isinstance(name, str) and name.isalnum():
            return name
    return "python"
