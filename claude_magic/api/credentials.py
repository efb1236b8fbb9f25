"""The API keys: where they come from, and how they stay hidden; and what every credential has to do.

A key is looked up for each request, and is never in a setting, a repr, a traceback or a pickle. There are two: the
ordinary one, and the admin key, which is sent to `/v1/organizations/` and nowhere else.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol, SupportsIndex

from ..errors import CellError, SettingsError
from ..settings.project import files_above
from ..wire.placeholders import is_placeholder

_KEY = re.compile(r"sk-ant-[A-Za-z0-9_-]{8,}")
_QUOTES = "\"'`“”„‘’‚«»"
_INVISIBLE_CHARACTERS = dict.fromkeys(
    (0x00AD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
)
_NAME_BEFORE = re.compile(  # as a shell, a header or `.env` writes it
    r"\A(?:(?:(?:export|set|setx)\s+)?(?:\$env:)?(?:ANTHROPIC_[A-Z_]{1,30}|x-api-key|authorization)\s*[=:]\s*|Bearer\s+)",
    re.IGNORECASE,
)
_HINT = re.compile(r"sk-ant-(?:[a-z]+\d\d-)?\w{2,4}\.\.\.\w{2,4}(?![\w-])")  # the API's `partial_key_hint`
_WHOLLY_ESCAPED = ("\\u{:04x}", "\\u{:04X}")  # each character, as some writers of JSON do
_ESCAPED_BY_NET = re.compile(r"[\"&'+<>`\\]")  # in JSON, where other writers leave most of them as they are
_VARIABLES = {"ANTHROPIC_API_KEY": False, "ANTHROPIC_AUTH_TOKEN": True}  # whether the key is a bearer token
_ADMIN_VARIABLES = {"ANTHROPIC_ADMIN_KEY": False}
_login_credential: Credential | None = None
_admin_login_credential: Credential | None = None
_of_platforms: dict[tuple[str, str], Signer] = {}
_secrets_in_variables: dict[str, Secret] = {}


def _strip_key(key: str) -> str:
    """A pasted key alone, without spaces, quotes, invisible characters and the name of its variable."""
    while True:
        bare = _NAME_BEFORE.sub(
            "", key.translate(_INVISIBLE_CHARACTERS).strip().rstrip(",;").strip(_QUOTES).strip(), count=1
        )
        if bare == key:
            return bare
        key = bare


class Secret:
    """A key that is never shown; not a `str`, because everything that writes text could write it.

    Args:
        pasted: Whether a person may have written it, with quotes or spaces around it; else it is kept as it is.
    """

    __slots__ = ("_forms", "_in_json", "_key")

    def __init__(self, key: str, *, pasted: bool = True) -> None:
        self._key = _strip_key(key) if pasted else key
        self._in_json = json.dumps(self._key)[1:-1]
        in_json_of_php = self._in_json.replace("/", "\\/")
        in_json_of_net = _ESCAPED_BY_NET.sub(lambda found: f"\\u{ord(found[0]):04X}", self._key)
        wholly_escaped = ("".join(form.format(ord(char)) for char in self._key) for form in _WHOLLY_ESCAPED)
        forms = dict.fromkeys((self._key, self._in_json, in_json_of_php, in_json_of_net, *wholly_escaped))
        self._forms = tuple(map(_HiddenText, forms))

    def __len__(self) -> int:
        return len(self._key)

    def __repr__(self) -> str:
        return "***"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a key cannot be pickled.")

    def is_printable(self) -> bool:
        """Whether it holds only printable ASCII characters."""
        return self._key.isascii() and self._key.isprintable()

    def has_space(self) -> bool:
        return " " in self._key

    def is_admin(self) -> bool:
        """Whether it has the form of an admin key."""
        return self._key.startswith("sk-ant-admin")

    def equals(self, key: str) -> bool:
        return self._key == key

    def is_same(self, other: Secret) -> bool:
        return self._key == other._key

    def occurs_in(self, text: str) -> bool:
        return self._key in text

    def redact(self, text: str) -> str:
        """`text` without this key, unchanged or as in a JSON string."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def encodings(self) -> tuple[bytes, ...]:
        """The key in the forms in which an answer could repeat it: unchanged, and as in a JSON string."""
        return tuple(_HiddenBytes(form.encode()) for form in self._forms)

    def wire_length(self, as_json: bool = False) -> int:
        """The number of bytes on the wire."""
        return len(self._in_json if as_json else self._key)

    def substitute(self, data: bytes, stand_in: bytes, as_json: bool = False) -> bytes:
        """`data` with this key instead of `stand_in`; only for the wire."""
        return data.replace(stand_in, (self._in_json if as_json else self._key).encode())

    def fingerprint(self) -> str:
        """Tells this key apart from others; the key cannot be read from it, nor be tried out fast."""
        return hashlib.pbkdf2_hmac("sha256", self._key.encode(), b"claude-magic uploads", 100_000, 8).hex()

    def file_content(self) -> bytes:
        """The content of the file that only the user can read."""
        return self._key.encode() + b"\n"


