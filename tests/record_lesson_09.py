"""Records lesson 09 anew: `python -m tests.record_lesson_09`. Its answers are made here, and the lesson says so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.scripted_api import Asked, ScriptedAPI
from tests.scripted_api.batches import last_text, succeeded
from tests.server import STREAM, Answer, Server, event, message, reply

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "notebooks" / "09-batches-and-files.ipynb"
MODEL = "claude-haiku-4-5"
SQUARES = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 50 26"><path d="M1 24 10 21 20 16 30 9 40 0"/></svg>'
CAPITALS = {"Portugal": "Lisbon", "Norway": "Oslo", "Kenya": "Nairobi", "Australia": "Canberra"}
COUNTRIES = {"Lisbon": "Portugal", "Oslo": "Norway", "Nairobi": "Kenya", "Sydney": "Australia"}


def answer(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the scripted API knows."""
    words = re.findall(r"\w+", last_text(params))
    told = [{**COUNTRIES, **CAPITALS}[word] for word in words if word in COUNTRIES or word in CAPITALS]
    usage = {"input_tokens": 10 + len(words), "output_tokens": 4, "service_tier": "batch"}
    return succeeded(f"{told[0]}.", model=params["model"], usage=usage)


class Messages:
    """Answers about the minutes of a meeting, and plots squares with code execution."""

    def __init__(self, api: ScriptedAPI) -> None:
        self._api = api

    def answer(self, asked: Asked) -> Answer | None:
        if not asked.match("POST", "/v1/messages"):
            return None
        question = last_text(asked.json)
        if "Plot" in question:
            return self._plot()
        return reply("On Tuesday, 17 November, at ten." if "When" in question else "Ada brings the cake.", model=MODEL)

    def _plot(self) -> Answer:
        stored = self._api.files.add("squares.svg", SQUARES.encode(), "image/svg+xml", downloadable=True)
        output = {"type": "bash_code_execution_output", "file_id": stored.id}
        ran = {"type": "bash_code_execution_result", "stdout": "", "stderr": "", "return_code": 0, "content": [output]}
        tool = {"id": "srvtoolu_01Test", "name": "bash_code_execution"}
        result = {"type": "bash_code_execution_tool_result", "tool_use_id": tool["id"], "content": ran}
        command = json.dumps({"command": "python squares.py > squares.svg"})
        pieces = [
            ({"type": "server_tool_use", **tool, "input": {}}, {"type": "input_json_delta", "partial_json": command}),
            (result, None),
            ({"type": "text", "text": ""}, {"type": "text_delta", "text": "The squares are in `squares.svg`."}),
        ]
        events: list[dict[str, Any]] = [{"type": "message_start", "message": message(model=MODEL)}]
        for index, (block, delta) in enumerate(pieces):
            events.append({"type": "content_block_start", "index": index, "content_block": block})
            if delta is not None:
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
            events.append({"type": "content_block_stop", "index": index})
        ending = {"stop_reason": "end_turn", "stop_sequence": None}
        events += [{"type": "message_delta", "delta": ending, "usage": {"output_tokens": 60}}, {"type": "message_stop"}]
        return Answer(headers=STREAM, pieces=[event(each) for each in events])


def main() -> int:
    api = ScriptedAPI(Server(), key="key-of-the-recording")
    api.batches.outcome = answer
    api.parts.append(Messages(api))
    recording = LESSON.with_suffix(".recording.txt")
    recording.unlink(missing_ok=True)
    home = ROOT / "build" / "record-home"
    environ = {"ANTHROPIC_BASE_URL": api.server.url, "ANTHROPIC_API_KEY": "key-of-the-recording", "HOME": str(home)}
    environ |= {"XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT)}
    journal = home / "data" / "claude-magic" / "journal.db"
    journal.unlink(missing_ok=True)
    command = [sys.executable, "notebooks/run.py", str(LESSON), "--record", "--into", "build"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}).returncode


if __name__ == "__main__":
    sys.exit(main())
