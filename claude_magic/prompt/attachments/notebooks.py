"""Converts a notebook file to text for a model: the sources of its cells, without outputs.

Source: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import CellError

_TICKS = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)
_LANGUAGE = re.compile(r"[A-Za-z][\w+#.-]{0,30}")
_KERNELS = {"ir": "R", "irkernel": "R", "ark": "R", "ijavascript": "javascript", "conda-root-py": "python"}
_ENDINGS = re.compile(r"[\d._-]*$")


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """The text of a notebook.

    Attributes:
        language: The language of most code cells; `""` if unknown.
        note: What was omitted or is unknown.
    """

    text: str
    language: str
    note: str


def is_notebook(text: str) -> bool:
    """Whether `text` is the JSON of a notebook."""
    if '"nbformat"' not in text or not text.lstrip().startswith("{"):
        return False
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(notebook.get("nbformat"), int) and ("cells" in notebook or "worksheets" in notebook)


def sources(text: str, where: str) -> Notebook:
    """The cells of the notebook whose JSON is `text`, numbered, code in fences.

    Raises:
        CellError: It is not the JSON of a notebook of format 3 or 4.
    """
    try:
        notebook = json.loads(text)
        language = _language(notebook.get("metadata"))
        cells = list(_cells(notebook))
        texts = [_cell(number, cell, language) for number, cell in enumerate(cells, 1)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CellError(
            f"{where}: not a notebook of format 3 or 4. Open and save it in Jupyter, or give the file another ending."
        ) from None
    languages = Counter(_cell_language(cell, language) for cell in cells if cell.get("cell_type") == "code")
    most = languages.most_common(1)[0][0] if languages else language
    images = ", and the images in its text" * any(cell.get("attachments") for cell in cells)
    unknown = ", does not say its language" * (not most and bool(languages))
    return Notebook(text="\n\n".join(filter(None, texts)), language=most, note=f"without its outputs{images}{unknown}")


def _cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells; in format 3, those of all worksheets."""
    if "cells" in notebook:
        yield from notebook["cells"]
        return
    for sheet in notebook["worksheets"]:
        yield from sheet["cells"]


def _cell(number: int, cell: dict[str, Any], language: str) -> str:
    lines = cell["input"] if "input" in cell else cell["source"]
    source = lines if isinstance(lines, str) else "".join(lines)
    if not source.strip():
        return ""
    kind = cell["cell_type"]
    if kind == "heading":
        kind, source = "markdown", f"{'#' * int(cell.get('level', 1))} {source}"
    if kind != "code":
        return f"[cell {number}, {kind}]\n{source}"
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in _TICKS.findall(source))])
    return f"[cell {number}, {kind}]\n{fence}{_cell_language(cell, language)}\n{source}\n{fence}"


def _cell_language(cell: dict[str, Any], language: str) -> str:
    """The cell's own language, as format 3, VS Code and .NET's notebooks store it, else the notebook's."""
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    names = [_at(metadata, "vscode", "languageId"), _at(metadata, "polyglot_notebook", "kernelName")]
    names += [_at(metadata, "dotnet_interactive", "language"), cell.get("language")]
    return next(filter(None, map(_label, names)), language)


def _language(metadata: Any) -> str:
    """The notebook's language; `""` if its metadata do not hold it."""
    metadata = metadata if isinstance(metadata, dict) else {}
    kernel = _at(metadata, "kernelspec", "name")
    names = [_at(metadata, "language_info", "name"), _at(metadata, "kernelspec", "language")]
    names += [_of_kernel(kernel), _at(metadata, "kernelspec", "display_name")]
    return next(filter(None, map(_label, names)), "")


def _at(metadata: dict[str, Any], place: str, name: str) -> Any:
    inner = metadata.get(place)
    return inner.get(name) if isinstance(inner, dict) else None


def _of_kernel(name: Any) -> str:
    """`julia` of `julia-1.10`, `C++` of `xcpp17`."""
    if not isinstance(name, str):
        return ""
    bare = _ENDINGS.sub("", name.lower())
    return _KERNELS.get(bare, "C++" if bare.startswith("xcpp") else bare)


def _label(name: Any) -> str:
    match = _LANGUAGE.match(name) if isinstance(name, str) else None
    return match[0] if match else ""
