"""Keeps botocore's debug logs silent in a thread while it handles credentials: they hold what servers answered.

Its logs of other threads, and of the user's own use of AWS, stay as they are.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from ...concurrency import ThreadLocal

_LOGGERS = (
    *("auth", "awsrequest", "client", "configprovider", "credentials", "endpoint", "hooks", "httpsession", "loaders"),
    *("parsers", "regions", "retries.standard", "retryhandler", "session", "signers", "tokens", "utils"),
)


class _Quiet(ThreadLocal):
    """Whether this thread handles credentials."""

    now = False


_state = _Quiet()


def _is_heard(record: logging.LogRecord) -> bool:
    return not _state.now


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it, botocore logs nothing from this thread."""
    for name in _LOGGERS:
        logger = logging.getLogger(f"botocore.{name}")
        if _is_heard not in logger.filters:
            logger.addFilter(_is_heard)
    before, _state.now = _state.now, True
    try:
        yield
    finally:
        _state.now = before
