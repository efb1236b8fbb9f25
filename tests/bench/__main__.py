"""Run all measurements and print them."""

from __future__ import annotations

import argparse
import sys
import time

from . import batches, calls, journal, many, pages, start, streams, turns, uploads, way
from .child import served
from .table import table

SECTIONS = {
    "a": lambda url, long: start.section(url),
    "b": lambda url, long: streams.section(url),
    "c": lambda url, long: pages.section(url, long=long),
    "d": lambda url, long: calls.section(url),
    "e": lambda url, long: turns.section(url),
    "f": lambda url, long: journal.section(url),
    "g": lambda url, long: many.section(),
    "h": lambda url, long: way.section(url),
    "i": lambda url, long: batches.section(),
    "j": lambda url, long: uploads.section(),
}


def main() -> None:
    """Measure what the command line asks for."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="which to run; all by default")
    options.add_argument("--long", action="store_true", help="also what takes minutes: the long replies, paced")
    chosen = options.parse_args()
    began = time.monotonic()
    found = []
    with served("tests.bench.endpoint") as url:
        for name in chosen.sections or SECTIONS:
            print(f"measuring ({name}) …", file=sys.stderr, flush=True)
            found.append(SECTIONS[name](url, chosen.long))
    print(table(found))
    print(f"\n{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
