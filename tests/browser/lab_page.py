"""Steps a browser test takes in a real JupyterLab: write a notebook, open it, run it, save, restart, look.

What has a command is done by JupyterLab's own command (`window.jupyterapp`, JupyterLab's documented way in),
what a reader does with mouse and keyboard is left to the test.
Source: https://jupyterlab.readthedocs.io/en/stable/user/commands.html
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

REPOSITORY = Path(__file__).resolve().parents[2]
SCREENSHOTS = REPOSITORY / "build" / "screenshots"
_NOTEBOOK = "window.jupyterapp.shell.currentWidget"
_READY = 60_000


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A JupyterLab that runs.

    Attributes:
        url: Of the server, with a slash at the end.
        root: The folder it shows; notebooks of a test belong here.
        environ: What the server and its kernels see.
    """

    url: str
    token: str
    root: Path
    environ: dict[str, str]

    def page_of(self, name: str) -> str:
        """The address of a notebook, in a workspace of its own, so that nothing else is restored beside it."""
        return f"{self.url}lab/workspaces/{uuid.uuid4().hex[:8]}/tree/{name}?token={self.token}"


def write_notebook(lab: Lab, name: str, *cells: str) -> Path:
    """Write a notebook of code cells into the lab's folder; it has no outputs and so it is trusted once run."""
    code: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = lab.root / name
    path.write_text(json.dumps({"cells": code, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open the notebook, and wait until it is shown and its kernel is idle."""
    page.goto(lab.page_of(name))
    page.wait_for_function("() => Boolean(window.jupyterapp?.restored)", timeout=_READY)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=_READY)
    wait_until_idle(page)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    if page.evaluate("() => document.body.dataset.jpThemeLight") == "false":
        use_theme(page, dark=False)  # JupyterLab remembers what another test chose


def open_in_notebook_7(page: Page, lab: Lab, name: str) -> None:
    """The same in Notebook 7."""
    page.goto(f"{lab.url}notebooks/{name}?token={lab.token}")
    page.wait_for_function("() => Boolean(window.jupyterapp?.restored)", timeout=_READY)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=_READY)
    wait_until_idle(page)


def wait_until_idle(page: Page, seconds: float = 30) -> None:
    """Wait until the kernel is connected and has nothing to do."""
    page.wait_for_function(
        f"""() => {{
            const context = {_NOTEBOOK}?.context?.sessionContext;
            const kernel = context?.session?.kernel;
            return context?.isReady && kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
        }}""",
        timeout=seconds * 1000,
    )


def run_all(page: Page) -> None:
    """Run every cell and wait until the last has ended."""
    command(page, "notebook:run-all-cells")
    wait_until_idle(page)


def start_all(page: Page) -> None:
    """Run every cell and do not wait: for looking at a page while it works."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def run_cell(page: Page, index: int) -> None:
    """Run one cell and wait until it has ended."""
    select_cell(page, index)
    command(page, "notebook:run-cell")
    wait_until_idle(page)


def start_cell(page: Page, index: int) -> None:
    """Run one cell and do not wait."""
    select_cell(page, index)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")


def select_cell(page: Page, index: int) -> None:
    page.evaluate(f"(index) => {{ {_NOTEBOOK}.content.activeCellIndex = index; }}", index)


def interrupt(page: Page) -> None:
    """Press the stop button."""
    command(page, "notebook:interrupt-kernel")


def save(page: Page) -> None:
    """Save the notebook and wait until it is written."""
    page.evaluate(f"() => {_NOTEBOOK}.context.save().then(() => null)")


def restart_kernel(page: Page) -> None:
    """Restart without the question JupyterLab would ask."""
    page.evaluate(f"() => {_NOTEBOOK}.context.sessionContext.session.kernel.restart().then(() => null)")
    wait_until_idle(page)


def shut_down_kernel(page: Page) -> None:
    """End the notebook's session, so that the next to open it gets a new kernel."""
    page.evaluate(f"() => {_NOTEBOOK}.context.sessionContext.shutdown().then(() => null)")


def trust(page: Page) -> None:
    """Trust the notebook and say yes to JupyterLab's question."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:trust'); }")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_function(f"() => [...{_NOTEBOOK}.content.model.cells].every(c => c.type !== 'code' || c.trusted)")


def use_theme(page: Page, *, dark: bool) -> None:
    """JupyterLab's own light or dark theme."""
    name = "JupyterLab Dark" if dark else "JupyterLab Light"
    command(page, "apputils:change-theme", {"theme": name})
    page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=str(not dark).lower())
    page.locator("#jupyterlab-splash").wait_for(state="detached")


def command(page: Page, name: str, arguments: dict[str, Any] | None = None) -> None:
    """Execute a command of JupyterLab and wait for its end."""
    page.evaluate(
        "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
        [name, arguments or {}],
    )


def cell(page: Page, index: int) -> Locator:
    return page.locator(".jp-NotebookPanel .jp-Notebook .jp-Cell").nth(index)


def outputs(page: Page, index: int) -> Locator:
    """The outputs of a cell, hidden ones too."""
    return cell(page, index).locator(".jp-OutputArea-child")


def screenshot(page: Page | Locator, name: str) -> Path:
    """Save a picture under `build/screenshots/`."""
    path = SCREENSHOTS / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    return path
