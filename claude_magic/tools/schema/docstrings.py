"""What a docstring says: of a function, and of each of its parameters.

Google's, NumPy's, Sphinx's and Epydoc's styles are read by docstring_parser. What a caller must know is kept: the
text, what comes back, notes and warnings; types, examples and what is raised are left out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KEPT = {"returns": "Returns", "return": "Returns", "yields": "Yields", "notes": "Note", "warnings": "Warning"}


@dataclass(frozen=True, kw_only=True)
class Documentation:
    """What is written about a function.

    Attributes:
        arguments: By the name of the parameter; those of which nothing is written are missing.
    """

    text: str
    arguments: Mapping[str, str]


def documentation(docstring: str | None) -> Documentation:
    """A docstring, read; one in no known style is text as a whole."""
    clean_text = inspect.cleandoc(docstring or "").strip()
    if not clean_text:
        return Documentation(text="", arguments={})
    import docstring_parser

    try:
        parsed = docstring_parser.parse(clean_text)
    except Exception:  # any of its own; what cannot be read is still worth reading
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
        if each.args and each.args[0] in _KEPT and each.description:
            yield f"{_KEPT[each.args[0]]}: {each.description.strip()}"
