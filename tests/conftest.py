"""Fixtures: a scripted API, a clean environment, a real kernel."""

from __future__ import annotations

import gc
import os
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from claude_magic.hosts import is_loopback
from tests.batch_api import BatchAPI
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.scripted_api import ADMIN_KEY, ScriptedAPI
from tests.server import Server

RECORDED = Path(__file__).parents[2] / "shared" / "recorded"
CLOUDS = ("ANTHROPIC_", "AWS_", "AZURE_", "CLOUD_ML_", "CLOUDSDK_", "GCE_", "GOOGLE_")  # of their variables
KEY = "test-key-8d1f6a0e2b"

# The same examples in every run, and no clock: what a loaded machine makes slower is not red.
settings.register_profile(
    "every", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("every"), max_examples=10)  # for make quick
settings.load_profile("every")


sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # jsonschema would compile its grammar, 2 s, for formats

_needs: set[str] = set()  # what the test that runs is marked with


def _no_process(event: str, about: tuple[object, ...]) -> None:
    """A quick test starts no process: one that does says so, or fails. (`platform` asks `uname`, once.)"""
    starts = event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")
    if starts and _needs == {"none"} and about[:1] != ("uname",):
        raise AssertionError("this test starts a process: mark it with process, kernel or browser")


sys.addaudithook(_no_process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _needs.update({mark.name for mark in item.iter_markers()} & {"process", "kernel", "browser"} or {"none"})
    yield
    _needs.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The tests' folders are in memory where there is room: a journal waits for the disk some ten times a test."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        return
    about, starts_programs = os.statvfs(memory), "not process" not in config.option.markexpr
    if about.f_bavail * about.f_frsize > 2**31 and not (starts_programs and about.f_flag & os.ST_NOEXEC):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_collection_finish() -> None:
    """What is loaded by now stays, so that collecting garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests: no key, no endpoint, no proxy, an empty home and folder."""
    for name in list(os.environ):
        if name.startswith(CLOUDS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # else it is looked for on the network
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Refuses each connection that would leave this machine; one that was tried fails the test."""
    tried: list[object] = []
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not is_loopback(str(address[0])):
            tried.append(address)
            raise OSError(f"a test would leave this machine: {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)
    yield tried
    assert tried == []


@pytest.fixture
def server() -> Iterator[Server]:
    """A scripted API; the test says what it answers."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def endpoint(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The scripted API, with the environment pointing to it and a key."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return server


@pytest.fixture
def api(endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> ScriptedAPI:
    """The scripted API with all its endpoints, and both keys in the environment."""
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)
    return ScriptedAPI(endpoint)


@pytest.fixture
def batch_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchAPI]:
    """A scripted API that has Message Batches, with the environment pointing to it and a key."""
    made = BatchAPI()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", made.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    yield made
    made.close()


@pytest.fixture
def shell(endpoint: Server) -> Iterator[Shell]:
    """A notebook's shell in this process, with the extension loaded, that asks the scripted API."""
    with Shell() as made:
        assert made.run("%load_ext claude_magic").error is None
        yield made


@pytest.fixture
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """What runs cells: a shell in this process, or for a test marked `kernel` a kernel of its own."""
    marked = request.node.get_closest_marker("kernel")
    found: Kernel = request.getfixturevalue("process" if marked else "shell")
    return found


@pytest.fixture
def process(endpoint: Server) -> Iterator[Kernel]:
    """A kernel that has loaded the extension and asks the scripted API, as `kernel`."""
    with Kernel() as made:
        assert made.run("%load_ext claude_magic").error is None
        yield made


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded real traffic, which a user's clone does not have."""
    if not RECORDED.is_dir():
        pytest.skip(f"NO RECORDED TRAFFIC at {RECORDED}: what the real API sent is not checked in this run")
    return RECORDED


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Says where an interrupt came from that ended the run; pytest-xdist tells only that a worker is gone."""
    print("".join(traceback.format_exception(excinfo.value)), file=sys.__stderr__, flush=True)
