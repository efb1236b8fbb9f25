"""Settings of a project: `[tool.claude-magic]` in the nearest `pyproject.toml`.

The file may come with another person's project, so it cannot decide where a key is sent.
"""

from __future__ import annotations

import copy
import functools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SettingsError

PROJECT_SETTINGS = frozenset(
    {"api_version", "conversation", "max_retries", "max_tokens", "model", "panel", "stream", "system", "timeout"}
    | {"table_rows", "value_chars", "replay", "replay_speed", "reuse_on_run_all", "confirm_run_all", "concurrency"}
)
PROFILE_SETTINGS = frozenset({"provider", "region", "project", "workspace", "deployment", "aws_profile"})
"""What a profile may also set, since the reader names it: the host of a cloud is the cloud's own, whatever they say."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """The settings in a project's file.

    Attributes:
        path: `None` if there is no file.
        profiles: By name, the settings that `--profile NAME` selects.
    """

    path: Path | None = None
    values: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)


def load_project() -> Project:
    """The settings in the nearest file, from the notebook's folder upwards; empty if there is none.

    Raises:
        SettingsError: The file cannot be read, or has values of wrong types.
    """
    path = next(files_above("pyproject.toml"), None)
    if path is None:
        return Project()
    table = _settings_table(path)
    profiles = table.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(values, dict) for values in profiles.values()):
        raise SettingsError(f"{path}: [tool.claude-magic.profiles] must hold one table for each profile.")
    return Project(path=path, values=table, profiles=profiles)


def files_above(name: str) -> Iterator[Path]:
    """The files of this name in the folder where the kernel runs and in all folders above it, the nearest first."""
    try:
        here = os.getcwd()
    except OSError:
        return
    for path in _paths_above(here, name):
        if os.path.isfile(path):  # `Path.is_file` raises where a folder must not be read
            yield path


@functools.lru_cache(maxsize=16)
def _paths_above(here: str, name: str) -> tuple[Path, ...]:
    return tuple(folder / name for folder in (Path(here), *Path(here).parents))


def _settings_table(path: Path) -> dict[str, Any]:
    """The file's table `[tool.claude-magic]`; read again only when the file has changed."""
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
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}. Correct or remove it.") from None
    tools = document.get("tool", {})
    table = tools.get("claude-magic", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: tool.claude-magic is not a table.")
    return dict(table)
