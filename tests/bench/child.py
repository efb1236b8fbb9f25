"""A contestant in a Python of its own: what another one imported does not weigh on it.

`import anthropic` alone makes each run of the garbage collector dearer for all that follows.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
KEY = "bench-key-5b1c94"
SHORT = os.environ.get("BENCH") == "short"  # every section as small as can be: does it run to its end?
Contestant = Callable[..., Mapping[str, Any]]


def environment(home: str, url: str = "") -> dict[str, str]:
    """Nothing of whoever runs this: an empty home, no proxy, a key of ours, and this tree first.

    Byte code is written, as an installation does: else each start would compile the package again.
    """
    kept = {name: value for name, value in os.environ.items() if not _personal(name)}
    mine = {"HOME": home, "IPYTHONDIR": f"{home}/ipython", "XDG_CONFIG_HOME": f"{home}/config"}
    mine["XDG_DATA_HOME"] = f"{home}/data"
    endpoint = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url} if url else {}
    return {**kept, **mine, **endpoint, "PYTHONPATH": str(ROOT)}


def measured(module: str, contestant: str, *arguments: object, url: str = "") -> dict[str, Any]:
    """What `contestant` of `module` found, in a fresh process."""
    with TemporaryDirectory() as home:
        command = [sys.executable, "-m", f"tests.bench.{module}", contestant, *map(str, arguments)]
        done = subprocess.run(command, env=environment(home, url), cwd=home, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module} {contestant} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def paired(
    module: str, contestants: Sequence[str], *arguments: object, rounds: int, url: str = ""
) -> dict[str, list[dict[str, Any]]]:
    """What each contestant found, by turns, so that a busy minute hits all of them."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name in contestants:
            found[name].append(measured(module, name, *arguments, url=url))
    return found


def median(found: Sequence[Mapping[str, Any]], name: str = "cpu") -> float:
    return statistics.median(float(each[name]) for each in found)


def median_ratio(above: Sequence[Mapping[str, Any]], below: Sequence[Mapping[str, Any]], name: str = "cpu") -> float:
    """The middle one of the pairs' ratios."""
    return statistics.median(float(a[name]) / float(b[name]) for a, b in zip(above, below, strict=True))


def answer(contestants: Mapping[str, Contestant]) -> None:
    """What a child does: run the contestant that the command line names, and print what it found."""
    found = contestants[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(found))


@contextmanager
def cpu() -> Iterator[dict[str, float]]:
    """CPU seconds of this process, all its threads, from a collected heap."""
    found: dict[str, float] = {}
    gc.collect()
    began = time.process_time()
    yield found
    found["cpu"] = time.process_time() - began


def _personal(name: str) -> bool:
    return name.startswith(("ANTHROPIC_", "PYTHON")) or name.lower().endswith("_proxy")


def peak_memory() -> float:
    """The most that this process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def served(module: str, *words: str) -> Iterator[str]:
    """The URL of an endpoint in a process of its own, which says its URL first."""
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(command, env=environment("."), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
