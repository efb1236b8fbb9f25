"""What opens Microsoft Foundry: its key of the environment, or a token of Microsoft Entra, which azure-identity finds.

azure-identity is imported when it is used, and only without a key.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from ...concurrency import Lock
from ...errors import SettingsError
from .. import credentials
from ..credentials import Secret, Signer
from ..stand_ins import without_tracing
from .environment import digest
from .key import Key
from .quiet_logs import quiet
from .token import Token

_KEY = "ANTHROPIC_FOUNDRY_API_KEY"
_SCOPE = "https://ai.azure.com/.default"
_PREFIXES = ("AZURE_", "MSI_", "IDENTITY_", "IMDS_")
_lock = Lock()
_known: dict[str, Token] = {}


def find() -> Signer:
    """The key of the environment, else a token of Microsoft Entra, which is fetched when a request is sent.

    Raises:
        SettingsError: There is no key, and azure-identity is not installed.
    """
    with without_tracing():
        has_key = bool(os.environ.get(_KEY, "").strip())
        found: Signer = Key.of(_KEY, (("x-api-key", ""), ("api-key", ""))) if has_key else _entra()
    return credentials.register("foundry", found)


def key() -> Signer | None:
    """The key of the environment; `None` if there is none."""
    with without_tracing():
        return find() if os.environ.get(_KEY, "").strip() else None


def _entra() -> Token:
    if importlib.util.find_spec("azure") is None or importlib.util.find_spec("azure.identity") is None:
        raise SettingsError(
            f"no credential of Foundry: ${_KEY} is empty, and azure-identity, which finds a sign-in with Entra, is not "
            "installed. Set the key, or run: pip install 'claude-magic[foundry]'"
        )
    key = digest(_PREFIXES)
    with _lock:
        if key not in _known:
            _known[key] = Token(_Renewal(), source="Microsoft Entra, by azure-identity")
        return _known[key]


class _Renewal:
    """Asks azure-identity for tokens, which no frame shows."""

    def __init__(self) -> None:
        self._find()

    def _find(self) -> None:
        """Begins with no token: azure-identity holds those that it was given."""
        from azure.identity import DefaultAzureCredential

        self._found = DefaultAzureCredential()

    def __call__(self, fresh: bool) -> tuple[Secret, float]:
        """A token, and when it ends."""
        if fresh:
            self._find()
        failure = ""
        try:
            with quiet():
                return _hidden(self._found.get_token(_SCOPE))
        except Exception as error:
            failure = type(error).__name__
        raise SettingsError(  # raised here, so that no frame of azure-identity hangs on it
            f"no credential of Foundry: ${_KEY} is empty, and Microsoft Entra gives no token ({failure}). "
            "Run `az login`, or set the key."
        )


def _hidden(given: Any) -> tuple[Secret, float]:
    """A token of azure-identity, and when it ends; no frame that an error leaves holds its text."""
    return Secret(given.token, pasted=False), float(given.expires_on)