class _HiddenText(str):
    """A form of a key, which tracebacks and tracers do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"


class _HiddenBytes(bytes):
    """An encoding of a key, which tracebacks do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


@dataclass(frozen=True, kw_only=True)
class UnsignedRequest:
    """What a credential may need to know of the request that it opens.

    Attributes:
        headers: Those that are sent, without the credential.
        digest: Returns the SHA-256 of the body as it is sent, in hexadecimal.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    digest: Callable[[], str]


class Signer(Protocol):
    """A credential: what opens an endpoint, whether it is a key or signs each request."""

    @property
    def source(self) -> str:
        """Where it comes from, as shown to the user; never its value."""
        ...

    @property
    def secrets(self) -> Sequence[Secret]:
        """What must not be shown, as far as it is known now."""
        ...

    @property
    def placeholders(self) -> Sequence[tuple[str, str]]:
        """The names and values of the headers that are shown."""
        ...

    def headers(self, request: UnsignedRequest) -> Iterable[tuple[str, str, Secret | None]]:
        """The headers that open the endpoint: name, text that is not secret, and the secret after it.

        Raises:
            SettingsError: It has ended, and there is no new one.
        """
        ...

    def redact(self, text: str) -> str:
        """`text` without its secrets, and without anything else that looks like a key."""
        ...


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A key and its source.

    Attributes:
        source: As shown to the user, such as `$ANTHROPIC_API_KEY`.
        bearer: Whether it is sent as `Authorization: Bearer`; else as `x-api-key`.
        display_value: Shown instead of the key; `""` for the name of its environment variable.
    """

    source: str
    secret: Secret = field(repr=False)
    bearer: bool = False
    display_value: str = ""

    def headers(self, request: UnsignedRequest) -> Iterable[tuple[str, str, Secret | None]]:
        """The header that is sent; it is the same for each request."""
        return [("authorization", "Bearer ", self.secret) if self.bearer else ("x-api-key", "", self.secret)]

    @property
    def secrets(self) -> Sequence[Secret]:
        return (self.secret,)

    @property
    def placeholders(self) -> Sequence[tuple[str, str]]:
        """The header that is shown."""
        if self.bearer:
            return [("authorization", f"Bearer {self.display_value or '$ANTHROPIC_AUTH_TOKEN'}")]
        return [("x-api-key", self.display_value or "$ANTHROPIC_API_KEY")]

    def redact(self, text: str) -> str:
        """`text` without this key, and without anything else that looks like a key."""
        if len(self.secret) >= 8:
            text = self.secret.redact(text)
        return redact(text)


def redact(text: str) -> str:
    """`text` without anything that looks like a key; the API's hints of keys, `sk-ant-api03-R2D...igAA`, stay."""
    return _KEY.sub(lambda match: match[0] if _is_harmless(match) else "sk-ant-***", text)


def _is_harmless(match: re.Match[str]) -> bool:
    return _HINT.match(match.string, match.start()) is not None or is_placeholder(match[0])


def parse_redacted(text: str, hide: Callable[[str], str]) -> Any:
    """The JSON value of `text`, keys redacted, however its writer escaped them.

    Args:
        hide: Redacts a text.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is too deep.
    """
    value = json.loads(hide(text))
    return _hidden_within(value, hide) if "\\u00" in text or "\\/" in text else value


