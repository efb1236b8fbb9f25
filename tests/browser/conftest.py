"""A real JupyterLab and a real Chromium for the browser tests.

Fixtures:
    lab: one JupyterLab for the session, in a folder and a home of its own. Kernels import `claude_magic` from
        this checkout and see no key of the developer's.
    new_page: a function that gives a page in a fresh browser context: as if on another machine.
    browser_page: one such page.
    foreign_requests: addresses that a page of this test asked for outside of the lab; of these, none that is not on
        this machine can be reached.
The steps (open, run, save, restart, trust, ...) are functions in `lab_page.py`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS SKIPPED: no playwright here")

from playwright.sync_api import Browser, Page, Request, ViewportSize, expect  # noqa: E402  (after the skips above)

from tests import chromium  # noqa: E402
from tests.browser.lab_page import REPOSITORY, Lab  # noqa: E402

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=127.0.0.1:9",  # nothing answers there: only this machine can be reached
]
_START_SECONDS = 60
expect.set_options(timeout=60_000)  # milliseconds: a loaded machine is slow, not wrong
_VIEWPORT: ViewportSize = {"width": 1100, "height": 850}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    pytest.importorskip("jupyterlab", reason="BROWSER TESTS SKIPPED: no jupyterlab here")  # seconds: not for make quick
    home = tmp_path_factory.mktemp("lab-home")
    root = tmp_path_factory.mktemp("lab-root")
    environ = _environ(home)
    _write_settings(home)
    log = home / "server.log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            _command(root), env=environ, cwd=root, stdout=written, stderr=written, start_new_session=True
        )
    try:
        told = _address(home / "runtime", server, log)
        yield Lab(url=told["url"], token=told["token"], root=root, environ=environ)
    finally:
        _stop(server)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium; a file's tests share it, their contexts share nothing.

    While it is open, Playwright's event loop runs in this thread: what other files do here must not meet it.
    """
    found = chromium.found()
    if found is None:
        pytest.skip("BROWSER TESTS SKIPPED: no Chromium on PATH and none of Playwright's. apt-get install chromium")
    with playwright_api.sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        except playwright_api.Error as error:
            pytest.skip(f"BROWSER TESTS SKIPPED: {found} does not start: {str(error).splitlines()[0]}")
        yield launched
        launched.close()


@pytest.fixture
def foreign_requests() -> list[str]:
    return []


@pytest.fixture
def new_page(browser: Browser, lab: Lab, foreign_requests: list[str]) -> Iterator[Callable[[], Page]]:
    contexts = []

    def note_foreign(request: Request) -> None:
        if not request.url.startswith((lab.url, "data:", "blob:", "file:")):
            foreign_requests.append(request.url)

    def forget_refused(request: Request) -> None:
        """A policy of the page itself forbade it, so nothing was asked for."""
        if request.failure == "csp" and request.url in foreign_requests:
            foreign_requests.remove(request.url)

    def page() -> Page:
        context = browser.new_context(viewport=_VIEWPORT, reduced_motion="reduce")
        context.on("requestfailed", forget_refused)
        context.on("request", note_foreign)  # a route for all of them would double the time of each
        contexts.append(context)
        return context.new_page()

    yield page
    for context in contexts:
        context.close()
    _end_kernels(lab)


@pytest.fixture
def browser_page(new_page: Callable[[], Page]) -> Page:
    return new_page()


def _environ(home: Path) -> dict[str, str]:
    """Ours, without keys, with a home, and with this checkout to import from."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANTHROPIC", "JUPYTER", "JPY_", "COV_"))
    }
    return {
        **ours,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CONFIG_HOME": str(home / "xdg-config"),
        "XDG_DATA_HOME": str(home / "xdg-data"),
    }


def _write_settings(home: Path) -> None:
    """No news, no updates; and a kernel that is this very Python."""
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps({"checkForUpdates": False, "fetchNews": "false", "doNotDisturbMode": True}))
    kernel = home / "data" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))


def _command(root: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"),
        "--JupyterNotebookApp.expose_app_in_browser=True",  # Notebook 7, which the same server shows
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={root}"),
        *("--ServerApp.allow_root=True", "--IdentityProvider.token=claude-magic-tests"),
        *("--LabApp.news_url=None", "--LabApp.extension_manager=readonly"),
    ]


def _address(runtime: Path, server: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    """What the server wrote about itself, once it answers."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                told: dict[str, str] = json.loads(path.read_text())
            except ValueError:
                continue
            return told
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _end_kernels(lab: Lab) -> None:
    """End the kernels of a test, which outlive its pages."""
    for session in _answer(lab, "GET", "api/sessions"):
        _answer(lab, "DELETE", f"api/sessions/{session['id']}")


def _answer(lab: Lab, method: str, path: str) -> Any:
    request = urllib.request.Request(lab.url + path, method=method, headers={"Authorization": f"token {lab.token}"})
    with urllib.request.urlopen(request, timeout=100) as response:
        return json.loads(response.read() or "null")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels: they are one process group, and no other's."""
    server.terminate()
    try:
        server.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(60)
