"""The lessons run from top to bottom, on the local model, as `make demo` runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from claude_magic import local

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.skipif(not local.installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
@pytest.mark.timeout(300)
def test_a_lesson_runs_to_its_end(lesson: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(lesson), "--into", str(tmp_path / "build")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stderr
    assert "the small local model, not Claude" in ran.stdout
    assert "Server: llama.cpp" in ran.stdout
    executed = json.loads((tmp_path / "build" / lesson.name).read_text())
    outputs = [o for cell in executed["cells"] for o in cell.get("outputs", [])]
    assert [o for o in outputs if o["output_type"] == "error"] == []
    page = (tmp_path / "build" / f"{lesson.stem}.html").read_text()
    assert "a small local model, not Claude" in page


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_kept_without_outputs(lesson: Path) -> None:
    cells = json.loads(lesson.read_text())["cells"]
    assert [cell["id"] for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
