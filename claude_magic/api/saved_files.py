"""The file that an answer is written to: it replaces none without permission, and has its name only when complete.

The name that a server gives is a suggestion: only its last component counts, without control or direction characters.
"""

from __future__ import annotations

import contextlib
import email.message
import itertools
import os
import re
import secrets
import unicodedata
from pathlib import Path
from typing import BinaryIO

from ..errors import CellError

_LONGEST_NAME = 200  # bytes
_RESERVED = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')


def safe_filename(name: str, fallback: str) -> str:
    """A name for a file in a folder of the user's, from one that a server gave.

    Args:
        fallback: The name if nothing is left of the other, such as the file's id.
    """
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    clean = _RESERVED.sub("_", clean).strip().rstrip(".")
    while len(clean.encode()) > _LONGEST_NAME:
        stem, dot, suffix = clean.rpartition(".")
        clean = f"{stem[:-1]}{dot}{suffix}" if stem and len(suffix) < 20 else clean[:-1]
    return clean if clean.strip("._ ") else fallback


def suggested_name(content_disposition: str) -> str:
    """The file name of a `content-disposition` header; `""` if it has none."""
    message = email.message.Message()
    message["content-disposition"] = " ".join(content_disposition.split())
    return message.get_filename("") or ""


class SavedFile:
    """Where an answer goes: a file, or a folder in which it gets the server's name.

    Args:
        overwrite: Whether a file that is there may be replaced.
        name: Its name in a folder, if the server gives none with the content.
        numbered: Whether a file that is there is left alone, and this one gets a number behind its name.
        permit: What lets it be replaced, for messages.

    Attributes:
        path: The file, once it is written; `None` before.
    """

    def __init__(
        self,
        target: str | Path,
        *,
        overwrite: bool = False,
        name: str = "",
        numbered: bool = False,
        permit: str = "--yes",
    ) -> None:
        self._target = Path(target).expanduser()
        self._is_folder = str(target).endswith(("/", os.sep)) or self._target.is_dir()
        self._overwrite = overwrite
        self._name = name
        self._numbered = numbered
        self._permit = permit
        self._suggested = self._target
        self.path: Path | None = None
        self._file: BinaryIO | None = None
        self._part: Path | None = None

    def check(self) -> None:
        """Checks the target before anything is sent.

        Raises:
            CellError: There is such a file, or no such folder.
        """
        folder = self._target if self._is_folder else self._target.parent
        if not folder.is_dir():
            raise CellError(f"no such folder: {folder}. Nothing was sent. Make it first.")
        if not self._is_folder:
            self._refuse_existing(self._target, "Nothing was sent. ")

    def open(self, content_disposition: str, fallback: str) -> BinaryIO:
        """The file to write to, under a temporary name until `close`.

        Raises:
            CellError: It cannot be written, or there is such a file.
        """
        self.path = self._target
        if self._is_folder:
            self.path = self._target / safe_filename(suggested_name(content_disposition) or self._name, fallback)
            self._suggested = self.path
            self.path = _free(self.path) if self._numbered else self.path
            self._refuse_existing(self.path, "")
        # several downloads of this name may run at the same time
        self._part = self.path.with_name(f".{self.path.name[:40]}.{secrets.token_hex(8)}.part")
        try:
            self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")
        except OSError as error:
            raise CellError(f"{self.path} cannot be written: {error.strerror}.") from None
        return self._file

    def close(self, *, complete: bool) -> None:
        """Renames the complete file to its name; an incomplete one is deleted.

        Raises:
            CellError: There is such a file now, or it cannot be written.
        """
        if self._file is None or self._part is None or self.path is None:
            return
        try:
            self._file.close()
            if complete and self._overwrite:
                self._part.replace(self.path)
            elif complete:
                self._give_name(self._part, self.path)
        except FileExistsError:
            self._refuse_existing(self.path, "What arrived was deleted. ")
        except OSError as error:
            raise CellError(f"{self.path} cannot be written: {error.strerror}.") from None
        finally:
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)

    def _give_name(self, part: Path, path: Path) -> None:
        """Renames the complete file, replacing none: one of that name may have been created meanwhile.

        Raises:
            OSError: There is such a file, or it cannot be written.
        """
        while True:
            try:
                _move_to_free_name(part, path)
            except FileExistsError:
                if not self._numbered:
                    raise
                path = self.path = _free(self._suggested)
            else:
                return

    def _refuse_existing(self, path: Path, what: str) -> None:
        if not self._overwrite and (path.exists() or path.is_symlink()):
            raise CellError(f"{path} exists. {what}Choose another name, or replace it with {self._permit}.")


def _move_to_free_name(part: Path, path: Path) -> None:
    """Renames a file, replacing none; also on file systems without hard links, such as FAT and some network ones.

    Raises:
        OSError: There is such a file, or it cannot be written.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # the name is taken
        part.replace(path)


def _free(path: Path) -> Path:
    """This path, or one with a number behind its name, such as `plot (1).png`, where no file is."""
    several = (path.with_name(f"{path.stem} ({number}){path.suffix}") for number in itertools.count(1))
    return next(each for each in itertools.chain([path], several) if not (each.exists() or each.is_symlink()))
