"""Files that a name or a pattern means, read without waiting: no pipe, no device, nothing endless."""

from __future__ import annotations

import difflib
import glob
import os
import stat
from itertools import islice
from pathlib import Path
from unicodedata import normalize

from ...errors import CellError
from .limits import amount

MOST_FILES = 600  # of one pattern: more images no request takes
_MOST_BYTES = 100_000_000  # of a file: an image may be scaled down, so it may be larger than a request


def find_files(name: str, folder: Path) -> list[Path]:
    """The files that `name` means, in the order of their names; `[]` if there is none.

    A file that has exactly this name comes before a pattern. A pattern means files only; `**` goes into
    folders, and what begins with a dot is matched only by a pattern that does.

    Raises:
        CellError: A pattern matches more files than can be sent.
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
    """The path of this name; a letter with an accent may be one character or two (NFC, NFD)."""
    if os.path.lexists(folder / name):
        return folder / name
    if name.isascii():
        return None
    path = folder
    for piece in Path(name).parts:
        path = next((each for each in (path / piece, *_alike(path, piece)) if os.path.lexists(each)), path / piece)
    return path if os.path.lexists(path) else None


def _alike(folder: Path, name: str) -> list[Path]:
    wanted = normalize("NFC", name)
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if normalize("NFC", entry.name) == wanted]
    except (OSError, ValueError):
        return []


def content(path: Path, where: str) -> bytes:
    """The bytes of a regular file.

    Raises:
        CellError: It is something else, too large, or cannot be read.
    """
    try:
        _refuse(path.stat(), path, where)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
            _refuse(os.fstat(file.fileno()), path, where)  # what was opened may not be what was looked at
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise CellError(
            f"{where}: there is no such file, or it is a link that leads nowhere. Look at its path."
        ) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CellError(f"{where}: it cannot be read: {why}. Look at the file.") from None
    if len(data) > _MOST_BYTES:
        raise CellError(f"{where}: it has more than {amount(_MOST_BYTES)}. Attach less.")
    return data


def near(name: str, folder: Path) -> list[str]:
    """Files whose names are like `name`, which is none."""
    place, wanted = os.path.split(os.path.expanduser(name))
    try:
        with os.scandir(folder / place) as entries:
            known = [entry.name for entry in islice(entries, 2_000) if not entry.name.startswith(".")]
    except (OSError, ValueError):
        return []
    return [os.path.join(place, match) for match in difflib.get_close_matches(wanted, known, n=3)]


def _refuse(facts: os.stat_result, path: Path, where: str) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise CellError(f"{where}: it is a folder. Attach its files with a pattern, such as {path.name or '.'}/*.txt.")
    if not stat.S_ISREG(facts.st_mode):
        raise CellError(f"{where}: it is not a file but a device, a pipe or a socket. Copy what it gives into a file.")
    if facts.st_size > _MOST_BYTES:
        raise CellError(f"{where}: it has {amount(facts.st_size)}, more than can be sent. Attach less.")
