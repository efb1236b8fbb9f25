"""The progress of many requests, as a bar of tqdm where it is installed."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import Any

from ...wire.short_text import dollars


class Progress:
    """A progress bar, shown while its block runs.

    Args:
        total: The number of requests.
        title: The text beside the bar.
        begin: The text behind it until the first request is done.
    """

    def __init__(self, total: int, title: str, begin: str = "") -> None:
        self._total = total
        self._title = title
        self._begin = begin
        self._bar: Any = None
        self._usd = 0.0
        self._ok = self._failed = 0

    @staticmethod
    def is_shown() -> bool:
        """Whether there is a bar: tqdm is installed."""
        return importlib.util.find_spec("tqdm") is not None

    def __enter__(self) -> Progress:
        if self.is_shown():
            from tqdm.auto import tqdm

            self._bar = tqdm(total=self._total, desc=self._title, postfix=self._begin or None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.set_postfix_str(self._counts)
            self._bar.close()

    @property
    def _counts(self) -> str:
        """The requests done and their cost, such as "195 ok, 5 failed, $0.12"."""
        counts = f"{self._ok:,} ok" + f", {self._failed:,} failed" * bool(self._failed)
        return f"{counts}, {dollars(self._usd)}" if self._usd else counts

    def add(self, usd: float | None, *, failed: bool = False) -> None:
        """Count one more request and its cost."""
        self._usd += usd or 0.0
        self._ok, self._failed = self._ok + (not failed), self._failed + failed
        if self._bar is not None:
            self._bar.set_postfix_str(self._counts, refresh=False)
            with contextlib.suppress(Exception):  # a bar that cannot be drawn loses no reply
                self._bar.update()
