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
from collections.abc import Iterable, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

from downloads import RUNTIME_FILES, download_pyodide, download_wheels, lock_info
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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
    packages, requirements = {}, []
    for wheel in wheels:
        if wheel.parent != folder:
            shutil.copy(wheel, folder)
        metadata = _metadata(wheel)
        packages[canonicalize_name(metadata["Name"])] = _lock_entry(wheel, metadata)
        requirements += map(Requirement, metadata.get_all("Requires-Dist") or [])
    check_requirements(requirements, {name: package["version"] for name, package in packages.items()}, info["python"])
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
    path = folder / "rpds_py-1-py3-none-any.whl"
    about = path.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {
            "rpds.py": "from pyrsistent_as_rpds.pure import *\n",
            f"{about}/METADATA": "Metadata-Version: 2.1\nName: rpds-py\nVersion: 1\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: claude-magic\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)  # the same bytes in each build
    return path


def check_requirements(requirements: Iterable[Requirement], versions: Mapping[str, str], python: str) -> None:
    """Compares what the packages need with what there is; the front end of the widgets is a package like any other.

    Raises:
        SystemExit: A package is missing, or of a version that another one does not take.
    """
    browser = {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python, "extra": ""}
    browser |= {"sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix"}
    unmet = set()
    for each in requirements:
        if each.marker is None or each.marker.evaluate(browser):
            version = versions.get(canonicalize_name(each.name))
            if version is None or not each.specifier.contains(version, prereleases=True):
                unmet.add(str(each))
    if unmet:
        sys.exit(f"the packages of the browser's Python do not fit together; unmet: {', '.join(sorted(unmet))}")


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as opened:
        path = next(each for each in opened.namelist() if each.endswith(".dist-info/METADATA") and each.count("/") == 1)
        return email.message_from_bytes(opened.read(path))


def _lock_entry(wheel: Path, metadata: Message) -> dict[str, Any]:
    """What the lock file says of a wheel."""
    return {
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
