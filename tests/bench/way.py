"""The way of a cell through the package: how many files a streamed reply touches, and how often it moves between them.

A move is a call of a function in another file than the last call's. Few files and few moves are a way that a reader
can follow.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from types import FrameType
from typing import Any

from .child import ROOT, answer, measured
from .table import Row, Section

FILES, MOVES = 46, 464  # half of what it was when first measured: 93 files, and 928 moves of the reader's thread
_PACKAGE = f"{ROOT}/claude_magic/"


def section(url: str) -> Section:
    """One streamed cell, after another that imports what it takes."""
    found = measured("way", "cell", url=url)
    packages = ", ".join(f"{name} {count}" for name, count in found["packages"].items())
    return Section(
        title="(h) The way of one streamed cell through the package; it does not depend on the machine.",
        rows=[
            _row("files, all threads", found["files"], FILES),
            _row("moves between files, the reader's thread", found["moves"], MOVES),
            Row(what="moves between files, other threads", ours=f"{found['moves_elsewhere']:,}"),
            Row(what="calls, all threads", ours=f"{found['calls']:,}"),
        ],
        notes=[f"files of each package: {packages}"],
    )


def _row(what: str, count: int, goal: int) -> Row:
    return Row(what=what, ours=f"{count:,}", goal=f"≤ {goal}", met=count <= goal)


class Way:
    """Which files the calls of each thread are in; a profile function."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.calls = 0
        self.moves: Counter[int] = Counter()
        self._last: dict[int, str] = defaultdict(str)

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event != "call" or not name.startswith(_PACKAGE):
            return
        thread, file = threading.get_ident(), name.removeprefix(_PACKAGE)
        self.calls += 1
        self.files.add(file)
        self.moves[thread] += self._last[thread] != file
        self._last[thread] = file


def cell() -> Mapping[str, Any]:
    """Files, moves and calls of `%%claude` with a short question."""
    from IPython.core.interactiveshell import InteractiveShell

    from claude_magic import claude

    shell: Any = InteractiveShell.instance()
    shell.kernel = object()  # then replies are shown as on a page
    shell.run_line_magic("load_ext", "claude_magic")
    shell.run_cell("%%claude\nwarm up")
    _forget_threads(claude)
    way = Way()
    threading.setprofile(way)
    sys.setprofile(way)
    try:
        shell.run_cell("%%claude\nhi")
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    claude.journal.last()  # waits until the row is written
    here = way.moves[threading.get_ident()]
    packages = Counter(file.partition("/")[0].removesuffix(".py") for file in way.files)
    return {
        "files": len(way.files),
        "moves": here,
        "moves_elsewhere": sum(way.moves.values()) - here,
        "calls": way.calls,
        "packages": dict(packages.most_common()),
    }


def _forget_threads(claude: Any) -> None:
    """Let the next cell start new threads: only those that start under the profile are seen."""
    claude.session.ledger.close()


if __name__ == "__main__":
    answer({"cell": cell})
