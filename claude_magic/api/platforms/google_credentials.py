"""What opens Google Cloud: the application default credentials, which google-auth finds and renews.

google-auth is imported when it is used. Credentials are kept as long as the environment says the same.
"""

from __future__ import annotations

import calendar
import importlib.util
import json
import math
import os
from pathlib import Path
from typing import Any

from ...concurrency import Lock
from ...errors import SettingsError
from .. import credentials
from ..credentials import Secret, Signer
from ..stand_ins import without_tracing
from .environment import digest
from .quiet_logs import quiet
from .token import Token

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_NOT_INSTALLED = "Google Cloud needs google-auth, which is not installed. Run: pip install 'claude-magic[vertex]'"
_SOURCES = {  # by the module of google-auth
    "google.oauth2.credentials": "a sign-in with gcloud",
    "google.oauth2.service_account": "a service account",
    "google.auth.compute_engine.credentials": "the service account of this machine",
    "google.auth.impersonated_credentials": "a service account that is impersonated",
    "google.auth.identity_pool": "workload identity federation",
    "google.auth.aws": "workload identity federation with AWS",
    "google.auth.pluggable": "workload identity federation with a program",
    "google.auth.external_account_authorized_user": "workforce identity federation",
}
_PREFIXES = ("GOOGLE_", "GCE_", "GCLOUD_", "CLOUDSDK_", "GAE_", "NO_GCE_CHECK", "APPDATA")
_lock = Lock()
_known: dict[str, tuple[Token, str]] = {}


def find() -> Signer:
    """The token of the application default credentials, which is fetched when a request is sent.

    Raises:
        SettingsError: There are none, or google-auth is not installed.
    """
    return credentials.register("google", _find()[0])


def project() -> str:
    """The project that belongs to the credentials; `""` if they name none.

    Raises:
        SettingsError: There are no credentials, or google-auth is not installed.
    """
    return _find()[1]


def project_of_file() -> str:
    """The project that the file of a service account names; `""` if there is none. Nothing is asked of anybody."""
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    try:
        with without_tracing():
            return str(json.loads(Path(path).read_text(encoding="utf-8"))["project_id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _find() -> tuple[Token, str]:
    if importlib.util.find_spec("google") is None or importlib.util.find_spec("google.auth") is None:
        raise SettingsError(_NOT_INSTALLED)
    key = digest(_PREFIXES)
    with _lock:
        if key not in _known:
            _known[key] = _default()
        return _known[key]


def _default() -> tuple[Token, str]:
    import google.auth

    found, name, failure = None, None, ""
    try:
        with without_tracing(), quiet():
            found, name = google.auth.default(scopes=[_SCOPE])
    except Exception as error:
        failure = type(error).__name__
    if failure == "DefaultCredentialsError":
        raise SettingsError(
            "no Google credentials that can be read: look at $GOOGLE_APPLICATION_CREDENTIALS, "
            "or run `gcloud auth application-default login`."
        )
    if failure:
        raise SettingsError(f"no Google credentials: {failure}. Run `gcloud auth application-default login`.")
    module = type(found).__module__
    source = _SOURCES.get(module, module.removeprefix("google."))
    return Token(_Renewal(found, source), source=source), str(name or "")


class _Renewal:
    """Renews credentials of google-auth, which no frame shows."""

    def __init__(self, found: Any, source: str) -> None:
        self._found = found
        self._source = source

    def __call__(self, fresh: bool) -> tuple[Secret, float]:
        """A token, and when it ends; it is always a new one."""
        from google.auth.transport.requests import Request

        failure = ""
        try:
            with quiet():
                self._found.refresh(Request())
        except Exception as error:
            failure = type(error).__name__
        if failure or not self._found.token:  # raised here, so that no frame of google-auth hangs on it
            raise SettingsError(
                f"Google gives no token for {self._source} ({failure or 'an empty token'}). "
                "Run `gcloud auth application-default login`, or look at the service account and its key."
            )
        end = self._found.expiry
        return Secret(self._found.token, pasted=False), math.inf if end is None else calendar.timegm(end.timetuple())
