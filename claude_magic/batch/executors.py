"""Sending a request from another thread, process or machine, through an executor.

What crosses is the request and a few settings, and an exchange comes back; never a key. Whoever
sends finds the key in its own environment.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from ..api import credentials
from ..api.accumulator import Accumulator
from ..api.connect import connect
from ..api.interrupt import Interrupt
from ..api.provider import Provider
from ..api.transports.http import Pool, pool
from ..concurrency import Executor, Future, completed, in_child
from ..errors import ClaudeError, ConnectionFailed, SettingsError
from ..settings import Claude
from ..wire import Exchange, Headers, Request

_PLACES_OF_A_KEY = ("x-api-key", "authorization")  # where its name stands in a request
_TICK = 0.1  # seconds between two looks at whether the reader pressed stop


def send_through(executor: Executor, settings: Claude, request: Request, number: int, interrupt: Interrupt) -> Exchange:
    """The exchange that `executor` made of `request`.

    Args:
        number: Another one for each request, since some executors do equal work only once.

    Raises:
        Interrupted: The reader stopped it.
        ConnectionFailed: The executor could not run it.
    """
    try:
        future: Future[Exchange] = executor.submit(
            send, request, number, settings.connect_timeout, settings.timeout, settings.max_retries
        )
        while not completed([future], timeout=_TICK):
            if interrupt.is_set():
                future.cancel()
            interrupt.check()
        return future.result()
    except ClaudeError:
        raise
    except Exception as error:
        raise ConnectionFailed(f"the executor failed: {type(error).__name__}: {str(error)[:200]}.") from None


def send(request: Request, number: int, connect_timeout: float, timeout: float, max_retries: int) -> Exchange:
    """Send `request` from here; what runs in the executor.

    Raises:
        SettingsError: It needs a key, and there is none here.
    """
    credential, interrupt = credentials.find(), Interrupt()
    bare = [(name, value) for name, value in request.headers.items() if name.lower() not in _PLACES_OF_A_KEY]
    if credential is None and len(bare) < len(request.headers):
        raise SettingsError(
            "no API key where the executor runs: $ANTHROPIC_API_KEY is empty there. Set it there: the key of this "
            "kernel does not travel."
        )
    settings = Claude(connect_timeout=connect_timeout, timeout=timeout, max_retries=max_retries)
    provider = Provider(base_url=request.url.removesuffix(request.endpoint), credential=credential)
    client = connect(settings, provider, pool=_pool(), interrupt=interrupt)
    return client.stream(replace(request, headers=Headers(bare)), Accumulator(request))


@functools.cache
def _pool() -> Pool:
    return pool()


in_child(_pool.cache_clear)
