"""Records lesson 11 anew: `python -m tests.record_lesson_11`. Its answers are made here, and the lesson says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.aws import ACCESS_KEY, BASE_URLS, SECRET_KEY, frames, streamed
from tests.google import Clouds, service_account
from tests.server import Answer, Received, Server, reply

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "notebooks" / "11-clouds.ipynb"
REGION = (
    "A region is a group of data centres in one part of the world, such as Frankfurt, that a cloud runs on its own."
)
PROJECT = "A project is what groups the services, the people and the bill of one undertaking."
SIDES = (
    "In Amazon Bedrock, AWS runs the models.",
    "In Claude Platform on AWS, Anthropic runs them, and AWS opens the door.",
)


def answer(request: Received) -> Answer:
    """What the clouds say in the lesson."""
    if request.path.endswith("/invoke-with-response-stream"):
        text = REGION if b"region of a cloud" in request.body else SIDES[0]
        model = "claude-haiku-4-5-20251001" if "haiku-4-5" in request.path else "claude-haiku-5-5"
        return streamed(frames(*(f"{word} " for word in text.split()), model=model))
    if request.path.endswith(":streamRawPredict"):
        return reply(*(f"{word} " for word in PROJECT.split()), model="claude-haiku-5-5")
    return reply(SIDES[1], model="claude-haiku-4-5-20251001")


def main() -> int:
    server = Server()
    clouds = Clouds()
    clouds.answer = answer
    server.respond = clouds.respond  # type: ignore[method-assign]
    LESSON.with_suffix(".recording.txt").unlink(missing_ok=True)
    home = ROOT / "build" / "record-home-11"
    environ = dict.fromkeys(BASE_URLS.values(), server.url)
    environ |= {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    environ |= {"ANTHROPIC_AWS_WORKSPACE_ID": "wrkspc_01"}
    environ |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT)}
    home.mkdir(parents=True, exist_ok=True)
    environ |= {"GOOGLE_APPLICATION_CREDENTIALS": str(service_account(home / "account.json", server))}
    environ |= {"ANTHROPIC_VERTEX_BASE_URL": f"{server.url}/v1"}
    (home / "data" / "claude-magic" / "journal.db").unlink(missing_ok=True)
    command = [sys.executable, "notebooks/run.py", str(LESSON), "--record", "--into", "build"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}).returncode


if __name__ == "__main__":
    sys.exit(main())
