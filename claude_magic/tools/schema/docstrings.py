"""Extracts the description of a function and of its parameters from a docstring.

docstring_parser reads the styles of Google, NumPy, Sphinx and Epydoc. The text, the return value, notes and warnings
are kept; types, examples and exceptions are left out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SECTIONS = {"returns": "Returns", "return": "Returns", "yields": "Yields", "notes": "Note", "warnings": "Warning"}


@dataclass(frozen=True, kw_only=True)
class Documentation:
    """The documentation of a function.

    Attributes:
        arguments: The descriptions by parameter name; undocumented parameters are missing.
    """

    text: str
    arguments: Mapping[str, str]


def documentation(docstring: str | None) -> Documentation:
    """The parts of a docstring; one of unknown style is all text."""
    clean_text = inspect.cleandoc(docstring or "").strip()
    if not clean_text:
        return Documentation(text="", arguments={})
    import docstring_parser

    try:
        parsed = docstring_parser.parse(clean_text)
    except Exception:  # any class; the raw text is still useful
        return Documentation(text=clean_text, arguments={})
    parts = [parsed.short_description, parsed.long_description, *_other_sections(parsed.meta)]
    arguments = {
        name.strip().lstrip("*"): each.description.strip()
        for each in parsed.params
        if each.description and each.args[:1] != ["attribute"]
        for name in each.arg_name.split(",")
    }
    return Documentation(text="\n\n".join(filter(None, parts)), arguments=arguments)


def _other_sections(sections: list[Any]) -> Iterator[str]:
    for each in sections:
        if each.args and each.args[0] in _SECTIONS and each.description:
            yield f"{_SECTIONS[each.args[0]]}: {each.description.strip()}"
