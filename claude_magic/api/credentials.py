"""The key: where it comes from, and how it stays unseen.

It is looked up at each request, and never a setting, a repr, a traceback or a pickle.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, SupportsIndex

from ..errors import CellError, SettingsError

_KEY = re.compile(r"sk-ant-[A-Za-z0-9_-]{8,}")
_remembered: Credential | None = None


class Secret(str):
    """Text that shows itself to nobody; only what encodes it for the wire reads it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a key is not written down.")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A key and where it came from.

    Attributes:
        source: In words for the reader, such as `$ANTHROPIC_API_KEY`.
        bearer: Sent as `Authorization: Bearer`, else as `x-api-key`.
    """

    source: str
    secret: Secret = field(repr=False)
    bearer: bool = False

    @property
    def header(self) -> tuple[str, Secret]:
        """Name and value of the header that is sent."""
        if self.bearer:
            return "authorization", Secret("Bearer " + self.secret)
        return "x-api-key", self.secret

    @property
    def placeholder(self) -> tuple[str, str]:
        """Name and value of the header that is shown."""
        if self.bearer:
            return "authorization", "Bearer $ANTHROPIC_AUTH_TOKEN"
        return "x-api-key", "$ANTHROPIC_API_KEY"

    def redacted(self, text: str) -> str:
        """`text` without this key, and without anything else shaped like one."""
        if len(self.secret) >= 8:
            text = text.replace(self.secret[:], "***")
        return redacted(text)


def redacted(text: str) -> str:
    """`text` without anything shaped like a key."""
    return _KEY.sub("sk-ant-***", text)


def find() -> Credential | None:
    """The first of: environment, `.env`, `claude.login()`, the saved file; `None` if there is none.

    Raises:
        SettingsError: It holds characters that cannot be sent, or a file cannot be read.
    """
    return _in(os.environ, "${name}") or _in_dotenv() or _remembered or _saved()


def remember(key: str, *, save: bool) -> Credential:
    """Keep `key` for this process, and if `save` in a file that only the user can read."""
    global _remembered
    _remembered = _credential(Secret(key), source="claude.login()")
    if save:
        _write(_file(), _remembered.secret)
    return _remembered


def forget() -> None:
    """Forget the key that was remembered, and delete the saved file."""
    global _remembered
    _remembered = None
    _file().unlink(missing_ok=True)


def refuse_keys(text: str, credential: Credential | None) -> None:
    """Refuse to send a key as text.

    Raises:
        CellError: `text` holds the key in use, or something shaped like one.
    """
    in_use = credential is not None and len(credential.secret) >= 16 and credential.secret[:] in text
    if in_use or _KEY.search(text):
        raise CellError(
            "the cell contains something shaped like an API key, so nothing was sent. "
            "Remove it; if it is real, revoke it in the Console: the notebook and its history hold it."
        )


def _in(values: Any, source: str) -> Credential | None:
    for name, bearer in (("ANTHROPIC_API_KEY", False), ("ANTHROPIC_AUTH_TOKEN", True)):
        if value := Secret((values.get(name) or "").strip()):
            return _credential(value, source=source.replace("{name}", name), bearer=bearer)
    return None


def _credential(key: Secret, *, source: str, bearer: bool = False) -> Credential:
    key = Secret(key.strip())
    if not key:
        raise SettingsError(f"the key from {source} is empty. Copy it again from the Console.")
    if not key.isascii() or not key.isprintable():
        raise SettingsError(
            f"the key from {source} holds a control or non-ASCII character. Copy it again from the Console."
        )
    return Credential(source=source, secret=key, bearer=bearer)


def _in_dotenv() -> Credential | None:
    if importlib.util.find_spec("dotenv") is None:
        return None
    for folder in _folders():
        path = folder / ".env"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.is_file() and (found := _in(_dotenv_values(path), f"{{name}} in {path}")):
                return found
    return None


def _dotenv_values(path: Path) -> dict[str, str | None]:
    from dotenv import dotenv_values

    return dict(dotenv_values(path, interpolate=False))


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


def _saved() -> Credential | None:
    path = _file()
    try:
        key = Secret(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError(f"the saved key cannot be read: {path}: {reason}. Run claude.login().") from None
    return _credential(key, source=str(path))


def _write(path: Path, secret: Secret) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret.encode() + b"\n")
    except OSError as error:
        raise SettingsError(f"the key cannot be saved: {path}: {error.strerror}. It is kept in memory.") from None
