"""Snippets: cells stored by name in the user's data folder, each a readable file with options and text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import CellError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """A stored cell.

    Attributes:
        line: Its options, as typed.
    """

    name: str
    line: str
    text: str

    def __str__(self) -> str:
        return f"%%claude {self.line}".rstrip() + f"\n{self.text}"

    __repr__ = __str__


class Snippets(Mapping[str, Snippet]):
    """The user's snippets by name; reading one never runs it."""

    def keep(self, name: str, line: str, text: str) -> None:
        """Stores a cell, and replaces an earlier one of this name.

        Raises:
            CellError: The name is not valid, or the file cannot be written.
        """
        path = _path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"%%claude {line}".rstrip() + f"\n{text}", encoding="utf-8", errors="replace", newline="")
        except OSError as error:
            raise CellError(f"the snippet cannot be written: {path}: {error.strerror}. Nothing was kept.") from None

    def remove(self, name: str) -> None:
        """Deletes a snippet.

        Raises:
            CellError: There is no snippet of this name.
        """
        self[name]
        _path(name).unlink()

    def __getitem__(self, name: str) -> Snippet:
        try:
            with _path(name).open(encoding="utf-8", newline="") as file:
                first, _, text = file.read().partition("\n")
        except OSError:
            known = ", ".join(self) or "none yet"
            raise CellError(f"no snippet {name!r}. Known: {known}. --save NAME keeps a cell.") from None
        return Snippet(name=name, line=first.removeprefix("%%claude").strip(), text=text)

    def __contains__(self, name: object) -> bool:
        return any(name == each for each in self)

    def __iter__(self) -> Iterator[str]:
        folder = _folder()
        return iter(sorted(path.stem for path in folder.glob("*.txt"))) if folder.is_dir() else iter(())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        rows = [f"{name:<20}  {' '.join(self[name].text.split())[:70]}" for name in self]
        return "\n".join(rows) or "no snippets yet: %%claude --save NAME keeps a cell"


def _folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("claude-magic")) / "snippets"


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise CellError(f"not a name for a snippet: {name[:70]!r}. Use letters, digits, dots and dashes.")
    return _folder() / f"{name}.txt"