def _hidden_within(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {hide(name): _hidden_within(inner, hide) for name, inner in value.items()}
    return [_hidden_within(inner, hide) for inner in value] if isinstance(value, list) else value


def redact_secrets(text: str) -> str:
    """`text` without the keys that are in use now, and without anything that looks like a key."""
    for credential in in_use():
        text = credential.redact(text)
    return redact(text)


def register(platform: str, credential: Signer) -> Signer:
    """Remembers a platform's credential, whose secrets are redacted and refused like the keys from then on."""
    _of_platforms[platform, credential.source] = credential
    return credential


def in_use() -> list[Signer]:
    """The ordinary key, the admin key and the platforms' credentials, as far as there are such and can be read."""
    credentials: list[Signer] = [*_of_platforms.values()]
    for admin in (False, True):
        with contextlib.suppress(SettingsError):
            if (credential := find(admin=admin)) is not None:
                credentials.append(credential)
    return credentials


def find(*, admin: bool = False) -> Credential | None:
    """The first credential of: environment, `.env`, `claude.login()`, the saved file; `None` if there is none.

    Args:
        admin: Whether to find the admin key instead of the ordinary one.

    Raises:
        SettingsError: It holds characters that cannot be sent, a file cannot be read, or an admin key stands where
            the ordinary one belongs.
    """
    from .stand_ins import without_tracing

    login = _admin_login_credential if admin else _login_credential
    with without_tracing():
        return _from_environment(admin) or _from_dotenv(admin) or login or _saved_credential(admin)


def remember(key: str, *, save: bool, admin: bool = False) -> Credential:
    """Keeps `key` for this process, and if `save`, in a file that only the user can read."""
    global _login_credential, _admin_login_credential
    secret = Secret(key)
    del key  # a traceback can show the values of variables
    credential = _credential(secret, source=f"claude.login({'admin=True' * admin})", admin=admin)
    if admin:
        _admin_login_credential = credential
    else:
        _login_credential = credential
    if save:
        _write(_file(admin), credential.secret)
    return credential


def forget() -> None:
    """Forgets the keys of `remember`, and deletes the saved files."""
    global _login_credential, _admin_login_credential
    _login_credential = _admin_login_credential = None
    for path in (_file(), _file(admin=True)):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(f"the saved key cannot be deleted: {path}: {error.strerror}. Delete it.") from None


def refuse_keys(text: str, *credentials: Signer | None) -> None:
    """Refuses to send a key as text.

    Raises:
        CellError: `text` holds one of these keys, or something that looks like a key.
    """
    if holds_key(text, *credentials):
        raise CellError(
            "the cell contains something that looks like an API key, so nothing was sent. "
            "Remove it; if it is real, revoke it in the Console: the notebook and its history hold it."
        )


def holds_key(text: str, *credentials: Signer | None) -> bool:
    """Whether `text` holds one of these keys, or something that looks like a key."""
    secrets = [secret for each in credentials if each is not None for secret in each.secrets]
    found = any(len(secret) >= 16 and secret.occurs_in(text) for secret in secrets)
    return found or any(not is_placeholder(key) for key in _KEY.findall(text))


def _from_variables(values: Mapping[str, Secret], source: str, admin: bool) -> Credential | None:
    """The credential of the first variable that is set.

    Args:
        source: Where the variables are, with `{name}` for the name.
    """
    for name, bearer in (_ADMIN_VARIABLES if admin else _VARIABLES).items():
        if secret := values.get(name):
            return _credential(secret, source=source.replace("{name}", name), bearer=bearer, admin=admin)
    return None


def _from_environment(admin: bool) -> Credential | None:
    names = _ADMIN_VARIABLES if admin else _VARIABLES
    return _from_variables({name: _secret_in(name) for name in names}, "${name}", admin)


def _secret_in(variable: str) -> Secret:
    """The value of an environment variable; the same object while the variable does not change."""
    secret = _secrets_in_variables.get(variable)
    if secret is None or not secret.equals(os.getenv(variable, "")):
        secret = _secrets_in_variables[variable] = Secret(os.getenv(variable, ""))
    return secret


def _credential(secret: Secret, *, source: str, bearer: bool = False, admin: bool = False) -> Credential:
    if not secret:
        raise SettingsError(f"the key from {source} is empty. Copy it again from the Console.")
    if not secret.is_printable():
        raise SettingsError(
            f"the key from {source} contains a control or non-ASCII character. Copy it again from the Console."
        )
    if secret.has_space():
        raise SettingsError(f"the key from {source} contains a space. Copy it again from the Console, the key alone.")
    if secret.is_admin() and not admin:
        raise SettingsError(
            f"the key from {source} is an admin key, which is sent to /v1/organizations/ only. "
            "Set it as ANTHROPIC_ADMIN_KEY, or use claude.login(admin=True)."
        )
    return Credential(
        source=source, secret=secret, bearer=bearer, display_value="$ANTHROPIC_ADMIN_KEY" if admin else ""
    )


def _from_dotenv(admin: bool) -> Credential | None:
    for path in files_above(".env"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if importlib.util.find_spec("dotenv") is not None:
                credential = _from_variables(_dotenv_values(path), f"{{name}} in {path}", admin)
                if credential is not None:
                    return credential
    return None


def _dotenv_values(path: Path) -> dict[str, Secret]:
    from dotenv import dotenv_values

    return {
        name: Secret(value or "")
        for name, value in dotenv_values(path, interpolate=False, encoding="utf-8-sig").items()
    }


def _file(admin: bool = False) -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("claude-magic")) / ("admin-key" if admin else "key")


def _saved_credential(admin: bool) -> Credential | None:
    path = _file(admin)
    try:
        secret = Secret(path.read_bytes().decode("utf-8", "replace"))  # `_credential` refuses invalid characters
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"the saved key cannot be read: {path}: {error.strerror}. Run claude.login().") from None
    return _credential(secret, source=str(path), admin=admin)


def _write(path: Path, secret: Secret) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret.file_content())
    except OSError as error:
        raise SettingsError(f"the key cannot be saved: {path}: {error.strerror}. It is kept in memory.") from None
