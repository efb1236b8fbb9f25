"""Records lesson 09 anew: `python -m tests.record_lesson_09`. Its answers are made here, and the lesson says so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.batch_api import BatchAPI, last_text, succeeded

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "notebooks" / "09-batches-and-files.ipynb"
CAPITALS = {"Portugal": "Lisbon", "Norway": "Oslo", "Kenya": "Nairobi", "Australia": "Canberra"}
COUNTRIES = {"Lisbon": "Portugal", "Oslo": "Norway", "Nairobi": "Kenya", "Sydney": "Australia"}


def answer(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the scripted API knows."""
    words = re.findall(r"\w+", last_text(params))
    told = [{**COUNTRIES, **CAPITALS}[word] for word in words if word in COUNTRIES or word in CAPITALS]
    usage = {"input_tokens": 10 + len(words), "output_tokens": 4, "service_tier": "batch"}
    return succeeded(f"{told[0]}.", model=params["model"], usage=usage)


def main() -> int:
    api = BatchAPI()
    api.outcome = answer
    recording = LESSON.with_suffix(".claude.jsonl")
    recording.unlink(missing_ok=True)
    home = ROOT / "build" / "record-home"
    environ = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "key-of-the-recording", "HOME": str(home)}
    environ |= {"XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT)}
    journal = home / "data" / "claude-magic" / "journal.db"
    journal.unlink(missing_ok=True)
    command = [sys.executable, "notebooks/run.py", str(LESSON), "--record", "--into", "build"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}).returncode


if __name__ == "__main__":
    sys.exit(main())
