"""A few lines that the reader's interrupt does not cut in two: it comes right after them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from ...concurrency import in_main_thread


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Hold SIGINT back until what is inside is done; other threads than the main one never get it."""
    if not in_main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
