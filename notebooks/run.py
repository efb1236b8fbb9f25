"""Execute a lesson without a front end, and write it with its outputs, as a notebook and as an HTML page."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from claude_magic import ClaudeError
from claude_magic.session.provider import is_local
from claude_magic.settings import Claude


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--into", type=Path, default=Path("build"))
    parser.add_argument("--record", action="store_true", help="send again what the notebook replays, and record it")
    options = parser.parse_args()
    notebook = nbformat.read(options.notebook, as_version=4)
    replayed = None if options.record else _recording(notebook)
    print(f"{options.notebook.name}: answered by {replayed or _answerer()}")
    if options.record:
        _record(notebook)
    try:
        _execute(notebook, options.notebook.parent)
    except CellExecutionError as error:
        print(f"\n{error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    for path in _write(notebook, options.into / options.notebook.stem):
        print(f"written: {path}")
    return 0


def _record(notebook: nbformat.NotebookNode) -> None:
    """Makes a notebook record what it replays, without the cells that need an answer to be missing."""
    notebook.cells = [cell for cell in notebook.cells if "only-replayed" not in cell.metadata.get("tags", ())]
    for cell in notebook.cells:
        cell.source = cell.source.replace("claude.replay(", "claude.record(")


def _recording(notebook: nbformat.NotebookNode) -> str | None:
    """The file that the notebook replays; `None` if it replays none."""
    found = re.search(r'claude\.replay\("(.+?)"\)', "\n".join(cell.source for cell in notebook.cells))
    return found and found[1]


def _answerer() -> str:
    settings = Claude()
    try:
        local = is_local(settings)
    except ClaudeError as error:
        sys.exit(str(error))
    return "the small local model, not Claude (no key is set)" if local else f"the API at {settings.base_url}"


def _execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Runs all cells, with progress."""
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    began = time.monotonic()
    with client.setup_kernel(stderr=subprocess.DEVNULL):
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                _progress(f"cell {number + 1} of {len(notebook.cells)}, {time.monotonic() - began:.0f} s")
            client.execute_cell(cell, number)
        client.set_widgets_metadata()
    _progress(f"{len(notebook.cells)} cells in {time.monotonic() - began:.0f} s")
    print()


def _progress(text: str) -> None:
    """Prints progress: on one line in a terminal, else a line each."""
    if sys.stdout.isatty():
        print(f"\r{text:<40}", end="", flush=True)
    else:
        print(text, flush=True)


def _write(notebook: nbformat.NotebookNode, stem: Path) -> tuple[Path, Path]:
    stem.parent.mkdir(parents=True, exist_ok=True)
    executed, page = stem.with_suffix(".ipynb"), stem.with_suffix(".html")
    nbformat.write(notebook, executed)
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    return executed, page


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    sys.exit(main())
