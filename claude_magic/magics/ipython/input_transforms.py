"""Keeps IPython from rewriting what was typed.

IPython strips `>>>` and `In [1]:` from the lines of a cell, refuses a `%%claude --help` without lines below, and takes
the `?` at the end of a question for a request for help.
"""

from __future__ import annotations

import re
from typing import Any

from IPython.core.inputtransformer2 import EscapedCommand

_CELL = re.compile(r"%%claude(?:[ \t]+(?P<line>[^\n]*))?\n")


def add(shell: Any) -> None:
    """Adds our transforms before IPython's."""
    shell.input_transformer_manager.cleanup_transforms.insert(0, cell_call)
    shell.input_transformer_manager.token_transformers.append(Question)


def remove(shell: Any) -> None:
    """Removes our transforms."""
    shell.input_transformer_manager.cleanup_transforms.remove(cell_call)
    shell.input_transformer_manager.token_transformers.remove(Question)


def cell_call(lines: list[str]) -> list[str]:
    """A `%%claude` cell as a Python call, with its text unchanged."""
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    match = _CELL.fullmatch(lines[first]) if lines else None
    if match is None:
        return lines
    line, body = (match["line"] or "").strip(), "".join(lines[first + 1 :])
    return [f"get_ipython().run_cell_magic('claude', {line!r}, {body or chr(10)!r})\n"]


# IPython skips such transforms when it checks whether a cell is complete: a terminal must read lines after `%%claude`
# until a blank one, as for any cell magic.
cell_call.has_side_effects = True  # type: ignore[attr-defined]


class Question(EscapedCommand):
    """A `%claude` line that ends in `?` is a question, not a request for help; `%claude?` still is one."""

    priority = 4  # before HelpEnd's 5

    @classmethod
    def find(cls, tokens_by_line: list[Any]) -> Question | None:
        """The first such line of the cell."""
        for tokens in tokens_by_line:
            texts = [(token.string, token.start) for token in tokens if token.string.strip()]
            if [text for text, _ in texts[:2]] == ["%", "claude"] and len(texts) > 2:
                after = tokens[0].line[texts[1][1][1] + len("claude") :] if tokens else ""
                if after[:1].isspace() and tokens[-2:][0].string == "?":
                    return cls(texts[0][1])
        return None
