"""The lessons in JupyterLite, under an address of their own for each state of the lessons.

A browser keeps the notebooks that its user changed under the address of the site, and shows them in place of the
site's own. So lessons that changed get a new address: everybody sees them, and no two sites mix. What is handed out
is the address of a page that leads to the newest one.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupyter_server
from runtime import KERNEL, write_runtime
from versions import ROOT, Versions

_SETTINGS = "@jupyterlite/pyodide-kernel-extension:kernel"
_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={address}">
<p><a href="{address}">{title}</a></p>
"""


def lesson_files() -> list[Path]:
    """The lessons and their recordings."""
    folder = ROOT / "notebooks"
    return sorted([*folder.glob("*.ipynb"), *folder.glob("*.recording.txt")])


def lessons_address() -> str:
    """The folder of the site in which JupyterLite is, with a digest of all lessons."""
    digest = hashlib.sha256()
    for path in lesson_files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"lite/{digest.hexdigest()[:8]}"


def write_lessons(site: Path, versions: Versions, cache: Path) -> None:
    """Builds JupyterLite with all lessons, and a page for each lesson that leads to it."""
    source, address = cache / "lite", lessons_address()
    shutil.rmtree(source, ignore_errors=True)
    packages = write_runtime(source / "static" / "pyodide", versions, cache)
    (source / "lessons").mkdir()
    for path in lesson_files():
        shutil.copy(path, source / "lessons")
    _write_settings(source, site / address, packages, versions, cache)
    command = [sys.executable, "-m", "jupyterlite_core", "build"]
    environ = {**os.environ, "JUPYTER_PLATFORM_DIRS": "1"}
    ran = subprocess.run(command, cwd=source, env=environ, capture_output=True, text=True)  # noqa: S603  # no shell
    if ran.returncode:
        sys.exit(f"JupyterLite cannot be built: {(ran.stdout + ran.stderr).strip()[-2000:]}")
    icons = Path(jupyter_server.__file__).parent / "static" / "favicons"
    shutil.copytree(icons, site / address / "static" / "favicons")  # JupyterLite asks for them and does not bring them
    for path in (site / address / "build").glob("fa-*"):
        if path.suffix in (".eot", ".svg", ".ttf"):  # for browsers that know no woff2, and could not run Pyodide
            path.unlink()
    (site / "run").mkdir(parents=True, exist_ok=True)
    for path in lesson_files():
        if path.suffix == ".ipynb":
            target = html.escape(f"../{address}/notebooks/index.html?path={path.name}")
            page = _PAGE.format(title=html.escape(path.stem), address=target)
            (site / "run" / f"{path.stem}.html").write_text(page, encoding="utf-8")


def _write_settings(source: Path, output: Path, packages: list[str], versions: Versions, cache: Path) -> None:
    """How JupyterLite is built, and how its kernel starts: with these packages, and none of elsewhere."""
    widgets = next(each for each in versions.wheels if each.startswith("jupyterlab-widgets=="))
    wheel = next((cache / "wheels").glob(f"jupyterlab_widgets-{widgets.partition('==')[2]}-*.whl"))
    build = {
        "contents": ["lessons"],
        "output_dir": str(output),
        "apps": ["lab", "notebooks", "tree"],
        "federated_extensions": [str(KERNEL), str(wheel.resolve())],
        "ignore_sys_prefix": True,  # what else is installed here is no part of the site
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
    }
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": packages}}
    page = {
        "appName": "claude-magic lessons",
        "exposeAppInBrowser": True,
        "litePluginSettings": {_SETTINGS: kernel},
    }
    lite = {"jupyter-lite-schema-version": 0, "jupyter-config-data": page}
    for name, content in {"jupyter_lite_config.json": {"LiteBuildConfig": build}, "jupyter-lite.json": lite}.items():
        (source / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
