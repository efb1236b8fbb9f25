"""Fixtures: a scripted API, a clean environment, a real kernel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.server import Server

RECORDED = Path(__file__).parents[2] / "shared" / "recorded"
KEY = "test-key-8d1f6a0e2b"


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests: no key, no endpoint, no proxy, an empty home and folder."""
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.chdir(tmp_path)


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
def shell(endpoint: Server) -> Iterator[Shell]:
    """A notebook's shell in this process, with the extension loaded, that asks the scripted API."""
    with Shell() as made:
        assert made.run("%load_ext claude_magic").error is None
        yield made


@pytest.fixture
def kernel(endpoint: Server) -> Iterator[Kernel]:
    """A real kernel that has loaded the extension and asks the scripted API."""
    with Kernel() as made:
        assert made.run("%load_ext claude_magic").error is None
        yield made


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded real traffic, which a user's clone does not have."""
    if not RECORDED.is_dir():
        pytest.skip(f"NO RECORDED TRAFFIC at {RECORDED}: what the real API sent is not checked in this run")
    return RECORDED
