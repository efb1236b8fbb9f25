"""The key: where it comes from, and how it stays unseen.

It is looked up at each request, and never a setting, a repr, a traceback or a pickle.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, SupportsIndex

from ..errors import CellError, SettingsError
from ..wire.placeholders import is_placeholder

_KEY = re.compile(r"sk-ant-[A-Za-z0-9_-]{8,}")
_QUOTES = "\"'`“”„‘’‚«»"
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
)
_BEFORE = re.compile(  # as a shell, a header or `.env` writes it
    r"\A(?:(?:(?:export|set|setx)\s+)?(?:\$env:)?(?:ANTHROPIC_[A-Z_]{1,30}|x-api-key|authorization)\s*[=:]\s*|Bearer\s+)",
    re.IGNORECASE,
)
_remembered: Credential | None = None


def _cleaned(key: str) -> str:
    """A key without what was copied with it: blanks, quotes, invisible characters, the name before it."""
    while True:
        bare = _BEFORE.sub("", key.translate(_INVISIBLE).strip().rstrip(",;").strip(_QUOTES).strip(), count=1)
        if bare == key:
            return bare
        key = bare


class Secret:
    """A key that shows itself to nobody: no `str`, or everything that writes text could write it."""

    __slots__ = ("_in_json", "_key")

    def __init__(self, key: str) -> None:
        self._key = _cleaned(key)
        self._in_json = json.dumps(self._key)[1:-1]

    def __len__(self) -> int:
        return len(self._key)

    def __repr__(self) -> str:
        return "***"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a key is not written down.")

    def is_printable(self) -> bool:
        """Whether it holds nothing but printable ASCII."""
        return self._key.isascii() and self._key.isprintable()

    def has_a_blank(self) -> bool:
        return " " in self._key

    def occurs_in(self, text: str) -> bool:
        return self._key in text

    def redact(self, text: str) -> str:
        """`text` without this key."""
        return text.replace(self._key, "***")

    def forms(self) -> tuple[bytes, ...]:
        """As an answer could repeat it: as it is, and as JSON writes it."""
        return tuple({_Unseen(self._key.encode()), _Unseen(self._in_json.encode())})

    def wire_length(self, as_json: bool = False) -> int:
        """The number of bytes on the wire."""
        return len(self._in_json if as_json else self._key)

    def put_in(self, data: bytes, place: bytes, as_json: bool = False) -> bytes:
        """`data` with this key instead of `place`; only for the wire."""
        return data.replace(place, (self._in_json if as_json else self._key).encode())

    def line(self) -> bytes:
        """For the file that only the user can read."""
        return self._key.encode() + b"\n"


class _Unseen(bytes):
    """A form of a key to search for, which shows itself in no traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A key and where it came from.

    Attributes:
        source: In words for the reader, such as `$ANTHROPIC_API_KEY`.
        bearer: Sent as `Authorization: Bearer`, else as `x-api-key`.
        shown: What stands in the key's place where a request is shown.
    """

    source: str
    secret: Secret = field(repr=False)
    bearer: bool = False
    shown: str = ""

    def header(self, stand_in: str) -> tuple[str, str]:
        """Name and value of the header that is sent, with a stand-in for the key."""
        if self.bearer:
            return "authorization", f"Bearer {stand_in}"
        return "x-api-key", stand_in

    @property
    def placeholder(self) -> tuple[str, str]:
        """Name and value of the header that is shown."""
        if self.bearer:
            return "authorization", f"Bearer {self.shown or '$ANTHROPIC_AUTH_TOKEN'}"
        return "x-api-key", self.shown or "$ANTHROPIC_API_KEY"

    def redact(self, text: str) -> str:
        """`text` without this key, and without anything else shaped like one."""
        if len(self.secret) >= 8:
            text = self.secret.redact(text)
        return redact(text)


def redact(text: str) -> str:
    """`text` without anything shaped like a key."""
    return _KEY.sub(lambda match: match[0] if is_placeholder(match[0]) else "sk-ant-***", text)


def redact_secrets(text: str) -> str:
    """`text` without the key that is in use now, and without anything shaped like one."""
    try:
        credential = find()
    except SettingsError:
        credential = None
    return credential.redact(text) if credential else redact(text)


def find() -> Credential | None:
    """The first of: environment, `.env`, `claude.login()`, the saved file; `None` if there is none.

    Raises:
        SettingsError: It holds characters that cannot be sent, or a file cannot be read.
    """
    from .stand_ins import untraced

    with untraced():
        return _in(_in_environment, "${name}") or _in_dotenv() or _remembered or _saved_credential()


def remember(key: str, *, save: bool) -> Credential:
    """Keep `key` for this process, and if `save` in a file that only the user can read."""
    global _remembered
    secret = Secret(key)
    del key  # a traceback can show what a variable holds
    _remembered = _credential(secret, source="claude.login()")
    if save:
        _write(_file(), _remembered.secret)
    return _remembered


def forget() -> None:
    """Forget the key that was remembered, and delete the saved file."""
    global _remembered
    _remembered = None
    path = _file()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"the saved key cannot be deleted: {path}: {error.strerror}. Delete it.") from None


def refuse_keys(text: str, credential: Credential | None) -> None:
    """Refuse to send a key as text.

    Raises:
        CellError: `text` holds the key in use, or something shaped like one.
    """
    in_use = credential is not None and len(credential.secret) >= 16 and credential.secret.occurs_in(text)
    if in_use or any(not is_placeholder(key) for key in _KEY.findall(text)):
        raise CellError(
            "the cell contains something shaped like an API key, so nothing was sent. "
            "Remove it; if it is real, revoke it in the Console: the notebook and its history hold it."
        )


def _in(named: Callable[[str], Secret | None], source: str) -> Credential | None:
    for name, bearer in (("ANTHROPIC_API_KEY", False), ("ANTHROPIC_AUTH_TOKEN", True)):
        if secret := named(name):
            return _credential(secret, source=source.replace("{name}", name), bearer=bearer)
    return None


def _in_environment(name: str) -> Secret:
    return Secret(os.getenv(name, ""))


def _credential(secret: Secret, *, source: str, bearer: bool = False) -> Credential:
    if not secret:
        raise SettingsError(f"the key from {source} is empty. Copy it again from the Console.")
    if not secret.is_printable():
        raise SettingsError(
            f"the key from {source} holds a control or non-ASCII character. Copy it again from the Console."
        )
    if secret.has_a_blank():
        raise SettingsError(f"the key from {source} holds a blank. Copy it again from the Console, the key alone.")
    return Credential(source=source, secret=secret, bearer=bearer)


def _in_dotenv() -> Credential | None:
    if importlib.util.find_spec("dotenv") is None:
        return None
    for folder in _folders():
        path = folder / ".env"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.is_file() and (found := _in(_dotenv_values(path).get, f"{{name}} in {path}")):
                return found
    return None


def _dotenv_values(path: Path) -> dict[str, Secret]:
    from dotenv import dotenv_values

    return {
        name: Secret(value or "")
        for name, value in dotenv_values(path, interpolate=False, encoding="utf-8-sig").items()
    }


def _folders() -> list[Path]:
    """The notebook's folder and all above it; the kernel runs in that folder."""
    try:
        here = Path.cwd()
    except OSError:
        return []
    return [here, *here.parents]


def _file() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("claude-magic")) / "key"


def _saved_credential() -> Credential | None:
    path = _file()
    try:
        secret = Secret(path.read_bytes().decode("utf-8", "replace"))  # whatever it holds; then it is looked at
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"the saved key cannot be read: {path}: {error.strerror}. Run claude.login().") from None
    return _credential(secret, source=str(path))


def _write(path: Path, secret: Secret) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret.line())
    except OSError as error:
        raise SettingsError(f"the key cannot be saved: {path}: {error.strerror}. It is kept in memory.") from None
