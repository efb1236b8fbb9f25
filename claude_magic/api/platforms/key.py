"""A key of a platform that is sent as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...errors import SettingsError
from ..credentials import Secret, UnsignedRequest, redact


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key and the headers that carry it.

    Attributes:
        source: As shown to the user, such as `$AWS_BEARER_TOKEN_BEDROCK`.
        names: The headers: name, and what stands before the key.
    """

    source: str
    names: Sequence[tuple[str, str]]
    secrets: Sequence[Secret] = field(repr=False)

    @classmethod
    def of(cls, variable: str, names: Sequence[tuple[str, str]]) -> Key:
        """The key of an environment variable. Call it inside `without_tracing()`.

        Raises:
            SettingsError: It cannot be sent.
        """
        secret = Secret(os.environ.get(variable, ""))
        if not secret.is_printable() or secret.has_space():
            raise SettingsError(f"the key from ${variable} holds a character that cannot be sent. Copy it again.")
        return cls(source=f"${variable}", names=names, secrets=(secret,))

    @property
    def placeholders(self) -> Sequence[tuple[str, str]]:
        return [(name.lower(), f"{before}{self.source}") for name, before in self.names]

    def headers(self, request: UnsignedRequest) -> Iterable[tuple[str, str, Secret | None]]:
        return [(name, before, self.secrets[0]) for name, before in self.names]

    def redact(self, text: str) -> str:
        return redact(self.secrets[0].redact(text))
