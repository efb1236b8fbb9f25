"""Keeps the clouds' libraries from logging in a thread while they handle credentials: what servers answered is in it.

Their logs of other threads, and of the user's own use of a cloud, stay as they are.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from ...concurrency import ThreadLocal

_BOTOCORE = (
    *("auth", "awsrequest", "client", "configprovider", "credentials", "endpoint", "hooks", "httpsession", "loaders"),
    *("parsers", "regions", "retries.standard", "retryhandler", "session", "signers", "tokens", "utils"),
)
_GOOGLE = (
    *("auth._default", "auth.compute_engine._metadata", "auth.compute_engine.credentials", "auth.credentials"),
    *("auth.external_account", "auth.impersonated_credentials", "auth.transport.requests"),
    *("oauth2._client", "oauth2.credentials", "oauth2.service_account"),
)
_MICROSOFT = (
    *("azure.identity._credentials.chained", "azure.identity._credentials.default"),
    *("azure.identity._internal.decorators", "azure.identity._internal.get_token_mixin"),
    *("azure.core.pipeline.policies._universal", "azure.core.pipeline.policies.http_logging_policy"),
    *("msal.application", "msal.authority", "msal.managed_identity", "msal.oauth2cli.oauth2", "msal.token_cache"),
)
_LOGGERS = (*(f"botocore.{name}" for name in _BOTOCORE), *(f"google.{name}" for name in _GOOGLE), *_MICROSOFT)


class _Quiet(ThreadLocal):
    """Whether this thread handles credentials."""

    now = False


_state = _Quiet()


def _is_heard(record: logging.LogRecord) -> bool:
    return not _state.now


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it, they log nothing from this thread."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _is_heard not in logger.filters:
            logger.addFilter(_is_heard)
    before, _state.now = _state.now, True
    try:
        yield
    finally:
        _state.now = before
