"""Holds an interrupt (SIGINT) back while a few lines run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from ...concurrency import in_main_thread


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Delay SIGINT until the block ends; threads other than the main one never receive it."""
    if not in_main_thread():
        yield
        return
    pending: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pending:
            signal.raise_signal(signal.SIGINT)
