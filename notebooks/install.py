"""Install packages with pip, with progress on one line; pip's own output only if it fails.

It runs before anything is installed, so it imports the standard library alone.
"""

from __future__ import annotations

import collections
import re
import subprocess
import sys
import threading
import time

_TICK = 1.0  # seconds between two lines
_STEP = re.compile(r"(Collecting|Downloading|Using cached|Building|Installing|Preparing|Obtaining|Processing)\b.*")


def main() -> int:
    """`install.py WHAT PIP-ARGUMENTS…`: WHAT is told, the rest is for pip."""
    what, *arguments = sys.argv[1:]
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603  # pip, and no shell
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    said: collections.deque[str] = collections.deque(maxlen=15)
    reader = threading.Thread(target=_read, args=(process, said), daemon=True)
    reader.start()
    while reader.is_alive():
        _tell(f"{what}, {time.monotonic() - began:.0f} s: {_step(said)}")
        reader.join(_TICK)
    if process.wait():
        print("\n" + "\n".join(said), file=sys.stderr)
        return process.returncode
    _tell(f"{what}: done in {time.monotonic() - began:.0f} s")
    if sys.stdout.isatty():
        print()
    return 0


def _read(process: subprocess.Popen[str], said: collections.deque[str]) -> None:
    for line in process.stdout or ():
        said.append(line.strip())


def _step(said: collections.deque[str]) -> str:
    """The last step that pip spoke of."""
    steps = [line for line in list(said) if _STEP.match(line)]
    return steps[-1] if steps else "asking the package index"


_last = [0.0]


def _tell(line: str) -> None:
    """One line that is written over; where it cannot be, a line now and then."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{line[:78]}", end="", flush=True)
    elif time.monotonic() - _last[0] > 10 or ": done" in line:
        _last[0] = time.monotonic()
        print(line[:78], flush=True)


if __name__ == "__main__":
    sys.exit(main())
