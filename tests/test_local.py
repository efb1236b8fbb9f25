"""The local model: a real one, in a real child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from claude_magic import Interrupted, SettingsError, claude, local
from tests.notebook_kernel import Kernel

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not local.installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}")


@pytest.fixture(scope="module")
def model() -> Iterator[local.Model]:
    yield local.start()
    local.stop()


def children(of: int) -> list[int]:
    """The model's processes among the children of `of`."""
    stats = (path.parent for path in Path("/proc").glob("[0-9]*/stat"))
    found = []
    for folder in stats:
        try:
            ppid = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if ppid == of and "server.py" in command:
            found.append(int(folder.name))
    return found


def gone(pid: int, seconds: float = 4) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def parent(code: str) -> subprocess.Popen[str]:
    """A python that starts the model, prints the child's pid, and goes on as `code` says."""
    start = "from claude_magic import local\nm = local.start()\nprint(local._running[1].process.pid, flush=True)\n"
    return subprocess.Popen(
        [sys.executable, "-c", start + textwrap.dedent(code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def test_it_answers(model: local.Model) -> None:
    exchange = claude("Say hello.", max_tokens=12)
    assert exchange.text.strip()
    assert exchange.message.stop_reason in ("end_turn", "max_tokens")
    assert exchange.message.usage["output_tokens"] <= 12


def test_the_reader_is_told_that_it_is_not_claude(model: local.Model) -> None:
    assert claude("hi", max_tokens=1).model_note == "SmolLM2-135M-Instruct, a small local model, not Claude"


def test_no_system_prompt_is_added(model: local.Model) -> None:
    few = claude("hi", max_tokens=1, stream=False).message.usage
    assert few["input_tokens"] + few["cache_read_input_tokens"] < 12


def test_an_interrupted_reply_leaves_the_next_one_alone(model: local.Model) -> None:
    with Kernel() as kernel:
        kernel.run("%load_ext claude_magic")
        kernel.run("%claude -t 1 hi")
        ran = kernel.run("%%claude -t 2000\nWrite a very long story.", stop_after=1.0)
        assert ran.error is not None
        assert ran.error[0] == "Interrupted"
        assert kernel.run("%%claude -t 3 -o text\nhi").error is None
        assert kernel.value("len(text) > 0")


def test_two_requests_at_once_are_both_answered(model: local.Model) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert all(e.text for e in pool.map(lambda n: claude(f"Say {n}.", max_tokens=5), range(3)))


def test_a_second_start_gives_the_same_model(model: local.Model) -> None:
    assert local.start() == model


def test_the_key_is_in_no_repr_and_no_argument(model: local.Model) -> None:
    (pid,) = children(os.getpid()) or [0]
    shown = repr(model) + Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
    assert "server.py" in shown
    assert model.key not in shown


def test_another_key_is_refused(model: local.Model) -> None:
    import requests

    answer = requests.post(
        f"{model.base_url}/v1/messages",
        json={"model": "x", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]},
        headers={"x-api-key": "guess"},
        timeout=10,
    )
    assert answer.status_code == 401


def test_a_child_that_died_is_started_again(model: local.Model) -> None:
    (pid,) = children(os.getpid())
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    told: list[str] = []
    assert local.start(watch=told.append).key != model.key
    assert told[0].startswith("loading SmolLM2-135M-Instruct")


def test_two_threads_start_one_child() -> None:
    local.stop()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: local.start(), range(2))
    assert first == second
    assert len(children(os.getpid())) == 1


def test_a_start_can_be_interrupted() -> None:
    local.stop()
    with pytest.raises(Interrupted):
        local.start(interrupted=lambda: True)
    assert children(os.getpid()) == []


@pytest.mark.parametrize("code", ["", "import os; os._exit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_it_ends_with_its_parent_however_that_dies(code: str) -> None:
    with parent(code) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert gone(pid)


def test_it_survives_the_stop_button() -> None:
    with parent("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); input()") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        os.kill(pid, signal.SIGINT)
        assert not gone(pid, 0.5)
        process.kill()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"not a model", "does not begin with GGUF"), (b"GGUF" + b"x" * 100, "does not start")],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        local.start(str(path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_software_names_the_command() -> None:
    code = """
    import importlib.util as u
    import claude_magic.local as local
    found = u.find_spec
    u.find_spec = lambda name, package=None: None if name == "xllamacpp" else found(name, package)
    assert not local.installed()
    try: local.start()
    except Exception as error: print(error)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True)
    assert "pip install 'claude-magic[local]'" in ran.stdout, ran.stderr
