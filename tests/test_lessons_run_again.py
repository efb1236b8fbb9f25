"""A lesson that keeps something under a name may be run again in the same kernel: students press "Run All" twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.lesson_replies import LESSONS
from tests.notebook_shell import Shell


def test_the_lesson_about_conversations_runs_a_second_time_as_the_first_time(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lesson,) = (path for path in LESSONS if path.stem.endswith("conversations"))
    for path in (lesson, lesson.with_suffix(".recording.txt")):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    cells = [cell for cell in json.loads(lesson.read_text())["cells"] if cell["cell_type"] == "code"]
    end = next(number for number, cell in enumerate(cells) if ".fork(" in "".join(cell["source"])) + 1
    for _ in range(2):
        for cell in cells[:end]:
            ran = shell.run("".join(cell["source"]), cell_id=cell["id"])
            assert ran.error is None, "".join(cell["source"])
