"""What opens AWS: a key of the environment, or botocore's own search (variables, profiles, SSO, roles, processes).

botocore finds and renews; it is imported when it is used. What it found is kept as long as the environment and the
files say the same.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ...concurrency import Lock
from ...errors import SettingsError
from .. import credentials
from ..credentials import Secret, Signer, UnsignedRequest, redact
from ..stand_ins import without_tracing
from .environment import digest
from .key import Key
from .quiet_logs import quiet

_NOT_INSTALLED = "AWS needs botocore, which is not installed. Run: pip install 'claude-magic[bedrock]'"
_SIGNATURE = re.compile(r"Signature=[0-9a-f]{64}")
_SOURCES = {  # botocore's name of a source: how it is said
    "env": "the environment variables of AWS",
    "explicit": "the environment variables of AWS",
    "shared-credentials-file": "the AWS credentials file",
    "config-file": "the AWS config file",
    "assume-role": "a role that is assumed",
    "assume-role-with-web-identity": "a role that is assumed by a web identity",
    "sso": "AWS SSO",
    "login": "aws login",
    "custom-process": "credential_process of the AWS config file",
    "container-role": "the role of the container",
    "iam-role": "the role of the instance",
}
_ACCESS_KEY = "AWS_ACCESS_KEY_ID"
_PREFIXES = ("AWS_",)
_FILES = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
_lock = Lock()
_search = Lock()  # one at a time: many rows of a map begin together
_sessions: dict[tuple[str, str, str], Any] = {}
_signers: dict[tuple[str, str, str, str], Signature] = {}


def find(*, service: str, region: str, profile: str, keys: Sequence[str]) -> Signer:
    """A key of the environment, unless a profile is set; else what botocore finds.

    Args:
        keys: The environment variables with a key, first to last.

    Raises:
        SettingsError: There is nothing, or botocore is not installed.
    """
    if importlib.util.find_spec("botocore") is None:
        raise SettingsError(_NOT_INSTALLED)
    with without_tracing():
        name = next((name for name in keys if os.environ.get(name, "").strip()), "")
        found: Signer
        found = (
            Key.of(name, (("Authorization", "Bearer "),))
            if name and not profile
            else _signature(service, region, profile, keys)
        )
    return credentials.register(service, found)


def is_in_environment(profile: str, keys: Sequence[str]) -> bool:
    """Whether `find` asks neither files nor the network."""
    installed = importlib.util.find_spec("botocore") is not None
    return installed and not profile and any(os.environ.get(name, "").strip() for name in (*keys, _ACCESS_KEY))


def region_of(profile: str) -> str:
    """The region in AWS's own files; `""` if there is none."""
    with without_tracing():
        return str(_session(profile, "").get_config_variable("region") or "")


class Signature:
    """Signs each request with credentials that botocore found, and renews while they are used.

    Attributes:
        source: Where they come from.
        secrets: Those of the last signature.
        version: Counts the searches that were made because the credentials had ended too early.
    """

    def __init__(self, search: Callable[[bool], tuple[Any, str]], *, service: str, region: str) -> None:
        """
        Args:
            search: Returns the credentials of botocore, and where they come from; if it is called with true, it looks
                for them anew.
        """
        self.secrets: Sequence[Secret] = ()
        self.version = 0
        self._search = search
        self._service = service
        self._region = region
        self._lock = Lock()
        self._found, self.source = search(False)

    @property
    def placeholders(self) -> Sequence[tuple[str, str]]:
        scope = f"{self._region}/{self._service}/aws4_request"
        shown = [("authorization", f"AWS4-HMAC-SHA256 Credential=***/{scope}, Signature=***")]
        return [*shown, ("x-amz-security-token", "***")] if len(self.secrets) > 1 else shown

    def headers(self, request: UnsignedRequest) -> Iterable[tuple[str, str, Secret | None]]:
        from .sigv4 import sign

        with without_tracing():
            return sign(request, self._freeze(), service=self._service, region=self._region)  # in no variable here

    def load(self) -> Signature:
        """Fetches the credentials, if they are not there yet.

        Raises:
            SettingsError: They cannot be had.
        """
        with without_tracing():
            self._freeze()
        return self

    def renew(self, version: int) -> bool:
        """Looks for other credentials, unless that was done since `version`; whether there are others.

        Raises:
            SettingsError: They cannot be had.
        """
        with self._lock, without_tracing():
            if version != self.version:
                return True
            before = self.secrets
            self._found, self.source = self._search(True)
            self._freeze()
            are_same = len(before) == len(self.secrets) and all(map(Secret.is_same, before, self.secrets))
            self.version += not are_same
            return not are_same

    def redact(self, text: str) -> str:
        for secret in self.secrets:
            text = secret.redact(text)
        return _SIGNATURE.sub("Signature=***", redact(text))

    def _freeze(self) -> Any:
        """The credentials of now; botocore renews them a while before they end."""
        failure, frozen = "", self._found  # the type is botocore's
        try:
            with quiet():
                frozen = self._found.get_frozen_credentials()
        except Exception as error:
            failure = _reason(error)
        if failure:  # raised here, so that no frame of botocore hangs on it
            raise SettingsError(f"the AWS credentials from {self.source} cannot be renewed: {failure}")
        self.secrets = tuple(Secret(each, pasted=False) for each in (frozen.secret_key, frozen.token) if each)
        return frozen


