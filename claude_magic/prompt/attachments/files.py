"""Finds and reads the files of a name or pattern; pipes, devices and other endless files are refused."""

from __future__ import annotations

import difflib
import glob
import os
import stat
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from unicodedata import normalize

from ...errors import CellError
from ...wire.media_type import HEAD
from .limits import amount

MOST_FILES = 600  # for one pattern: a request takes no more images
_MOST_BYTES = 100_000_000  # of a file: an image may be scaled down, so it may be larger than a request


def find_files(name: str, folder: Path) -> list[Path]:
    """The files of this name or pattern, sorted; `[]` if there is none.

    A file with exactly this name is preferred to a pattern. A pattern matches files only; `**` descends into folders,
    and names that begin with a dot are matched only by patterns that do.

    Raises:
        CellError: The pattern matches more files than can be sent.
    """
    expanded = os.path.expanduser(name)
    if exact := _exact(folder, expanded):
        return [exact]
    if not glob.has_magic(expanded) or "\0" in expanded:
        return []
    forms = dict.fromkeys((expanded, normalize("NFC", expanded), normalize("NFD", expanded)))
    matches = (folder / match for form in forms for match in glob.iglob(form, root_dir=folder, recursive=True))
    files = sorted(islice(dict.fromkeys(filter(os.path.isfile, matches)), MOST_FILES + 1))
    if len(files) > MOST_FILES:
        raise CellError(f"--attach {name}: more than {MOST_FILES} files match. Give a narrower pattern.")
    return files


def _exact(folder: Path, name: str) -> Path | None:
    """The path of this name, with accented letters as one character or two (NFC, NFD); `None` if none exists."""
    if os.path.lexists(folder / name):
        return folder / name
    if name.isascii():
        return None
    path = folder
    for piece in Path(name).parts:
        path = next((each for each in (path / piece, *_alike(path, piece)) if os.path.lexists(each)), path / piece)
    return path if os.path.lexists(path) else None


def _alike(folder: Path, name: str) -> list[Path]:
    normal_name = normalize("NFC", name)
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if normalize("NFC", entry.name) == normal_name]
    except (OSError, ValueError):
        return []


def content(path: Path, where: str) -> bytes:
    """The bytes of a regular file.

    Raises:
        CellError: It is not a regular file, too large, or cannot be read.
    """
    try:
        _refuse(path.stat(), path, where)
        with _open(path) as file:
            _refuse(os.fstat(file.fileno()), path, where)  # the file may have been replaced meanwhile
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(error, where) from None
    if len(data) > _MOST_BYTES:
        raise CellError(f"{where}: it has more than {amount(_MOST_BYTES)}. Attach less.")
    return data


def head(path: Path, where: str) -> tuple[bytes, int]:
    """The first bytes of a regular file of any size, enough to know its media type, and its size.

    Raises:
        CellError: It is not a regular file, empty, or cannot be read.
    """
    try:
        _refuse(path.stat(), path, where, largest=None)
        with _open(path) as file:
            facts = os.fstat(file.fileno())
            _refuse(facts, path, where, largest=None)
            data = file.read(HEAD)
    except OSError as error:
        raise _unreadable(error, where) from None
    if not data:
        raise CellError(f"{where}: it is empty. There is nothing to attach.")
    return data, facts.st_size


def near(name: str, folder: Path) -> list[str]:
    """Names of files similar to `name`, which does not exist."""
    place, base = os.path.split(os.path.expanduser(name))
    try:
        with os.scandir(folder / place) as entries:
            known = [entry.name for entry in islice(entries, 2_000) if not entry.name.startswith(".")]
    except (OSError, ValueError):
        return []
    return [os.path.join(place, match) for match in difflib.get_close_matches(base, known, n=3)]


def _open(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")


def _unreadable(error: OSError, where: str) -> CellError:
    if isinstance(error, FileNotFoundError):
        return CellError(f"{where}: there is no such file, or it is a broken link. Look at its path.")
    why = error.strerror or type(error).__name__
    return CellError(f"{where}: it cannot be read: {why}. Look at the file.")


def _refuse(facts: os.stat_result, path: Path, where: str, largest: int | None = _MOST_BYTES) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise CellError(f"{where}: it is a folder. Attach its files with a pattern, such as {path.name or '.'}/*.txt.")
    if not stat.S_ISREG(facts.st_mode):
        raise CellError(f"{where}: it is not a file but a device, a pipe or a socket. Copy what it gives into a file.")
    if largest is not None and facts.st_size > largest:
        raise CellError(
            f"{where}: it has {amount(facts.st_size)}, more than can be sent. Attach less, or add --upload."
        )
