"""What the site is built from: every version is pinned in `pyproject.toml`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Versions:
    """The pinned versions.

    Attributes:
        pyodide: Of the npm package: Python compiled to WebAssembly.
        integrity: The digest that npm gives for that package.
        wheels: Requirements, each of one version: the packages of the browser's Python, claude_magic left out.
    """

    pyodide: str
    integrity: str
    wheels: tuple[str, ...]


def read_versions() -> Versions:
    """Reads the dependency group `browser` and the table `tool.claude-magic-site`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pyodide = project["tool"]["claude-magic-site"]
    return Versions(
        pyodide=pyodide["pyodide"],
        integrity=pyodide["integrity"],
        wheels=tuple(project["dependency-groups"]["browser"]),
    )


def check_kernel(versions: Versions) -> None:
    """Looks whether the kernel is made for this version of Pyodide.

    Raises:
        SystemExit: It is made for another one.
    """
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION

    if versions.pyodide != PYODIDE_VERSION:
        sys.exit(f"pyproject.toml names Pyodide {versions.pyodide}, the kernel is made for {PYODIDE_VERSION}.")
