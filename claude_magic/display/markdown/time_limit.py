"""A limit on the CPU time of rendering."""

from __future__ import annotations

import time

_OFTEN = 16


def _now() -> float:
    return getattr(time, "thread_time", time.monotonic)()


class OutOfTime(Exception):
    """Rendering took too long; the text is shown unrendered."""


class Clock:
    """Counts the processor time of this thread: a busy machine does not change what a reply looks like.

    Where the platform does not tell that time (Pyodide), the time that passes is counted.
    """

    def __init__(self, seconds: float) -> None:
        self._end = _now() + seconds
        self._checks = 0

    def check(self) -> None:
        """Raises if the time is up; the clock is read only now and then, as reading it takes time.

        Raises:
            OutOfTime: Too much of it is gone.
        """
        self._checks += 1
        if self._checks % _OFTEN == 0 and self.remaining() <= 0:
            raise OutOfTime

    def remaining(self) -> float:
        return self._end - _now()
