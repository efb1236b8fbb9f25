"""A streamed reply that waits at each `Step N` until a test, perhaps in another process, lets it go on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.server import STREAM, Answer, event, text_events

_STEP = re.compile(r"(?<=Step \d)")
_CHARACTERS = 5  # of an event: half a marker is often its end
_PAUSE = 0.005


def paced(text: str, folder: Path, **options: Any) -> Answer:
    """The reply; after `Step N` it waits for the file `go-N` in the folder."""
    parts = _STEP.split(text)
    pieces = [[part[at : at + _CHARACTERS] for at in range(0, len(part), _CHARACTERS)] for part in parts]
    events = text_events([piece for several in pieces for piece in several], **options)
    ends = {sum(map(len, pieces[: number + 1])): number + 1 for number in range(len(parts) - 1)}
    return Answer(headers=STREAM, pieces=list(_answer(events, ends, folder)))


def go_on(folder: Path, step: int) -> None:
    """Let the replies go on after a step."""
    (folder / f"go-{step}").touch()


def _answer(events: Iterator[dict[str, Any]], ends: dict[int, int], folder: Path) -> Iterator[Any]:
    count = 0
    for each in events:
        yield event(each)
        yield _PAUSE
        if each["type"] == "content_block_delta":
            count += 1
            if count in ends:
                yield partial(_wait, folder / f"go-{ends[count]}")


def _wait(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)
