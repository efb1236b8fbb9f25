"""Run cells of the first lesson in this terminal, on the local model; each reply is shown while it is written.

It costs nothing and writes nothing. If you have a key, it is used only with `make demo ARGS=--api`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from claude_magic import ClaudeError, claude, local
from claude_magic.display.text.plain import plain

LESSON = Path(__file__).with_name("01-first-message.ipynb")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", action="store_true", help="ask the API, with your key; this costs a little")
    options = parser.parse_args()
    if not options.api and not local.is_installed():
        print(f"the local model is not installed. Run: {local.INSTALL}", file=sys.stderr)
        return 1
    began = time.monotonic()
    print("the API answers, with your key" if options.api else "a small model on this machine answers, not Claude")
    try:
        with TemporaryDirectory() as folder:
            shell = _shell(folder)
            claude.settings.journal = ""
            claude.settings.provider = "anthropic" if options.api else "local"
            _run(shell, _cells())
    except KeyboardInterrupt:
        return 130
    except ClaudeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{time.monotonic() - began:.0f} s in all. {_next(options.api)}")
    return 0


def _cells() -> list[str]:
    """The sources of the lesson's cells that are tagged `demo`."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if "demo" in cell["metadata"].get("tags", ())]


def _shell(folder: str) -> Any:
    """IPython with the extension loaded; what it writes goes into a temporary folder."""
    os.environ["IPYTHONDIR"] = folder
    shell: Any = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "claude_magic")
    return shell


def _run(shell: Any, cells: list[str]) -> None:
    """Show and run each cell, its reply as text that grows word by word; then the response headers."""
    for source in cells:
        print(f"\n{source}\n", flush=True)
        first, _, text = source.removeprefix("%%claude").partition("\n")
        shell.run_cell_magic("claude", f"--raw {first}", text)
    headers = claude.last.headers if claude.last else {}
    print("\nclaude.last.headers", *(plain(f"  {name}: {value}") for name, value in headers.items()), "", sep="\n")


def _next(api: bool) -> str:
    if os.environ.get("ANTHROPIC_API_KEY") and not api:
        return "Next: make lab asks Claude with your key, which was not used here; or make demo ARGS=--api."
    if api:
        return "Next: make lab opens the lessons in JupyterLab."
    return "Next: make lab opens the lessons in JupyterLab; with ANTHROPIC_API_KEY set, Claude answers there."


if __name__ == "__main__":
    sys.exit(main())
