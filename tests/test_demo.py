"""`make demo`: cells of the first lesson in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from claude_magic import local
from tests.server import STREAM, Answer, Server, event, reply, text_events

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, str(ROOT / "notebooks" / "demo.py")]
QUESTION = "%%claude\nWhat is an API? Answer in one sentence.\n"
needs_model = pytest.mark.skipif(not local.is_installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.process
@needs_model
def test_without_a_key_it_answers_and_ends_with_summary_headers_and_what_to_try_next(tmp_path: Path) -> None:
    ran = run()
    assert (ran.returncode, ran.stderr) == (0, "")
    begin, _, rest = ran.stdout.partition(QUESTION)
    assert begin == "a small model on this machine answers, not Claude\n\n"
    assert "An API (Application Programming Interface" in rest
    assert "def square" in rest
    assert rest.count(" (a small local model, not Claude) · ") == 2
    last, headers = rest.rstrip().split("\n")[-1], rest.split("claude.last.headers\n")[1]
    assert "Server: llama.cpp" in headers
    assert "Next: make lab opens the lessons" in last
    assert "ANTHROPIC_API_KEY" in last
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.process
@needs_model
def test_with_a_key_it_costs_nothing_and_says_so(server: Server) -> None:
    ran = run(ANTHROPIC_API_KEY="sk-test-0123456789", ANTHROPIC_BASE_URL=server.url)
    assert ran.returncode == 0
    assert server.received == []
    assert "with your key, which was not used here" in ran.stdout.rstrip().split("\n")[-1]


@pytest.mark.process
def test_the_api_is_asked_if_that_is_said(server: Server) -> None:
    server.answers(reply("Fine."))
    ran = run("--api", ANTHROPIC_API_KEY="sk-test-0123456789", ANTHROPIC_BASE_URL=server.url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"the API answers, with your key\n\n{QUESTION}\nFine.\n")
    assert len(server.received) == 2


@pytest.mark.process
def test_a_reply_grows_while_it_is_written(server: Server) -> None:
    seen = threading.Event()
    first, *others = (event(each) for each in text_events(["Half of it. ", "The rest."]))
    head, tail = [first, *others[:3]], others[3:]
    server.answers(Answer(headers=STREAM, pieces=[*head, lambda: seen.wait(60), *tail]))
    environment = {**os.environ, "ANTHROPIC_API_KEY": "sk-test-0123456789", "ANTHROPIC_BASE_URL": server.url}
    with subprocess.Popen([*COMMAND, "--api"], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        shown = b""
        while b"Half of it." not in shown:  # if it came only at the end, the server would wait for a minute
            piece = os.read(process.stdout.fileno(), 10_000)
            assert piece
            shown += piece
        assert b"The rest." not in shown
        assert not seen.is_set()
        seen.set()
        assert b"The rest." in process.stdout.read()


@pytest.mark.process
def test_without_key_and_model_it_says_in_a_line_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['xllamacpp'] = None\n")
    ran = run(PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"the local model is not installed. Run: {local.INSTALL}\n"
