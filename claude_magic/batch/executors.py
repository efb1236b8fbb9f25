"""Sending a request from another thread, process or machine, through an executor.

The request and a few settings are sent there, and an exchange comes back; never a key: the sending process finds it
in its own environment.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from ..api import credentials, platforms
from ..api.accumulator import Accumulator
from ..api.connect import connect
from ..api.interrupt import Interrupt
from ..api.provider import Provider
from ..api.transports.network import Pool, pool
from ..concurrency import Executor, Future, completed, in_child
from ..errors import ClaudeError, ConnectionFailed, SettingsError
from ..settings import Claude
from ..wire import Events, Exchange, Headers, Request

_KEY_HEADERS = ("x-api-key", "authorization")  # hold the name of the key in a request
_TICK = 0.1  # seconds between two looks at whether the user pressed stop


@dataclass(frozen=True, kw_only=True)
class ExecutorStream:
    """Sends a request through an executor.

    Attributes:
        number: Another one for each request, since some executors do equal work only once.
    """

    executor: Executor
    settings: Claude
    number: int
    interrupt: Interrupt

    def stream(self, request: Request, accumulator: Accumulator) -> Exchange:
        """The exchange that the executor brings; its events are added to `accumulator`, to be written down."""
        try:
            exchange = self._result(request)
        except ClaudeError as error:
            return accumulator.exchange(error)
        if isinstance(exchange.events, Events):
            accumulator.add_batches(exchange.events.batches)
        return exchange

    def _result(self, request: Request) -> Exchange:
        settings = self.settings
        try:
            future: Future[Exchange] = self.executor.submit(
                send, request, self.number, settings.connect_timeout, settings.timeout, settings.max_retries
            )
            while not completed([future], timeout=_TICK):
                if self.interrupt.is_set():
                    future.cancel()
                self.interrupt.check()
            return future.result()
        except ClaudeError:
            raise
        except Exception as error:
            raise ConnectionFailed(f"the executor failed: {type(error).__name__}: {str(error)[:200]}.") from None


def send(request: Request, number: int, connect_timeout: float, timeout: float, max_retries: int) -> Exchange:
    """Sends `request` from this process; what runs in the executor.

    Raises:
        SettingsError: It needs a key, and this process has none.
    """
    interrupt = Interrupt()
    settings = Claude(connect_timeout=connect_timeout, timeout=timeout, max_retries=max_retries)
    bare = [(name, value) for name, value in request.headers.items() if name.lower() not in _KEY_HEADERS]
    provider = _provider(request, settings, needs_key=len(bare) < len(request.headers))
    client = connect(settings, provider, pool=_pool(), interrupt=interrupt)
    return client.stream(replace(request, headers=Headers(bare)), Accumulator(request))


def _provider(request: Request, settings: Claude, *, needs_key: bool) -> Provider:
    """Who answers: the same endpoint, with the credential of this process."""
    hosting = request.hosting
    if hosting is not None:
        for name, value in {**hosting.settings, "provider": hosting.platform}.items():
            setattr(settings, name, value)
        platform = platforms.find(settings)
        assert platform is not None  # noqa: S101  a request has no other hosting
        return Provider(base_url=platform.base_url, credential=platform.find_credential(), platform=platform)
    credential = credentials.find()
    if credential is None and needs_key:
        raise SettingsError(
            "no API key where the executor runs: $ANTHROPIC_API_KEY is empty there. Set it there: the key of this "
            "kernel does not travel."
        )
    return Provider(base_url=request.url.removesuffix(request.endpoint), credential=credential)


@functools.cache
def _pool() -> Pool:
    return pool()


in_child(_pool.cache_clear)
