"""Defaults of a project: `[tool.claude-magic]` in the nearest `pyproject.toml`.

A file may come with somebody else's project, so it decides nothing about where a key goes.
"""

from __future__ import annotations

import copy
import functools
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SettingsError

ALLOWED = frozenset(
    {"api_version", "conversation", "max_retries", "max_tokens", "model", "panel", "stream", "system", "timeout"}
    | {"table_rows", "value_chars", "replay", "replay_speed", "reuse_on_run_all", "confirm_run_all", "concurrency"}
)


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project's file says.

    Attributes:
        path: `None` if there is no such file.
        profiles: By name: settings that `--profile NAME` chooses.
    """

    path: Path | None = None
    values: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)


def defaults() -> Project:
    """What the nearest file says, looked for from the notebook's folder upwards; empty if there is none.

    Raises:
        SettingsError: The file cannot be read, or is not of that form.
    """
    path = _nearest()
    if path is None:
        return Project()
    table = _table(path)
    profiles = table.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(values, dict) for values in profiles.values()):
        raise SettingsError(f"{path}: [tool.claude-magic.profiles] holds tables, one a profile.")
    return Project(path=path, values=table, profiles=profiles)


def _nearest() -> Path | None:
    try:
        here = Path.cwd()
    except OSError:
        return None
    return next((p for folder in (here, *here.parents) if (p := folder / "pyproject.toml").is_file()), None)


def _table(path: Path) -> dict[str, Any]:
    """What the file says of us; read again only when it has changed."""
    try:
        stat = path.stat()
    except OSError:
        return _read(path, 0, 0)
    return copy.deepcopy(_read(path, stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}. Mend it, or take it away.") from None
    tools = read.get("tool", {})
    table = tools.get("claude-magic", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: tool.claude-magic is not a table.")
    return dict(table)
