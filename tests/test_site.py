"""The site's build: versions that fit together, addresses that follow the lessons, and a lesson for each page."""

from __future__ import annotations

import json
import re
import shutil
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("jupyter_server", reason="NO SITE HERE: pip install 'claude-magic[site]'")

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The modules of `docs/site`, which import each other as scripts do."""
    import importlib

    monkeypatch.syspath_prepend(str(ROOT / "docs" / "site"))
    names = ("versions", "downloads", "runtime", "lessons")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return {name: importlib.import_module(name) for name in names}


def test_each_package_of_the_browser_has_one_version(modules: dict[str, ModuleType]) -> None:
    versions = modules["versions"].read_versions()
    assert [each for each in versions.wheels if not re.fullmatch(r"[\w.-]+==[\w.]+", each)] == []
    assert versions.integrity.startswith("sha512-")


def test_the_lessons_have_another_address_once_one_has_changed(
    modules: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = modules["lessons"]
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns("images", "__pycache__"))
    before = lessons.lessons_address()
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    assert lessons.lessons_address() == before
    with next((tmp_path / "notebooks").glob("*.recording.txt")).open("a") as recording:
        recording.write("\n")
    assert lessons.lessons_address() != before


@pytest.mark.parametrize("needed", ["jupyterlab-widgets~=4.0", "absent", "absent; sys_platform == 'emscripten'"])
def test_packages_that_do_not_fit_together_end_the_build(modules: dict[str, ModuleType], needed: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(needed.partition(";")[0])):
        modules["runtime"].check_requirements([Requirement(needed)], {"jupyterlab-widgets": "3.0.17"}, "3.14.2")


def test_what_only_other_systems_need_is_not_missed(modules: dict[str, ModuleType]) -> None:
    pexpect = Requirement("pexpect; sys_platform != 'emscripten'")
    modules["runtime"].check_requirements([pexpect, Requirement("comm>=0.1")], {"comm": "0.2.3"}, "3.14.2")


def test_a_package_is_not_taken_if_npm_gives_other_bytes(
    modules: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions, downloads = modules["versions"].read_versions(), modules["downloads"]
    archive = tmp_path / f"pyodide-{versions.pyodide}.tgz"
    monkeypatch.setattr(downloads, "_run", lambda command, trouble: archive.write_bytes(b"other"))
    with pytest.raises(SystemExit, match="is not the pinned one"):
        downloads.download_pyodide(versions, tmp_path)
    assert not archive.exists()


def test_the_pure_rpds_does_what_jsonschema_needs(modules: dict[str, ModuleType], tmp_path: Path) -> None:
    wheel = modules["runtime"].write_rpds(tmp_path)
    with zipfile.ZipFile(wheel) as opened:
        assert opened.read("rpds.py") == b"from pyrsistent_as_rpds.pure import *\n"
        assert opened.testzip() is None


def test_each_page_of_the_manual_has_a_lesson_that_exists() -> None:
    text = (ROOT / "docs" / "site" / "conf.py").read_text(encoding="utf-8")
    pairs = re.findall(r'^    "docs/([\w-]+)": "([\w-]+)",$', text, re.MULTILINE)
    assert len(pairs) > 10
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    stems = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert [pair for pair in pairs if pair[0] not in pages or pair[1] not in stems] == []
    assert {lesson for _, lesson in pairs} == stems  # each lesson has a page


def test_each_lesson_names_the_recording_beside_it() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        sources = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        named = re.findall(r'claude\.replay\("([^"]+)"\)', "\n".join(sources))
        assert named == [f"{path.stem}.recording.txt"]
        assert path.with_suffix(".recording.txt").exists()
