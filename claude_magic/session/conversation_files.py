"""Conversations in files: JSON that people can read, written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import SettingsError

_FORM = "claude-magic conversation 1"


def write(path: Path, name: str, turns: list[dict[str, Any]]) -> Path:
    """Write `turns` to `path`.

    Raises:
        SettingsError: The file cannot be written; what stood there is untouched.
    """
    text = json.dumps({"form": _FORM, "name": name, "turns": turns}, indent=2, ensure_ascii=False)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text + "\n", encoding="utf-8", errors="replace")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SettingsError(
            f"the conversation cannot be written: {path}: {error.strerror}. Choose another place."
        ) from None
    return path


def read(path: Path) -> tuple[str, list[Any]]:
    """The name and the turns in `path`.

    Raises:
        SettingsError: It cannot be read, or is no conversation.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the conversation cannot be read: {path}: {error.strerror}. Look at the path.") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"not a conversation: {path}: {str(error)[:120]}. It is what .save() wrote.") from None
    if not isinstance(value, dict) or value.get("form") != _FORM or not isinstance(value.get("turns"), list):
        raise SettingsError(f"not a conversation: {path} lacks {_FORM!r}. It is what .save() wrote.")
    return str(value.get("name") or "main"), value["turns"]
