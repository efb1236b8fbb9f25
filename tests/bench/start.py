"""What `%load_ext claude_magic` costs over a bare IPython, and the first question after it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .child import SHORT, answer, cpu, measured, median, median_ratio, paired
from .table import Row, Section, milliseconds

GOAL = 0.015  # seconds
HEAVY = ("requests", "markdown", "ipywidgets", "sqlite3")
ROUNDS = 1 if SHORT else 4


def section(url: str) -> Section:
    """All rows; a first load compiles what is not compiled yet."""
    names = ("load", "sdk", "empty")
    measured("start", "load", url=url)
    found = paired("start", names, rounds=ROUNDS, url=url)
    ours, sdk, empty = (found[name] for name in names)
    heavy = sorted({name for each in ours for name in each["heavy"]})
    return Section(
        title="(a) Start, in a fresh IPython shell. Peer: `import anthropic`. Floor: an empty extension.",
        rows=[
            Row(
                what="%load_ext claude_magic, CPU",
                ours=milliseconds(median(ours)),
                peer=milliseconds(median(sdk)),
                floor=milliseconds(median(empty)),
                ratio=f"{median_ratio(sdk, ours):.0f} peer/ours",
                goal=f"< {GOAL * 1000:.0f} ms",
                met=median(ours) < GOAL,
            ),
            Row(
                what="    modules imported by it",
                ours=f"{median(ours, 'modules'):.0f}",
                peer=f"{median(sdk, 'modules'):,.0f}",
                floor=f"{median(empty, 'modules'):.0f}",
                ratio=f"{median_ratio(sdk, ours, 'modules'):.0f} peer/ours",
                goal="none of the heavy",
                met=not heavy,
            ),
            Row(
                what="    and the first small question, CPU",
                ours=milliseconds(median(ours, "first")),
                peer=milliseconds(median(sdk, "first")),
                ratio=f"{median_ratio(sdk, ours, 'first'):.1f} peer/ours",
            ),
        ],
        notes=[f"newly imported of {', '.join(HEAVY)}: {', '.join(heavy) or 'none'}"],
    )


def load() -> Mapping[str, Any]:
    shell, before = _shell()
    with cpu() as spent:
        shell.run_line_magic("load_ext", "claude_magic")
    found = _imported(before)
    with cpu() as asked:
        from claude_magic import claude

        claude("hi")
    return {**spent, **found, "first": asked["cpu"]}


def sdk() -> Mapping[str, Any]:
    _, before = _shell()
    with cpu() as spent:
        import anthropic
    found = _imported(before)
    with cpu() as asked:
        anthropic.Anthropic(max_retries=0).messages.create(
            model="claude-opus-5-5", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
        )
    return {**spent, **found, "first": asked["cpu"]}


def empty() -> Mapping[str, Any]:
    Path("empty_extension.py").write_text("def load_ipython_extension(shell): pass\n")
    sys.path.insert(0, "")
    shell, before = _shell()
    with cpu() as spent:
        shell.run_line_magic("load_ext", "empty_extension")
    return {**spent, **_imported(before)}


def _shell() -> tuple[Any, set[str]]:
    """A bare shell, and the modules that are there."""
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.instance(), set(sys.modules)


def _imported(before: set[str]) -> dict[str, Any]:
    new = set(sys.modules) - before
    return {"modules": len(new), "heavy": sorted(new & set(HEAVY))}


if __name__ == "__main__":
    answer({"load": load, "sdk": sdk, "empty": empty})
