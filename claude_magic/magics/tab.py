"""The Tab key: option names, and what can stand after an option or after `{{`."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from typing import Any

from ..cell.spelling import KINDS
from ..cell.spelling import names as option_names
from .notebook import claude as notebook

_LINE = re.compile(r"%%?claude")
_VARIABLE = re.compile(r".*\{\{\s*\w*$", re.DOTALL)


def add(shell: Any) -> None:
    """Answer the Tab key on our lines."""
    shell.set_hook("complete_command", suggestions, re_key=_LINE)
    shell.set_hook("complete_command", variables, re_key=_VARIABLE)


def remove(shell: Any) -> None:
    """Leave the Tab key alone."""
    for key in (_LINE, _VARIABLE):
        shell.strdispatchers["complete_command"].regexs.pop(key, None)


def suggestions(shell: Any, event: Any) -> list[str]:
    """What can stand at the cursor of a line that begins with our magic."""
    words = event.text_until_cursor.split()
    before = words[-1] if event.text_until_cursor.endswith(" ") else words[-2] if len(words) > 1 else ""
    known = _after(before, event.symbol)
    if known is None:
        known = option_names() if event.symbol.startswith("-") else ()
    return [name for name in known if name.startswith(event.symbol)]


def variables(shell: Any, event: Any) -> list[str]:
    """The notebook's variables, after `{{`."""
    return [name for name in shell.user_ns if name.startswith(event.symbol) and not name.startswith("_")]


def _after(option: str, begun: str) -> Iterable[str] | None:
    """What can follow an option; `None` if that is not for us to say."""
    if option in ("-m", "--model"):
        from .catalogue import names

        return names(notebook.settings)
    if option in ("-c", "--continue", "--new"):
        return list(notebook.conversations)
    if option == "--with":
        return list(notebook.snippets)
    if option == "--as":
        return KINDS
    return glob.glob(glob.escape(begun) + "*") if option in ("-a", "--attach") else None
