"""What the site needs from npm and PyPI, kept in a cache folder: a second build downloads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from versions import Versions

RUNTIME_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")


def download_pyodide(versions: Versions, cache: Path) -> Path:
    """The folder with the runtime's files, from the npm package."""
    folder = cache / f"pyodide-{versions.pyodide}"
    if all((folder / name).exists() for name in RUNTIME_FILES):
        return folder
    command = ["npm", "pack", "--silent", f"pyodide@{versions.pyodide}", "--pack-destination", str(cache)]
    _run(command, "npm is missing or cannot download the package pyodide")
    archive = cache / f"pyodide-{versions.pyodide}.tgz"
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != versions.integrity:
        archive.unlink()
        sys.exit(f"the npm package pyodide {versions.pyodide} is not the pinned one: its digest is {digest}")
    folder.mkdir(exist_ok=True)
    with tarfile.open(archive) as package:
        for name in RUNTIME_FILES:
            member = package.extractfile(f"package/{name}")
            if member is None:
                sys.exit(f"the npm package pyodide {versions.pyodide} has no {name}")
            (folder / name).write_bytes(member.read())
    return folder


def lock_info(pyodide: Path) -> dict[str, str]:
    """What Pyodide says of itself: the version of Python, and of the binary interface for which wheels are built."""
    info: dict[str, str] = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    return info


def download_wheels(versions: Versions, info: dict[str, Any], cache: Path) -> list[Path]:
    """The pinned wheels, for the browser's Python."""
    folder = cache / "wheels"
    missing = [each for each in versions.wheels if not _found(folder, each)]
    if missing:
        python = ".".join(info["python"].split(".")[:2])
        platform = f"pyemscripten_{info['abi_version']}_{info['arch']}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp"]
        command += ["--abi", f"cp{python.replace('.', '')}", "--abi", "none", "--platform", platform]
        command += ["--platform", "any", "--dest", str(folder), *missing]
        _run(command, "pip cannot download the wheels of the browser's Python")
    return [path for each in versions.wheels for path in _found(folder, each)]


def _found(folder: Path, requirement: str) -> list[Path]:
    """The wheel of `name==version`, if it is in the folder."""
    name, _, version = requirement.partition("==")
    return sorted(folder.glob(f"{re.sub(r'[-_.]+', '_', name)}-{version}-*.whl"))


def _run(command: list[str], trouble: str) -> None:
    try:
        ran = subprocess.run(command, capture_output=True, text=True)  # noqa: S603  # no shell, and our own words
    except OSError as error:
        sys.exit(f"{trouble}: {error}")
    if ran.returncode:
        sys.exit(f"{trouble}: {ran.stderr.strip()[-1000:]}")
