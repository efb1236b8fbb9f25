"""Tokens that end, such as those of Google and Microsoft Entra: fetched when used, renewed before they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from ...concurrency import Lock
from ..credentials import Secret, UnsignedRequest, redact
from ..stand_ins import without_tracing

_MARGIN = 120.0  # seconds before the end at which a token is renewed


class Token:
    """A token that is sent as `Authorization: Bearer`; many threads that need a new one fetch one.

    Attributes:
        source: Where it comes from.
        version: Counts the tokens that were fetched because the one before had ended too early.
    """

    def __init__(self, fetch: Callable[[bool], tuple[Secret, float]], *, source: str) -> None:
        """
        Args:
            fetch: Returns a token, and when it ends, in seconds since 1970; raises `SettingsError`. If it is called
                with true, a token that a library holds is not enough.
        """
        self.source = source
        self.version = 0
        self._fetch = fetch
        self._lock = Lock()
        self._token: Secret | None = None
        self._end = 0.0

    @property
    def secrets(self) -> Sequence[Secret]:
        """The token of now, if there is one."""
        return () if self._token is None else (self._token,)

    @property
    def placeholders(self) -> Sequence[tuple[str, str]]:
        return [("authorization", "Bearer ***")]

    def headers(self, request: UnsignedRequest) -> Iterable[tuple[str, str, Secret | None]]:
        return [("Authorization", "Bearer ", self._current())]

    def redact(self, text: str) -> str:
        for secret in self.secrets:
            text = secret.redact(text)
        return redact(text)

    def _current(self) -> Secret:
        with self._lock, without_tracing():
            if self._token is None or time.time() > self._end - _MARGIN:
                self._token, self._end = self._fetch(False)
            return self._token

    def renew(self, version: int) -> bool:
        """Fetches another token, unless that was done since `version`; whether there is another one.

        Raises:
            SettingsError: There is none.
        """
        with self._lock, without_tracing():
            if version != self.version:
                return True
            before = self._token
            self._token, self._end = self._fetch(True)
            is_other = before is None or not self._token.is_same(before)
            self.version += is_other
            return is_other
