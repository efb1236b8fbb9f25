"""All threads, timers, locks, queues and event loops of the package start here, and survive a fork here.

CPython has threads (`threads`). Python in a web page (Pyodide) has none: there coroutines take their place, whose
stacks the browser switches (`coroutines`). Where neither is possible, what is started runs at once, in its caller.
An architecture test holds that nothing else imports `threading`, `queue` or `concurrent.futures`.
"""

from __future__ import annotations

import sys

from .threads import (
    CancelledError,
    Empty,
    Event,
    Executor,
    Future,
    Lock,
    SimpleQueue,
    Thread,
    ThreadLocal,
    before_fork,
    can_run_beside,
    completed,
    fork_lock,
    from_widget,
    in_child,
    in_main_thread,
    run_coroutine,
    runs_in_caller,
    sleep,
    start_thread,
    start_timer,
    thread,
    thread_pool,
)

if sys.platform == "emscripten":
    from .coroutines import (
        Event,
        Lock,
        can_run_beside,
        completed,
        fork_lock,
        from_widget,
        in_main_thread,
        run_coroutine,
        runs_in_caller,
        sleep,
        start_thread,
        start_timer,
        thread_pool,
    )

__all__ = [
    "CancelledError",
    "Empty",
    "Event",
    "Executor",
    "Future",
    "Lock",
    "SimpleQueue",
    "Thread",
    "ThreadLocal",
    "before_fork",
    "can_run_beside",
    "completed",
    "fork_lock",
    "from_widget",
    "in_child",
    "in_main_thread",
    "run_coroutine",
    "runs_in_caller",
    "sleep",
    "start_thread",
    "start_timer",
    "thread",
    "thread_pool",
]
