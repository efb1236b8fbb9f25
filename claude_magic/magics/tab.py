"""The Tab key on a `%%claude` line: option names, and model names after `-m`."""

from __future__ import annotations

import re
from typing import Any

from ..cell.options import names as option_names

_LINE = re.compile(r"%%?claude")


def add(shell: Any) -> None:
    """Answer the Tab key on our lines."""
    shell.set_hook("complete_command", suggestions, re_key=_LINE)


def remove(shell: Any) -> None:
    """Leave the Tab key alone."""
    shell.strdispatchers["complete_command"].regexs.pop(_LINE, None)


def suggestions(shell: Any, event: Any) -> list[str]:
    """What can stand at the cursor."""
    words = event.text_until_cursor.split()
    before = words[-1] if event.text_until_cursor.endswith(" ") else words[-2] if len(words) > 1 else ""
    if before in ("-m", "--model"):
        from ..api import models

        return [name for name in models.names() if name.startswith(event.symbol)]
    if event.symbol.startswith("-"):
        return [name for name in option_names() if name.startswith(event.symbol)]
    return []
