"""What an install brings."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_makes_the_magic_lazy_for_ipython(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if "/data/etc/ipython/" in name]
    assert json.loads(wheel.read(name)) == {"MagicsManager": {"lazy_magics": {"claude": "claude_magic"}}}


def test_the_wheel_changes_no_setting_of_jupyterlab(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if "share/jupyter" in name or "etc/jupyter" in name] == []


def test_the_wheel_holds_the_package_its_data_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = [name for name in wheel.namelist() if ".dist-info/" not in name and ".data/" not in name]
    assert [name for name in names if not name.startswith("claude_magic/")] == []
    assert "claude_magic/api/models.json" in names
    assert [name for name in names if "test" in name or name.endswith(".pyc")] == []


def test_the_metadata_tells_licence_python_and_extras(wheel: zipfile.ZipFile) -> None:
    metadata = next(wheel.read(name).decode() for name in wheel.namelist() if name.endswith("METADATA"))
    for line in ("Name: claude-magic", "License-Expression: BSD-3-Clause", "Requires-Python: >=3.10"):
        assert line in metadata
    assert {"local", "lab", "test"} <= {
        line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-Extra")
    }
