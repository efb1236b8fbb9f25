"""The browser's Python: Pyodide, wheels, and the lock file that names them, so that nothing else is looked for.

The lock file of the npm package names hundreds of packages whose files are elsewhere. Ours names what is there.
Source: https://pyodide.org/en/stable/development/abi.html
"""

from __future__ import annotations

import email
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from downloads import RUNTIME_FILES, download_pyodide, download_wheels, lock_info
from versions import ROOT, Versions

KERNEL = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "@jupyterlite" / "pyodide-kernel-extension"
_OLD_WIDGETS = "widgetsnbextension-3."  # the kernel brings this stub for two versions of ipywidgets


def write_runtime(folder: Path, versions: Versions, cache: Path) -> list[str]:
    """Fills the folder that JupyterLite serves as its Pyodide.

    Returns:
        The names of its packages, all of which a kernel loads as it starts.
    """
    pyodide = download_pyodide(versions, cache)
    info = lock_info(pyodide)
    folder.mkdir(parents=True)
    for name in RUNTIME_FILES:
        shutil.copy(pyodide / name, folder)
    kernel = [path for path in sorted((KERNEL / "static" / "pypi").glob("*.whl")) if _OLD_WIDGETS not in path.name]
    wheels = [*download_wheels(versions, info, cache), *kernel, build_wheel(folder), write_rpds(folder)]
    packages = {}
    for wheel in wheels:
        if wheel.parent != folder:
            shutil.copy(wheel, folder)
        name, entry = _lock_entry(wheel)
        packages[name] = entry
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}), encoding="utf-8")
    return sorted(packages)


def build_wheel(folder: Path) -> Path:
    """The wheel of claude_magic, from this source."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # noqa: S603  # no shell
    if ran.returncode:
        sys.exit(f"the wheel of claude_magic cannot be built: {ran.stderr.strip()[-1000:]}")
    return next(folder.glob("claude_magic-*.whl"))


def write_rpds(folder: Path) -> Path:
    """A wheel of `rpds` in pure Python: jsonschema needs it, and its authors compile none for the browser."""
    path = folder / "rpds_py-0-py3-none-any.whl"
    about = path.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {
            "rpds.py": "from pyrsistent_as_rpds.pure import *\n",
            f"{about}/METADATA": "Metadata-Version: 2.1\nName: rpds-py\nVersion: 0\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: claude-magic\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)  # the same bytes in each build
    return path


def _lock_entry(wheel: Path) -> tuple[str, dict[str, Any]]:
    """The name of a wheel's package, and what the lock file says of it."""
    with zipfile.ZipFile(wheel) as opened:
        path = next(each for each in opened.namelist() if each.endswith(".dist-info/METADATA") and each.count("/") == 1)
        metadata = email.message_from_bytes(opened.read(path))
    return metadata["Name"].lower().replace("_", "-"), {
        "name": metadata["Name"],
        "version": metadata["Version"],
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "install_dir": "site",
        "imports": [],  # all packages are loaded as the kernel starts: nothing is looked up later
        "depends": [],
        "unvendored_tests": False,
    }
