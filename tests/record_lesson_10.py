"""Records lesson 10 anew: `python -m tests.record_lesson_10`. Its answers are made here, and the lesson says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI
from tests.server import Server

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "notebooks" / "10-any-endpoint.ipynb"


def main() -> int:
    server = Server()
    api = ScriptedAPI(server)
    api.files.add("table.csv", b"city,country\nOslo,Norway\nLisbon,Portugal\n", "text/csv", downloadable=True)
    LESSON.with_suffix(".recording.txt").unlink(missing_ok=True)
    home = ROOT / "build" / "record-home-10"
    environ = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_ADMIN_KEY": ADMIN_KEY}
    environ |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT)}
    (home / "data" / "claude-magic" / "journal.db").unlink(missing_ok=True)
    command = [sys.executable, "notebooks/run.py", str(LESSON), "--record", "--into", "build"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}).returncode


if __name__ == "__main__":
    sys.exit(main())