def _signature(service: str, region: str, profile: str, keys: Sequence[str]) -> Signature:
    key = _state(), profile, service, region
    with _search:
        if key not in _signers:
            search = partial(_search_of_botocore, region, profile, keys)
            _signers[key] = Signature(search, service=service, region=region)
        return _signers[key].load()


def _search_of_botocore(region: str, profile: str, keys: Sequence[str], anew: bool) -> tuple[Any, str]:
    """The credentials, and where they come from.

    Args:
        anew: Whether those that a session holds are not enough.
    """
    if anew:
        with _lock:
            _sessions.pop((_state(), profile, region), None)
    session, found, failure = _session(profile, region), None, ""
    try:
        with quiet():
            found = session.get_credentials()
    except Exception as error:
        failure = _reason(error)
    if failure:
        raise SettingsError(f"no AWS credentials: {failure}")
    if found is None:
        raise SettingsError(
            f"no AWS credentials: ${keys[0]} is empty, and AWS's own search found none. "
            "Run `aws configure` or `aws sso login`, or set Claude.aws_profile."
        )
    source = _SOURCES.get(str(found.method), str(found.method))
    named = profile or os.environ.get("AWS_PROFILE", "") or "default"
    of_file = str(found.method) not in ("env", "explicit", "container-role", "iam-role")
    return found, f"{source}, profile {named}" if of_file else source


def _session(profile: str, region: str) -> Any:
    """A session of botocore; a new one once the environment says otherwise.

    Args:
        region: Also for the services that give credentials; `""` for that of the files.

    Raises:
        SettingsError: botocore is not installed, or has no such profile.
    """
    try:
        import botocore.session
        from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection
    except ImportError:
        raise SettingsError(_NOT_INSTALLED) from None
    AWSHTTPConnection.debuglevel = AWSHTTPSConnection.debuglevel = 0  # else `http.client` could print what they send
    key = _state(), profile, region
    with _lock:
        if key not in _sessions:
            _sessions[key] = botocore.session.Session(profile=profile or None)
            if region:
                _sessions[key].set_config_variable("region", region)
        session = _sessions[key]
    failure = ""
    try:
        with quiet():
            session.get_scoped_config()
    except Exception as error:
        failure = _reason(error)
    if failure:
        raise SettingsError(f"the AWS profile cannot be read: {failure}")
    return session


def _state() -> str:
    """Tells one environment of AWS, and one state of its files, from another; no secret can be read from it."""
    stats = []
    for name, usual in _FILES:
        path = os.path.expanduser(os.environ.get(name) or usual)
        if os.path.exists(path):
            stat = os.stat(path)
            stats.append(f"{path} {stat.st_mtime_ns} {stat.st_size}")
    return "\n".join((digest(_PREFIXES), *stats))


def _reason(error: Exception) -> str:
    """A sentence of botocore's error, and what to do; never the text of what a server or a process has sent."""
    kind = type(error).__name__
    if kind == "ProfileNotFound":
        return "there is no such profile in the AWS files. Look at Claude.aws_profile and $AWS_PROFILE."
    if "SSO" in kind or "Token" in kind or kind.startswith("Login"):
        return f"the sign-in has ended ({kind}). Run `aws sso login`, with --profile NAME if it has one."
    if kind == "NoCredentialsError":
        return "there are none. Run `aws configure` or `aws sso login`."
    if kind == "ClientError":
        response = getattr(error, "response", {})
        code = str(response.get("Error", {}).get("Code", ""))[:80] if isinstance(response, dict) else ""
        return f"AWS refused them ({code or kind}). Look at the role and who may assume it."
    return f"{kind}. Look at the AWS config file and the environment."
